"""`expand`, walked along the description: every object says what can be expanded in it (x-expandable), and each of these paths is
followed to its fourth level, in every call that answers with an object or a list. tests/clients holds the description against
the types of the official client."""

import itertools
import re

import pytest

from calls import GOOD, error_of

LEVELS = 4
AT_ONCE = 20  # as many as one request may name


@pytest.fixture(scope='module')
def schemas(api):
    return api.description.document['components']['schemas']


@pytest.fixture(scope='module')
def story(api):
    """One thing of every kind, with all that it can refer to; by the name of its object."""
    customer = api.customer(email='expand@example.com', name='Anna')
    setup = api.link(customer, GOOD)
    card = setup['payment_method']
    paid = api.ok('POST', '/v1/payment_intents', {'amount': 1000, 'currency': 'rub', 'customer': customer, 'payment_method': card, 'confirm': 'true'})
    refund = api.ok('POST', '/v1/refunds', {'payment_intent': paid['id'], 'amount': 100})
    sale = {'line_items[0][price_data][currency]': 'rub', 'line_items[0][price_data][unit_amount]': 700, 'line_items[0][quantity]': 2,
            'line_items[0][price_data][product_data][name]': 'Чай', 'line_items[2][price_data][currency]': 'rub', 'line_items[2][quantity]': 1,
            'line_items[2][price_data][unit_amount]': 50, 'line_items[2][price_data][product_data][name]': 'Mug'}
    session = api.ok('POST', '/v1/checkout/sessions', {'mode': 'payment', 'customer': customer, 'success_url': 'https://shop.example/', **sale})
    return {'customer': customer, 'payment_method': card, 'setup_intent': setup['id'], 'payment_intent': paid['id'],
            'charge': paid['latest_charge'], 'refund': refund['id'], 'checkout.session': session['id'], 'sale': sale}


def ways(schemas, kind, levels=LEVELS, followed=True):
    """Every path below an object of this kind, with the kind that stands at its end (None: nothing is ever there)."""
    for name, to in schemas[kind].get('x-expandable', {}).items():
        name += '.data' if to['list'] and followed else ''
        left = levels - name.count('.') - 1
        if left < 0:
            continue
        yield name, to['object']
        if to['object']:
            yield from ((f'{name}.{more}', end) for more, end in ways(schemas, to['object'], left))


def at(thing, path):
    """What stands at the end of a path: a list of values, empty when something on the way is null or not there."""
    values = [thing]
    for word in path.split('.'):
        values = [one.get(word) for one in values if isinstance(one, dict)]
        values = [one for value in values for one in (value if isinstance(value, list) else [value]) if one is not None]
    return values


def is_expanded(thing, path, end):
    """Nothing there, or the whole object: never an id."""
    values = at(thing, path)
    assert all(isinstance(one, dict) for one in values), f'{path} is not expanded: {values}'
    assert all(one['object'] == end or one.get('deleted') for one in values if end), f'{path} is no {end}: {values}'
    return bool(values)


def ids_only(schemas, kind, thing, but=()):
    """What was not asked for stays an id."""
    for name, to in schemas[kind]['x-expandable'].items():
        if name not in but:
            assert not any(isinstance(one, dict) for one in at(thing, name)), f'{name} was not asked for'


PATHS = {'customer': '/v1/customers', 'payment_method': '/v1/payment_methods', 'setup_intent': '/v1/setup_intents',
         'payment_intent': '/v1/payment_intents', 'charge': '/v1/charges', 'refund': '/v1/refunds', 'checkout.session': '/v1/checkout/sessions'}


@pytest.mark.parametrize('kind', PATHS)
def test_every_way_to_the_fourth_level(api, schemas, story, kind):
    path = f'{PATHS[kind]}/{story[kind]}'
    full = set()
    for way, end in ways(schemas, kind):
        thing = api.ok('GET', path, {'expand[]': way})
        if is_expanded(thing, way, end):
            full.add(way)
        ids_only(schemas, kind, thing, but=[name for name in schemas[kind]['x-expandable'] if (way + '.').startswith(name + '.')])
    there = {way for way, end in ways(schemas, kind) if end and way.count('.') == 0}
    assert there - full <= {'setup_intent', 'latest_attempt'}, 'too little is there for the test to mean anything'
    assert kind == 'customer' or max(way.count('.') for way in full) >= 2


LISTS = ['/v1/customers', '/v1/customers/CUSTOMER/payment_methods', '/v1/payment_methods?customer=CUSTOMER', '/v1/setup_intents',
         '/v1/setup_attempts?setup_intent=SETUP_INTENT', '/v1/payment_intents', '/v1/refunds', '/v1/charges/CHARGE/refunds', '/v1/charges',
         '/v1/checkout/sessions']


def list_path(story, path):
    return re.sub('[A-Z_]{3,}', lambda found: story[found[0].lower()], path)


@pytest.mark.parametrize('path', LISTS)
def test_lists_behind_data(api, schemas, story, path):
    path = list_path(story, path)
    _, operation = api.description.operation('GET', path.split('?')[0])
    kind, seen = operation['x-object'], 0
    for way, end in ways(schemas, kind, LEVELS - 1):
        answer = api.ok('GET', path + ('&' if '?' in path else '?') + f'limit=3&expand[]=data.{way}')
        for thing in answer['data']:
            seen += is_expanded(thing, way, end)
            ids_only(schemas, kind, thing, but=[name for name in schemas[kind]['x-expandable'] if (way + '.').startswith(name + '.')])
    assert seen


def test_no_list_is_forgotten(api, story):
    """Events have nothing to expand, webhook endpoints neither."""
    lists = {path for path, operations in api.description.document['paths'].items()
             if any(one['name'] == 'limit' for one in operations.get('get', {}).get('parameters', []))}
    walked = {api.description.operation('GET', list_path(story, path).split('?')[0])[0] for path in LISTS}
    assert lists - walked == {'/v1/events', '/v1/webhook_endpoints'}


def changes(api, story):
    """A call of every route that answers a change with an object."""
    customer, card = story['customer'], story['payment_method']
    paying = {'amount': 500, 'currency': 'rub', 'customer': customer, 'payment_method': card}

    def payment(**more):
        return '/v1/payment_intents/' + api.ok('POST', '/v1/payment_intents', {**paying, **more})['id']

    def setup():
        return '/v1/setup_intents/' + api.setup_intent(customer, payment_method=card)['id']

    def unattached():
        return '/v1/payment_methods/' + api.ok('POST', '/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'})['id']
    own = api.customer()
    token = api.ok('POST', '/v1/payment_methods/pm_card_visa/attach', {'customer': own})['id']
    session = {'mode': 'payment', 'customer': customer, 'success_url': 'https://shop.example/', **story['sale']}
    yield '/v1/customers', {'payment_method': 'pm_card_visa', 'invoice_settings[default_payment_method]': 'pm_card_visa'}
    yield f'/v1/customers/{customer}', {'name': 'Anna', 'invoice_settings[default_payment_method]': card}
    yield '/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'}
    yield f'/v1/payment_methods/{card}', {'metadata[a]': 'b'}
    yield f'{unattached()}/attach', {'customer': customer}
    yield f'/v1/payment_methods/{token}/detach', {}
    yield '/v1/setup_intents', {'customer': customer, 'payment_method': card}
    yield setup(), {'metadata[a]': 'b'}
    yield f'{setup()}/confirm', {}
    yield f'{setup()}/cancel', {}
    yield '/v1/payment_intents', {**paying, 'confirm': 'true'}
    yield payment(), {'metadata[a]': 'b'}
    yield f'{payment()}/confirm', {}
    yield f'{payment()}/cancel', {}
    yield f'{payment(capture_method="manual", confirm="true")}/capture', {}
    yield '/v1/refunds', {'payment_intent': story['payment_intent'], 'amount': 10}
    yield f'/v1/refunds/{story["refund"]}', {'metadata[a]': 'b'}
    yield '/v1/checkout/sessions', session
    yield f'/v1/checkout/sessions/{api.ok("POST", "/v1/checkout/sessions", session)["id"]}/expire', {}
    yield '/v1/billing_portal/sessions', {'customer': customer}
    yield '/v1/customer_sessions', {'customer': customer, 'components[customer_sheet][enabled]': 'true'}


def test_what_a_change_answers_is_expanded(api, schemas, story):
    called = set()
    for path, form in changes(api, story):
        name, operation = api.description.operation('POST', path)
        called.add(name)
        some = list(itertools.islice(ways(schemas, operation['x-object']), AT_ONCE))
        thing = api.ok('POST', path, {**form, **{f'expand[{i}]': way for i, (way, _) in enumerate(some)}})
        full = [way for way, end in some if is_expanded(thing, way, end)]
        assert full or path.endswith(('payment_methods', 'detach')), path
        for way, end in some:  # and what nothing is known of is null, not an error
            assert end or not at(thing, way) or way.startswith(('sources', 'subscriptions', 'tax_ids', 'line_items', 'configuration')), way
    routes = {path for path, operations in api.description.document['paths'].items() if 'post' in operations}
    assert routes - called == {'/v1/webhook_endpoints', '/v1/webhook_endpoints/{id}'}


def test_what_a_session_sells(api, story):
    session = api.ok('GET', f'/v1/checkout/sessions/{story["checkout.session"]}', {'expand[]': 'line_items'})
    items = session['line_items']
    assert items['url'] == f'/v1/checkout/sessions/{session["id"]}/line_items' and items['has_more'] is False
    assert [(one['description'], one['quantity'], one['amount_total'], one['currency']) for one in items['data']] == [
        ('Чай', 2, 1400, 'rub'), ('Mug', 1, 50, 'rub')]
    assert session['amount_total'] == 1450 and len({one['id'] for one in items['data']}) == 2


@pytest.mark.parametrize('more, param', [
    ({'line_items[][quantity]': 1, 'line_items[][price_data][currency]': 'rub', 'line_items[][price_data][unit_amount]': 5,
      'line_items[][price_data][product_data][name]': 'x'}, 'line_items'),
    ({'line_items[02][quantity]': 1}, 'line_items[02][quantity]'), ({'line_items[7][quantity]': 1}, 'line_items[7][price_data][currency]')])
def test_no_line_of_a_sale_is_left_out(api, story, more, param):
    error_of(api.post('/v1/checkout/sessions', {'mode': 'payment', 'success_url': 'https://shop.example/', **story['sale'], **more}), 400, param=param)


def test_what_a_customer_never_has_is_empty(api, story):
    customer = api.ok('GET', f'/v1/customers/{story["customer"]}',
                      {f'expand[{i}]': name for i, name in enumerate(('sources', 'subscriptions', 'tax_ids', 'cash_balance', 'tax'))})
    for name in ('sources', 'subscriptions', 'tax_ids'):
        assert customer[name] == {'object': 'list', 'data': [], 'has_more': False, 'url': f'/v1/customers/{story["customer"]}/{name}'}
    assert customer['cash_balance'] is None
    assert 'sources' not in api.ok('GET', f'/v1/customers/{story["customer"]}')


@pytest.mark.parametrize('kind', PATHS)
def test_a_fifth_level_and_what_cannot_be_expanded(api, schemas, story, kind):
    path = f'{PATHS[kind]}/{story[kind]}'
    deep = [way for way, _ in ways(schemas, kind, LEVELS + 1) if way.count('.') == LEVELS]
    assert deep or kind == 'customer'
    plain = [name for name in schemas[kind]['properties'] if name not in schemas[kind]['x-expandable']]
    for way in [*deep[:40], 'a.b.c.d.e', *plain, 'nonsense', 'customer.', '.customer', 'data', 'customer.nonsense', 'customer.id', 'refunds.charge']:
        error = error_of(api.get(path, **{'expand[]': way}), 400, param='expand')
        assert way in error['message'] and error['type'] == 'invalid_request_error'
    for name, to in schemas[kind]['x-expandable'].items():
        error_of(api.get(path, **{'expand[]': f'data.{name}'}), 400, param='expand')
        if to['object']:
            error_of(api.get(path, **{'expand[]': f'{name}.nonsense'}), 400, param='expand')


@pytest.mark.parametrize('path', LISTS)
def test_lists_without_data(api, schemas, story, path):
    path = list_path(story, path)
    _, operation = api.description.operation('GET', path.split('?')[0])
    ask = path + ('&' if '?' in path else '?') + 'expand[]='
    for name in schemas[operation['x-object']]['x-expandable']:
        error = error_of(api('GET', ask + name), 400, param='expand')
        assert f"'data.{name}'" in error['message'] or name.count('.') > 2
    deep = [way for way, _ in ways(schemas, operation['x-object']) if way.count('.') == LEVELS - 1]
    for way in ['data', 'data.', 'data.nonsense', 'has_more', *[f'data.{way}' for way in deep[:20]]]:
        error_of(api('GET', ask + way), 400, param='expand')


def test_what_is_no_object_of_the_description_has_nothing_to_expand(api):
    for path in ('/v1/card_keys', '/v1/events', f'/v1/events/{api.events()[0]["id"]}', '/v1/webhook_endpoints'):
        for way in ('customer', 'data', 'data.object', 'data.data.object.customer'):
            error_of(api.get(path, **{'expand[]': way}), 400, param='expand')
