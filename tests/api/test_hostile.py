"""Hostile requests: made at random from the description, and by hand. Never a 500, a hang, or an answer that the
description does not allow; and the next client notices nothing. ONFILE_SEED and ONFILE_REQUESTS change the run."""

import os
import random
import socket
import urllib.parse

import pytest

SEED = int(os.environ.get('ONFILE_SEED', '1'))
REQUESTS = int(os.environ.get('ONFILE_REQUESTS', '400'))
PATIENCE_S = 30  # after which an answer counts as a hang

ODD = ['', ' ', '0', '-1', '1e3', '9' * 30, '0x10', 'NaN', 'null', 'true', 'True', '\u202e\u0000', 'ё' * 300, '😀', '%00', '../..',
       "'; DROP TABLE cards; --", '<script>', '{{7*7}}', 'a\nb', 'a\r\nX: y', 'x' * 6000, '[]', '4242424242424242', '\ufeff', '+7 (800)']


@pytest.fixture(scope='module')
def things(api):
    """Ids of each kind, to be put where they belong and where they do not."""
    customer = api.customer(email='hostile@example.com')
    setup = api.link(customer)
    payment = api.ok('POST', '/v1/payment_intents', {'amount': 10000, 'currency': 'rub', 'customer': customer,
                                                     'payment_method': setup['payment_method'], 'confirm': 'true'})
    return [customer, setup['id'], setup['payment_method'], setup['latest_attempt'], payment['id'], payment['latest_charge'],
            api.setup_intent(customer)['id'], api.events()[0]['id'], setup['client_secret'], 'cus_nobody']


class Maker:
    """Requests from the description, mostly as it says and sometimes not."""

    def __init__(self, document, things, seed):
        self.document = document
        self.things = things
        self.random = random.Random(seed)

    def value(self, schema):
        if self.random.random() < 0.25:
            return self.random.choice(ODD)
        if 'enum' in schema:
            return self.random.choice(schema['enum'])
        kind = schema.get('type')
        if kind == 'integer':
            low, high = schema.get('minimum', 0), schema.get('maximum', 10 ** 6)
            return str(self.random.choice([low, high, low - 1, high + 1, self.random.randint(low, min(high, 100000))]))
        if kind == 'boolean':
            return self.random.choice(['true', 'false'])
        return self.random.choice(self.things + ['rub', 'card', 'https://shop.example/x', 'a@example.com', 'word'])

    def pairs(self, name, schema, depth=0):
        """Yields the pairs of one parameter, with brackets for what is nested."""
        kind = schema.get('type')
        if kind == 'object' and depth < 6 and self.random.random() < 0.9:
            for member, one in schema.get('properties', {}).items():
                if self.random.random() < 0.4:
                    yield from self.pairs(f'{name}[{member}]', one, depth + 1)
            if 'additionalProperties' in schema:
                yield f'{name}[{self.random.choice(["k", "", "x" * 50, "a[b"])}]', self.value({})
        elif kind == 'array' and self.random.random() < 0.9:
            for i in range(self.random.randint(1, 3)):
                yield from self.pairs(name + self.random.choice(['[]', f'[{i}]', '']), schema.get('items', {}), depth + 1)
        else:
            yield name, self.value(schema)

    def request(self):
        path, operations = self.random.choice(sorted(self.document['paths'].items()))
        method, operation = self.random.choice(sorted(operations.items()))
        form = operation.get('requestBody', {}).get('content', {}).get('application/x-www-form-urlencoded', {})
        schemas = dict(form.get('schema', {}).get('properties', {}))
        required = set(form.get('schema', {}).get('required', []))
        for parameter in operation.get('parameters', []):
            if parameter['in'] == 'query':
                schemas[parameter['name']] = parameter['schema']
        pairs = [pair for name, schema in schemas.items()
                 if self.random.random() < (0.95 if name in required else 0.25) for pair in self.pairs(name, schema)]
        if pairs and self.random.random() < 0.1:
            pairs.append(self.random.choice(pairs))
        while '{' in path:
            start, rest = path.split('{', 1)
            one = self.random.choice(self.things) if self.random.random() < 0.8 else self.random.choice(ODD[1:])
            path = start + (urllib.parse.quote(one, safe='') or 'x') + rest.split('}', 1)[1]
        return method.upper(), path, pairs


def test_random_requests_get_an_answer_that_is_described(api, things):
    """400 and 402 are fine, 500 and silence are not; the client holds every answer against the description."""
    maker = Maker(api.description.document, things, SEED)
    statuses = {}
    for number in range(REQUESTS):
        method, path, pairs = maker.request()
        told = f'seed {SEED}, request {number}: {method} {path} {pairs}'
        answer = api(method, path, pairs, timeout=PATIENCE_S)
        assert answer.status_code < 500, f'{told}: {answer.text}'
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert {200, 400, 404} <= set(statuses), f'the requests are too dull: {statuses}'
    assert api.get('/v1/customers').status_code == 200


def exchange(sandbox, data):
    """Sends bytes on a connection of their own; what comes until it is closed or silent for good."""
    with socket.create_connection(('127.0.0.1', sandbox.public), timeout=PATIENCE_S) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        got = b''
        while part := one.recv(65536):
            got += part
        return got


def post(key, body, extra=''):
    return (f'POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{extra}'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


BODIES = {
    'ten thousand parameters': '&'.join(f'k{i}' for i in range(10000)).encode(),
    'ten thousand of one name': b'&'.join([b'name'] * 10000),
    'deep nesting': b'metadata' + b'[a]' * 5000 + b'=x',
    'brackets that do not close': b'metadata' + b'[' * 5000 + b'=x',
    'the same name twice': b'name=a&name=b',
    'a name that is text and object': b'shipping=x&shipping[name]=y',
    'a zero byte': b'name=a%00b',
    'a raw zero byte': b'name=a\x00b',
    'bytes that are no UTF-8': b'name=%ff%fe',
    'raw bytes that are no UTF-8': b'name=\xff\xfe',
    'an overlong encoding': b'name=%c0%af',
    'half a surrogate': b'name=%ed%a0%80',
    'a percent sign and nothing': b'name=%',
    'JSON': b'{"name":"x"}',
    'only ampersands': b'&' * 60000,
    'only equal signs': b'=' * 60000,
}


@pytest.mark.parametrize('body', BODIES.values(), ids=BODIES)
def test_odd_bodies_are_refused_and_the_next_client_notices_nothing(sandbox, merchant, api, body):
    got = exchange(sandbox, post(merchant.secret_key, body))
    assert got.startswith((b'HTTP/1.1 400 ', b'HTTP/1.1 413 ', b'HTTP/1.1 200 ')), got[:200]
    if body not in (BODIES['only ampersands'], BODIES['only equal signs']):
        assert not got.startswith(b'HTTP/1.1 200 '), got[:300]
    assert api.get('/v1/customers', limit=1).status_code == 200


def test_a_slow_sender_holds_nobody_up(sandbox, merchant, api):
    """A request that comes byte by byte, and never ends, beside others that are answered."""
    whole = post(merchant.secret_key, b'name=slow')
    with socket.create_connection(('127.0.0.1', sandbox.public), timeout=PATIENCE_S) as slow:
        for at in range(len(whole) - 1):
            slow.sendall(whole[at:at + 1])
            if at % 20 == 0:
                assert api.get('/v1/customers', limit=1).status_code == 200
        slow.sendall(whole[-1:])
        assert slow.recv(65536).startswith(b'HTTP/1.1 200 ')


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(sandbox, merchant, api):
    whole = post(merchant.secret_key, b'name=gone-in-the-middle')
    for length in (1, 40, len(whole) - 5, len(whole) - 1):
        assert exchange(sandbox, whole[:length])[:12] in (b'', b'HTTP/1.1 400', b'HTTP/1.1 408')
    assert not any(one['name'] == 'gone-in-the-middle' for one in api.ok('GET', '/v1/customers', {'limit': 100})['data'])
