"""Errors that are given before a call of the API is looked at: by web, which reads HTTP, and where nobody has a key. The usual
clients take an answer without `error` for a success, so each of them is an error as the description says, with a request id."""

import os
import signal
import socket
import threading

import jsonschema
import pytest
import requests
import stripe

from calls import SILENT, Client, error_of
from running import LIFTED, Sandbox

PATIENCE_S = 30


def exchange(sandbox, data):
    """Sends bytes; status, headers and body of the first answer."""
    with socket.create_connection(('127.0.0.1', sandbox.public), timeout=PATIENCE_S) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        got = b''
        while part := one.recv(65536):
            got += part
    head, body = got.split(b'\r\n\r\n', 1)
    lines = head.decode().split('\r\n')
    fields = dict(line.lower().split(': ', 1) for line in lines[1:])
    return int(lines[0].split()[1]), fields, body[:int(fields['content-length'])]


def request(method=b'GET', target=b'/v1/customers', fields=b'', body=b'', version=b'HTTP/1.1'):
    return b'%s %s %s\r\nHost: localhost\r\n%s\r\n%s' % (method, target, version, fields, body)


def form(length):
    return b'Content-Length: %d\r\n' % length


REFUSALS = {
    'two lengths': (request(b'POST', fields=form(1) + form(1), body=b'a'), 400, 'request_malformed'),
    'a line that folds': (request(fields=b'X: a\r\n b\r\n'), 400, 'request_malformed'),
    'another version': (request(version=b'HTTP/1.0'), 400, 'request_malformed'),
    'a target with a zero byte': (request(target=b'/v1/customers\x00'), 400, 'request_malformed'),
    'length and chunks': (request(b'POST', fields=form(5) + b'Transfer-Encoding: chunked\r\n', body=b'0\r\n\r\n'), 400, 'request_malformed'),
    'a header that is not UTF-8': (request(fields=b'Stripe-Version: \xff\r\n'), 400, 'request_malformed'),
    'a body above the limit': (request(b'POST', fields=form(65537)), 413, 'request_too_large'),
    'a target above the limit': (request(target=b'/v1/customers?name=' + b'a' * 9000), 414, 'url_too_long'),
    'another expectation': (request(b'POST', fields=form(1) + b'Expect: wonders\r\n', body=b'a'), 417, 'expectation_unknown'),
    'too many headers': (request(fields=b''.join(b'X-%d: a\r\n' % i for i in range(200))), 431, 'headers_too_large'),
    'a head above the limit': (request(fields=b'X: ' + b'a' * 20000 + b'\r\n'), 431, 'headers_too_large'),
    'a key above the limit': (request(fields=b'Idempotency-Key: ' + b'a' * 5000 + b'\r\n'), 431, 'headers_too_large'),
    'a method for a file': (request(b'POST', b'/static/page.css', form(0)), 405, 'method_not_allowed'),
    'no such file': (request(target=b'/static/nothing'), 404, 'resource_missing'),
    'no key': (request(), 401, None),
    'no such call': (request(target=b'/v1/nothing'), 404, None),
    'no such place': (request(target=b'/nothing/at/all'), 404, None),
    'a method that the call does not have': (request(b'PUT', b'/v1/customers', form(0)), 405, None),
    'a method that nobody has': (request(b'FROBNICATE', b'/v1/customers'), 405, None),
}


@pytest.fixture(scope='module')
def shape(api):
    """Looks at an error: status, type, code, request id, and the description of errors."""
    document = api.description.document
    validator = jsonschema.Draft202012Validator({'$ref': '#/components/schemas/error'}, resolver=jsonschema.RefResolver('', document))

    def look(answer, status, code=None):
        got, fields, body = answer
        assert got == status, body
        assert fields['content-type'].startswith('application/json') and fields['request-id'].startswith('req_')
        error = requests.models.complexjson.loads(body)
        validator.validate(error)
        assert error['error']['type'] == ('api_error' if status >= 500 else 'invalid_request_error')
        assert code is None or error['error']['code'] == code
        assert error['error']['message'].rstrip()[-1] in '.)' or code is None, error
        return error['error'], fields
    return look


@pytest.mark.parametrize('data, status, code', REFUSALS.values(), ids=REFUSALS)
def test_an_error_before_the_api_has_its_shape(sandbox, api, shape, data, status, code):
    _, fields = shape(exchange(sandbox, data), status, code)
    assert 'stripe-should-retry' not in fields
    if status == 405:
        assert fields['allow']
    assert api.get('/v1/customers', limit=1).status_code == 200


def test_what_the_python_client_makes_of_them(sandbox, merchant):
    """By status, as it maps them; each with its request id."""
    of = {'api_key': merchant.secret_key}
    old, stripe.api_base = stripe.api_base, sandbox.api
    try:
        for call, kind, status in (
                (lambda: stripe.Customer.create(description='x' * 70000, **of), stripe.error.APIError, 413),
                (lambda: stripe.Customer.list(email='x' * 9000, **of), stripe.error.APIError, 414),
                (lambda: stripe.Customer.retrieve('cus_nobody', **of), stripe.error.InvalidRequestError, 404),
                (lambda: stripe.Balance.retrieve(**of), stripe.error.InvalidRequestError, 404),
                (lambda: stripe.Customer.list(limit=0, **of), stripe.error.InvalidRequestError, 400),
                (lambda: stripe.Customer.list(api_key='sk_test_nobody'), stripe.error.AuthenticationError, 401),
                (lambda: stripe.Customer.list(api_key=merchant.publishable_key), stripe.error.PermissionError, 403)):
            with pytest.raises(kind) as caught:
                call()
            assert caught.value.http_status == status and caught.value.request_id.startswith('req_')
            assert caught.value.json_body['error']['message']
    finally:
        stripe.api_base = old


# --- core is away


def stat(pid):
    """State, parent, and so on."""
    with open(f'/proc/{pid}/stat', encoding='utf-8') as text:
        return text.read().rsplit(')', 1)[1].split()


def end(pid):
    """Kills it, and waits until it has let go of everything; its stopped parent leaves the entry there."""
    os.kill(pid, signal.SIGKILL)
    while stat(pid)[0] != 'Z':
        pass


@pytest.fixture(scope='module')
def broken():
    """A sandbox whose parent cannot start again what is killed, until it is let go."""
    one = Sandbox(conf=LIFTED)
    key = one.merchant('Away').secret_key
    Client(one, key)  # reads the description while it can
    parent = int(stat(one.pid('core'))[1])
    os.kill(parent, signal.SIGSTOP)
    yield one, key, parent
    os.kill(parent, signal.SIGCONT)
    one.stop()


def test_vault_is_away(broken):
    """Core says what it cannot do without it; nothing is kept for the idempotency key."""
    sandbox, key, _ = broken
    end(sandbox.pid('vault'))
    client = Client(sandbox, key)
    answer = client.post('/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'}, key='while-away')
    assert error_of(answer, 503)['type'] == 'api_error' and 'Stripe-Should-Retry' not in answer.headers
    assert client.get('/v1/customers').status_code == 200


def test_core_is_away(broken, shape):
    sandbox, key, _ = broken
    end(sandbox.pid('core'))
    for data in (request(fields=b'Authorization: Bearer %s\r\n' % key.encode()), request(b'POST', fields=form(6), body=b'name=a')):
        error, fields = shape(exchange(sandbox, data), 503, 'service_unavailable')
        assert fields['retry-after'] == '1' and 'again' in error['message']
    old, stripe.api_base = stripe.api_base, sandbox.api
    try:
        with pytest.raises(stripe.error.APIError) as caught:
            stripe.Customer.create(name='Away', api_key=key)
        assert caught.value.http_status == 503 and caught.value.request_id.startswith('req_')
    finally:
        stripe.api_base = old


def test_and_comes_back(broken):
    sandbox, key, parent = broken
    os.kill(parent, signal.SIGCONT)
    client = Client(sandbox, key)
    answer = client.get('/v1/customers')
    while answer.status_code == 503:
        answer = client.get('/v1/customers')
    assert answer.status_code == 200 and answer.json()['data'] == []
    answer = client.post('/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'}, key='while-away')
    while answer.status_code == 503:
        answer = client.post('/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'}, key='while-away')
    assert answer.status_code == 200 and answer.json()['card']['last4'] == '4242'


# --- whether to ask again: the clients follow Stripe-Should-Retry


@pytest.fixture
def dying():
    one = Sandbox(conf=LIFTED)
    client = Client(one, one.merchant().secret_key)
    yield one, client
    one.stop()


def confirm_in_the_background(client, intent, key):
    """With a card whose bank is silent; the answer comes into the list."""
    form = {'payment_method_data[type]': 'card', 'payment_method_data[card][encrypted]': client.encrypt(intent['id'], SILENT)}
    other, got = Client(client.sandbox, client.key), []
    thread = threading.Thread(target=lambda: got.append(other.post(f'/v1/setup_intents/{intent["id"]}/confirm', form, key=key)))
    thread.start()
    return form, thread, got


def begun(client, intent):
    seen = None
    while not seen:  # the attempt is there: the bank is being asked
        seen = client.ok('GET', f'/v1/setup_intents/{intent["id"]}')['latest_attempt']
    return seen


def test_what_is_decided_is_not_to_be_asked_again(dying):
    """vault dies while the bank is asked: the link is over, and a repeated request hears the same."""
    sandbox, client = dying
    intent = client.setup_intent(client.customer())
    form, thread, got = confirm_in_the_background(client, intent, 'decided')
    begun(client, intent)
    os.kill(sandbox.pid('vault'), signal.SIGKILL)
    thread.join()
    again = client.post(f'/v1/setup_intents/{intent["id"]}/confirm', form, key='decided')
    for answer in (*got, again):
        assert error_of(answer, 500, 'processing_error')['type'] == 'api_error'
        assert answer.headers['Stripe-Should-Retry'] == 'false'
    assert again.content == got[0].content and again.headers['Idempotent-Replayed'] == 'true'


def test_what_nobody_knows_is_to_be_asked_again(dying):
    """Core dies with a request that it was given; repeated with its key it comes to its one end."""
    sandbox, client = dying
    intent = client.setup_intent(client.customer())
    form, thread, got = confirm_in_the_background(client, intent, 'unknown')
    attempt = begun(client, intent)
    os.kill(sandbox.pid('core'), signal.SIGKILL)
    thread.join()
    assert error_of(got[0], 503, 'service_unavailable')['type'] == 'api_error'
    assert got[0].headers['Stripe-Should-Retry'] == 'true' and got[0].headers['Retry-After'] == '1'
    answer = got[0]
    while answer.status_code == 503:
        answer = client.post(f'/v1/setup_intents/{intent["id"]}/confirm', form, key='unknown')
    assert answer.json()['error']['code'] == 'processing_error'
    assert [one['id'] for one in client.ok('GET', '/v1/setup_attempts', {'setup_intent': intent['id']})['data']] == [attempt]


def test_an_error_that_the_description_does_not_know_would_be_seen(sandbox, shape):
    status, fields, body = exchange(sandbox, request())
    for bad in (body.replace(b'"error"', b'"fault"'), body.replace(b'"message"', b'"text"'), body.replace(b'"type":', b'"more":1,"type":')):
        with pytest.raises(jsonschema.ValidationError):
            shape((status, fields, bad), 401)
    assert error_of(requests.get(sandbox.api + '/v1/customers', timeout=PATIENCE_S), 401)
