"""The API for tests: a raw client, the steps of a link, cards, errors."""

import requests

from description import Description
from running import Shopper, seal

GOOD = '4242424242424242'
ANOTHER = '5555555555554444'
REFUSED = '4000000000000002'
PAYMENT_REFUSED = '4000000000000341'
NO_FUNDS = '4000000000009995'
LOST = '4000000000009987'
BY_SMS = '4000002500003155'
PROOF_FOR_PAYMENTS = '4000002760003184'
SILENT = '4000000000005126'
PAYMENT_SILENT = '4000000000005209'


class Client:
    """The API as plain HTTP. Every answer is held against the description."""

    descriptions = {}  # by sandbox

    def __init__(self, sandbox, key):
        self.sandbox = sandbox
        self.key = key
        self.http = requests.Session()
        if sandbox.api not in self.descriptions:
            self.descriptions[sandbox.api] = Description(sandbox)
        self.description = self.descriptions[sandbox.api]

    def __call__(self, method, path, data=None, key=None, headers=None, **more):
        head = {'Authorization': f'Bearer {self.key}'}
        if key:
            head['Idempotency-Key'] = key
        head.update(headers or {})
        if method == 'POST':
            more['data'] = data or {}
        else:
            more['params'] = data
        answer = self.http.request(method, self.sandbox.api + path,
                                   headers={k: v for k, v in head.items() if v is not None}, **more)
        self.description.check(method, path, answer)
        return answer

    def get(self, path, **data):
        return self('GET', path, data)

    def post(self, path, data=None, **more):
        return self('POST', path, data, **more)

    def ok(self, method, path, data=None, **more):
        answer = self(method, path, data, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def keys(self):
        return self.ok('GET', '/v1/card_keys')

    def encrypt(self, intent, number=GOOD, cvc='123', **more):
        keys = self.keys()
        plain = {'number': number, 'exp_month': 12, 'exp_year': 2031, 'cvc': cvc, 'intent': intent,
                 'issued': keys['now']}
        plain.update(more)
        return seal(keys, plain)

    def customer(self, **data):
        return self.ok('POST', '/v1/customers', data)['id']

    def setup_intent(self, customer=None, **data):
        if customer:
            data['customer'] = customer
        return self.ok('POST', '/v1/setup_intents', data)

    def confirm(self, intent, number=GOOD, key=None, **data):
        """Confirms a SetupIntent with an encrypted card; the raw answer."""
        data.setdefault('payment_method_data[type]', 'card')
        data.setdefault('payment_method_data[card][encrypted]', self.encrypt(intent['id'], number))
        return self.post(f'/v1/setup_intents/{intent["id"]}/confirm', data, key=key)

    def finish(self, intent):
        """Brings the browser that a link waits for, and waits for its end."""
        shopper = Shopper(self.sandbox, intent['client_secret'])
        shopper.bring_browser()
        shopper.until('done', 'enter', 'challenge')
        return self.ok('GET', f'/v1/setup_intents/{intent["id"]}')

    def link(self, customer, number=GOOD, **data):
        """Links a card for this customer; returns the intent that succeeded."""
        intent = self.setup_intent(customer, **data)
        answer = self.confirm(intent, number)
        assert answer.status_code == 200, answer.text
        intent = answer.json()
        if intent['status'] == 'requires_action':
            intent = self.finish(intent)
        assert intent['status'] == 'succeeded', intent
        return intent

    def events(self, **data):
        return self.ok('GET', '/v1/events', dict(data, limit=100))['data']


def error_of(answer, status, code=None, param=None):
    """The error object of an answer, after a look at what every error has."""
    assert answer.status_code == status, f'{answer.status_code}: {answer.text}'
    body = answer.json()
    assert list(body) == ['error']
    error = body['error']
    assert error['type'] in ('card_error', 'invalid_request_error', 'api_error', 'idempotency_error')
    assert error['message']
    assert answer.headers['Request-Id'].startswith('req_')
    if code is not None:
        assert error.get('code') == code, error
    if param is not None:
        assert error.get('param') == param, error
    return error
