"""Requests made at random from openapi.json, for every route and method, on connections that are kept: each kind of oddity
that a client can send. No 500, no hang, no answer that the description does not allow, and the next client notices nothing.
The seed is printed with what fails; ONFILE_SEED and ONFILE_ROUNDS change the run, `-k` picks a kind and sends the same."""

import json
import os
import random
import re
import socket
import urllib.parse

import pytest

SEED = int(os.environ.get('ONFILE_SEED', '1'))
ROUNDS = int(os.environ.get('ONFILE_ROUNDS', '8'))
LINES = 4          # connections that are written to before the first is read
PATIENCE_S = 30    # after which an answer counts as a hang
STATUSES = {200, 400, 402, 404}
LONG, TOO_LONG = 8000, {413, 414}  # bytes of a request from which on its target or its body may be above the limit

ODD = ['', ' ', '0', '-1', '1e3', '9' * 30, '0x10', 'NaN', 'null', 'true', 'True', '\u202e\u0000', 'ё' * 300, '😀', '%00', '../..',
       "'; DROP TABLE cards; --", '<script>', '{{7*7}}', 'a\nb', 'a\r\nX: y', 'x' * 6000, '[]', '4242424242424242', '\ufeff', '+7 (800)']
TEXTS = ['rub', 'card', 'https://shop.example/x', 'a@example.com', 'word', 'Ёж', 'pm_card_visa', 'tok_visa']


class Answer:
    def __init__(self, status, head, body):
        self.status_code, self.head, self.body = status, head, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        return self.json()['error'] if self.status_code != 200 else {}


class Line:
    """A connection that is kept as long as the server keeps it; requests go out byte for byte as they are given."""

    def __init__(self, port):
        self.port = port
        self.socket = self.file = None

    def send(self, data):
        if self.socket is None:
            self.socket = socket.create_connection(('127.0.0.1', self.port), timeout=PATIENCE_S)
            self.file = self.socket.makefile('rb')
        self.socket.sendall(data)

    def receive(self):
        status = int(self.file.readline().split()[1])
        head = {}
        while line := self.file.readline().strip():
            name, value = line.decode().split(':', 1)
            head[name.lower()] = value.strip()
        answer = Answer(status, head, self.file.read(int(head['content-length'])))
        if head.get('connection') == 'close':
            self.close()
        return answer

    def close(self):
        if self.socket:
            self.file.close()
            self.socket.close()
        self.socket = None


class Route:
    """A call of the description, with the parameters that it takes, flat: name and schema."""

    def __init__(self, path, method, operation):
        self.path, self.method = path, method
        form = operation.get('requestBody', {}).get('content', {}).get('application/x-www-form-urlencoded', {}).get('schema', {})
        self.leaves = [leaf for name, schema in form.get('properties', {}).items() for leaf in leaves(name, schema)]
        self.leaves += [(one['name'], one['schema']) for one in operation.get('parameters', []) if one['in'] == 'query']
        self.leaves = [(name.replace('[]', '[0]'), schema.get('items', schema)) for name, schema in self.leaves]
        self.required = set(form.get('required', [])) | {one['name'] for one in operation['parameters'] if one.get('required')}

    def of_type(self, *types):
        return [(name, schema) for name, schema in self.leaves if schema.get('type') in types and 'enum' not in schema]


def leaves(name, schema):
    if 'additionalProperties' in schema:
        yield name, schema
    elif schema.get('properties'):
        for member, one in schema['properties'].items():
            yield from leaves(f'{name}[{member}]', one)
    elif schema.get('type') == 'array':
        yield from leaves(name + '[0]', schema['items'])
    else:
        yield name, schema


class Maker:
    """Makes requests of one kind. What a kind returns: pairs, and the parameter that the refusal has to name (None: it may
    be anything that the description allows, except a complaint about parameters where `fine`)."""

    def __init__(self, seed, things):
        self.random = random.Random(seed)
        self.things = things

    def some(self, choices):
        return self.random.choice(list(choices))

    def fitting(self, schema):
        if 'enum' in schema:
            return self.some([one for one in schema['enum'] if one] or [''])
        kind = schema.get('type')
        if kind == 'integer':
            return str(self.random.randint(schema.get('minimum', 0), min(schema.get('maximum', 10 ** 9), 10 ** 9)))
        if kind == 'boolean':
            return self.some(['true', 'false', 'True', 'False'])
        return self.some(list(self.things.values()) + TEXTS)[:schema.get('maxLength', 5000)]

    def valid(self, route, share=0.2):
        """Pairs of which each by itself is as described, without what `expand` and the cursors would need to know."""
        pairs = []
        for name, schema in route.leaves:
            place = re.split(r'[\[]', name)[0]
            wanted = 0.97 if place in route.required else 0 if place in ('expand', 'starting_after', 'ending_before', 'client_secret') else share
            if self.random.random() >= wanted:
                continue
            if 'additionalProperties' in schema:
                pairs.append((f'{name}[{self.some(["order", "ключ", "a b"])}]', self.some(TEXTS)))
            else:
                pairs.append((name, self.fitting(schema)))
        return pairs

    def required(self, route):
        return [(name, self.fitting(schema)) for name, schema in route.leaves if name in route.required]

    def put(self, route, name, *values):
        """The pairs that are needed, with these values of one name instead of what it had."""
        return [pair for pair in self.required(route) if pair[0] != name] + [(name, value) for value in values]

    # --- the kinds

    def as_described(self, route):
        return self.valid(route), None

    def wrong_type(self, route):
        found = [one for one in route.leaves if one[1].get('type') in ('integer', 'boolean') or 'enum' in one[1]]
        if not found:
            return self.valid(route), None
        name, _ = self.some(found)
        return self.put(route, name, self.some(['yes', 'tru', '1.0', '1e3', ' 1', '1 ', '+1', '0x1', '١', 'null', '[]', 'never so'])), name

    def at_the_limits(self, route):
        found = [one for one in route.leaves if {'minimum', 'maximum', 'maxLength'} & set(one[1])]
        name, schema = self.some(found)
        if schema['type'] == 'string':
            letter = 'ё' if route.method == 'POST' else 'x'
            beyond = self.random.random() < 0.7
            if not beyond and schema['maxLength'] == 0:
                return self.put(route, name, ''), None
            return self.put(route, name, letter * (schema['maxLength'] + beyond)), name if beyond else None
        low, high = schema['minimum'], schema.get('maximum', 2 ** 63 - 1)
        value = self.some([low - 1, high + 1, low, high])
        return self.put(route, name, str(value)), None if low <= value <= high else name

    def unknown(self, route):
        name = self.some(['nonsense', 'Amount', 'amount ', 'customer.', 'id', '__proto__', 'metadata[', 'metadata]', '[]', '[a]', 'expand[a]',
                          'expand', 'constructor[prototype]', 'ё', '%', 'limit[]'])
        return self.put(route, name, 'x'), name

    def twice(self, route):
        found = [one for one in route.leaves if '[0]' not in one[0] and 'additionalProperties' not in one[1]] or [('expand[0]', {})]
        name, schema = self.some(found)
        if name == 'expand[0]':
            return [], None
        value = self.fitting(schema)
        return self.put(route, name, value, value), name

    def unset(self, route):
        return [(name, '') if self.random.random() < 0.3 else (name, value) for name, value in self.valid(route, 0.4)], None

    def deeper(self, route):
        name, schema = self.some(route.leaves)
        name += self.some(['[x]', '[x][y]', '[]', '[0][x]', '[x]' * 200, '[', '[]]', '[[x]]'])
        return self.put(route, name, 'x'), name if schema.get('type') in ('integer', 'boolean') else None

    def gaps(self, route):
        name = self.some([one[0] for one in route.leaves if '[0]' in one[0]] or ['expand[0]'])
        value = self.some(TEXTS)
        places = self.some([(0, 2), (2, 0), (5,), (0, 0), (999,), (0, 1000), (0, -1), (0, '00'), (0, 10 ** 30)])
        return self.required(route) + [(name.replace('[0]', f'[{place}]', 1), value) for place in places], None

    def mixed(self, route):
        name = self.some([one[0] for one in route.leaves if '[0]' in one[0]] or ['expand[0]']).split('[0]')[0]
        return self.required(route) + [(name + '[x]', 'x'), (name + '[]', 'card')], None

    def many(self, route):
        name = self.some([one[0] for one in route.leaves if '[0]' in one[0]] + ['k']).split('[0]')[0]
        few = self.some(['abc', [name, name + '[]', name + '[7]', 'metadata[k]', 'x' * 40]])  # 20 kB, or too long for a body
        return [(name, '') for name in self.random.choices(few, k=10000)], 'anything'

    def zero(self, route):
        name, _ = self.some(route.leaves)
        return self.put(route, *self.some([(name, b'a%00b'), (name, b'%00'), (name, b'a\x00b'), (name.encode() + b'%00', 'x')])), 'anything'

    def not_utf8(self, route):
        name, _ = self.some(route.leaves)
        broken = self.some([b'%ff%fe', b'\xff', b'%c0%af', b'%ed%a0%80', b'%f4%90%80%80', b'%d1', b'\xd1x', b'%e2%82'])
        return self.put(route, *self.some([(name, broken), (broken, 'x')])), 'anything'

    def halves(self, route):
        name, _ = self.some(route.leaves)
        broken = self.some([b'%', b'%4', b'%zz', b'100%', b'%%41', b'%u0041', b'% 41'])
        return self.put(route, *self.some([(name, broken), (broken, 'x')])), 'anything'

    def giants(self, route):
        found = route.of_type('integer')
        if not found:
            return self.valid(route), None
        name, _ = self.some(found)
        return self.put(route, name, self.some([str(2 ** 63), str(-2 ** 63), str(2 ** 64), '9' * 300, '-' + '9' * 40, '0' * 400 + '1' * 20, '--1'])), name

    def ids(self, route):
        """Ids of any kind wherever a text goes."""
        texts = dict(route.of_type('string'))
        return [(name, self.some(self.things.values()) if name in texts else value) for name, value in self.valid(route, 0.5)], None

    def expand(self, route):
        words = self.some([FIELDS, sorted(self.things) + FIELDS])
        depth = self.random.randint(1, 5)
        paths = ['.'.join(self.some(words) for _ in range(depth)) for _ in range(self.random.randint(1, 3))]
        paths = [f'data.{path}' if self.random.random() < 0.4 else path for path in paths]
        deep = any(path.count('.') > 3 for path in paths)
        return self.required(route) + [(f'expand[{i}]', path) for i, path in enumerate(paths)], 'expand' if deep else None

    def soup(self, route):
        """All of it at once."""
        pairs = []
        for name, schema in route.leaves:
            if self.random.random() < (0.9 if name in route.required else 0.25):
                pairs.append((name, self.some(ODD) if self.random.random() < 0.25 else self.fitting(schema)))
        if pairs and self.random.random() < 0.2:
            pairs.append(self.some(pairs))
        self.random.shuffle(pairs)
        return pairs, None


KINDS = [name for name, one in vars(Maker).items()
         if callable(one) and name not in ('__init__', 'some', 'fitting', 'valid', 'required', 'put')]
FIELDS = ['customer', 'payment_method', 'latest_charge', 'latest_attempt', 'payment_intent', 'setup_intent', 'charge', 'refunds', 'default_source',
          'invoice_settings', 'default_payment_method', 'balance_transaction', 'on_behalf_of', 'data', 'id', 'metadata', 'line_items', 'mandate']


def quoted(text):
    return text if isinstance(text, bytes) else urllib.parse.quote(text, safe='[]').encode()


def written(route, path, pairs, key):
    """The request as it goes over the line."""
    form = b'&'.join(quoted(name) + b'=' + quoted(value) for name, value in pairs)
    target = path.encode() + (b'?' + form if form and route.method != 'POST' else b'')
    head = b'%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n' % (route.method.encode(), target, key.encode())
    if route.method != 'POST':
        return head + b'\r\n'
    return head + b'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s' % (len(form), form)


@pytest.fixture(scope='module')
def routes(api):
    made = [Route(path, method.upper(), operation) for path, operations in api.description.document['paths'].items()
            for method, operation in operations.items()]
    assert len(made) > 45 and sum(len(route.leaves) for route in made) > 500
    return made


@pytest.fixture
def things(api):
    """One thing of every kind by the word of its path, new for each kind of request: some are used up."""
    customer = api.customer(email='random@example.com')
    card = api.ok('POST', '/v1/payment_methods/pm_card_visa/attach', {'customer': customer})['id']
    paid = api.ok('POST', '/v1/payment_intents', {'amount': 1000, 'currency': 'rub', 'customer': customer, 'payment_method': card, 'confirm': 'true'})
    session = api.ok('POST', '/v1/checkout/sessions', {'mode': 'setup', 'customer': customer, 'success_url': 'https://shop.example/'})
    endpoint = api.ok('POST', '/v1/webhook_endpoints', {'url': 'https://shop.example/hook', 'enabled_events[]': 'account.updated'})
    yield {'customers': customer, 'payment_methods': card, 'setup_intents': api.setup_intent(customer)['id'], 'payment_intents': paid['id'],
           'charges': paid['latest_charge'], 'sessions': session['id'], 'events': api.events()[0]['id'], 'webhook_endpoints': endpoint['id'],
           'refunds': api.ok('POST', '/v1/refunds', {'payment_intent': paid['id'], 'amount': 100})['id'], 'card_links': '0000-0000'}
    api('DELETE', f'/v1/webhook_endpoints/{endpoint["id"]}')


@pytest.fixture(scope='module')
def sentinel(api):
    """A customer whose answer has to stay what it is."""
    path = f'/v1/customers/{api.customer(name="Sentinel")}'
    return path, api.get(path).text


def filled(path, things, maker):
    """The path with an id for each place: mostly of the kind that belongs there."""
    def one(found):
        right = things[found[1]] if maker.random.random() < 0.8 else maker.some(list(things.values()) + ODD[1:])
        return f'{found[1]}/{urllib.parse.quote(right, safe="")}'
    return re.sub(r'(\w+)/\{\w+\}', one, path)


def judge(api, kind, route, path, told, answer, named, size):
    assert answer.status_code in STATUSES | (TOO_LONG if size > LONG else set()), f'{told}: {answer.status_code} {answer.body[:300]}'
    api.description.check(route.method, path, answer)
    error = answer.error()
    assert answer.head['content-type'] == 'application/json' and answer.head['request-id'].startswith('req_'), told
    if named:
        assert answer.status_code in {400} | TOO_LONG, f'{told}: taken with {answer.status_code}'
    if named and named != 'anything':
        shown = ''.join(c if ' ' <= c < '\x7f' else '?' for b in named.encode() for c in chr(b))
        assert error.get('param', '').rstrip('.')[:100] == shown[:len(error['param'].rstrip('.'))][:100] != '', f'{told}: {error}'
    if kind == 'as_described':
        assert error.get('code') not in ('parameter_unknown', 'parameter_invalid_empty', 'parameter_invalid_integer'), f'{told}: {error}'


@pytest.mark.parametrize('kind', KINDS)
def test_random_requests(sandbox, merchant, api, routes, things, sentinel, kind):
    maker = Maker(f'{SEED} {kind}', things)
    lines = [Line(sandbox.public) for _ in range(LINES)]
    work = [route for route in routes for _ in range(ROUNDS if kind != 'many' else 1)]
    maker.random.shuffle(work)
    statuses = {}
    for start in range(0, len(work), LINES):
        sent = []
        for route, line in zip(work[start:], lines):
            path = filled(route.path, things, maker)
            pairs, named = getattr(maker, kind)(route)
            told = f'seed {SEED}, {kind}: {route.method} {path[:200]} {str(pairs)[:400]}'
            data = written(route, path, pairs, merchant.secret_key)
            line.send(data)
            sent.append((line, route, path, told, named, len(data)))
        for line, route, path, told, named, size in sent:
            answer = line.receive()
            judge(api, kind, route, path, told, answer, named, size)
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        if start % (8 * LINES) == 0:
            assert api.get(sentinel[0]).text == sentinel[1]
    for line in lines:
        line.close()
    assert api.get(sentinel[0]).text == sentinel[1]
    if kind == 'as_described':
        assert statuses[200] > len(work) // 4, f'the requests are too dull: {statuses}'
