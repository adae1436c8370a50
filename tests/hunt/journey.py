"""A shopper of the sandbox's shop: signs up, links cards in the way of the hosted page, pays orders."""

import json
import random
import re
import time
import urllib.parse

import requests

from running import Shopper, form_of, seal

WAIT_S = 20


def await_true(what, condition, wait_s=WAIT_S):
    """Asks again until the condition holds, and returns what it gave."""
    until = time.monotonic() + wait_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f'{what} did not come'
        time.sleep(0.01)


def await_lines_up(sandbox):
    """Both connections are up and onfile says that it is ready."""
    def look():
        told = sandbox.onfile('connection', 'list', check=False)
        states = re.findall(r'^(?:bank|3ds) .* (up|starting|down|failed)\b', told, re.MULTILINE)
        if states != ['up', 'up']:
            return False
        try:
            return requests.get(f'http://127.0.0.1:{sandbox.metrics}/readyz').status_code == 200
        except requests.ConnectionError:
            return False
    await_true('both lines', look)


def form_with(marker, page):
    """The address and the fields of the form that holds the marker."""
    form = next(form for form in re.findall(r'<form.*?</form>', page, re.DOTALL) if marker in form)
    return form_of(form)


class Journey:
    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.bank = f'http://127.0.0.1:{sandbox.bank}'
        self.http = requests.Session()
        self.http.headers.update({'Origin': f'http://shop.localhost:{sandbox.shop}',
                                  'Host': f'shop.localhost:{sandbox.shop}'})
        self.phone = f'+7900{random.randrange(10**7):07d}'
        self.sign_up()

    def shop(self, method, path, body=None):
        return self.http.request(method, f'http://127.0.0.1:{self.sandbox.shop}{path}', json=body)

    def ok(self, method, path, body=None):
        answer = self.shop(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def code_from(self, condition):
        """The code at the end of the newest SMS that fits."""
        def look():
            messages = requests.get(f'{self.bank}/phone/messages').json()
            messages = messages if isinstance(messages, list) else messages['messages']
            for message in messages:
                code = re.findall(r'#(\d{6})', message['text'])
                if code and condition(message):
                    return code[-1]
            return None
        return await_true('an SMS with a code', look)

    def sign_up(self):
        asked = self.ok('POST', '/api/code', {'phone': self.phone})
        code = self.code_from(lambda message: message['to'] == self.phone)
        self.ok('POST', '/api/sign-in', {'challenge': asked['challenge'], 'code': code})

    def open_page(self):
        url = self.ok('POST', '/api/cards/link', {'next': '/'})['url']
        shopper = Shopper(self.sandbox, urllib.parse.urlsplit(url).path.removeprefix('/c/'))
        shopper.http.headers['Origin'] = f'http://pay.localhost:{self.sandbox.public}'
        return shopper

    def type_card(self, page, number, cvc):
        """What the page does when the shopper presses the button; the raw answer."""
        state = page.until('enter')
        encrypted = seal(state['keys'], {'number': number, 'exp_month': 12, 'exp_year': 2031, 'cvc': cvc,
                                         'intent': state['intent'], 'issued': state['now']})
        return page.http.post(f'{page.page}/card', data={'encrypted': encrypted, **page.BROWSER})

    def start_link(self, number, cvc='123'):
        page = self.open_page()
        answer = self.type_card(page, number, cvc)
        assert answer.status_code == 200, answer.text
        state = page.until('preparing', 'authenticating', 'challenge', 'done', 'enter')
        if state['step'] == 'preparing' and state['method']:
            page.run_method(state['method'])
        return page

    def answer_challenge(self, page, last4):
        challenge = page.until('challenge')['challenge']
        answer = page.post(challenge['url'], {'creq': challenge['creq'], 'threeDSSessionData': ''})
        _, fields = form_with('name="token"', answer.text)
        fields.update(code=self.code_from(lambda message: last4 in message['text']), action='code')
        origin = f'http://bank.localhost:{self.sandbox.bank}'
        answer = page.post(f'{origin}/acs/answer', fields, Origin=origin)
        assert page.post(*form_with('name="cres"', answer.text), Origin=origin).status_code == 200

    def link(self, number, cvc='123', asks=False):
        """Links a card; the page's last state (step `done`, or `enter` with an error)."""
        page = self.start_link(number, cvc)
        if asks:
            self.answer_challenge(page, number[-4:])
        return page.until('done', 'enter')

    def cards(self):
        return self.ok('GET', '/api/cards')['cards']

    def pay(self, last4):
        """Orders a mug with the card that ends in these digits; the answer."""
        card = next(card for card in self.cards() if card['last4'] == last4)
        key = f'hunt-{random.randrange(10**15):015d}'
        return self.shop('POST', '/api/orders', {'items': [{'id': 'mug', 'count': 1}], 'card': card['id'],
                                                 'key': key})

    def bank_does(self, number, **behaviour):
        answer = requests.post(f'{self.bank}/control/cards', data=json.dumps({'number': number, **behaviour}),
                               headers={'Content-Type': 'application/json',
                                        'Origin': f'http://bank.localhost:{self.sandbox.bank}'})
        assert answer.status_code == 200, answer.text

    def ledger(self, number):
        entries = requests.get(f'{self.bank}/control/ledger', params={'last': 10000}).json()['entries']
        return [entry for entry in entries if entry['number'] == number]
