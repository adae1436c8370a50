"""Several merchants on one server: what one has is, for another, as unknown as what nobody has."""

import re

import pytest

from calls import REFUSED, Client, error_of
from running import ROOT

ROUTES = re.findall(r'^API_ROUTE\("(\w+)", "([^"]+)", (\S+), (\w+), (\w+),',
                    (ROOT / 'src/proc/core/routes.def').read_text(), re.M)
LISTS = [path for method, path, flags, *_ in ROUTES if 'API_LIST' in flags]

# What a call needs besides, so that its answer is about the id.
NEEDS = {
    'POST /v1/payment_methods': {'type': 'card'},
    'POST /v1/payment_intents': {'amount': 100, 'currency': 'rub'},
    'POST /v1/checkout/sessions': {'mode': 'setup', 'success_url': 'https://shop.example/done'},
    'POST /v1/webhook_endpoints': {'url': 'https://shop.example/hook', 'enabled_events[]': '*'},
}

# The parameters that name an object, and whose ids they take.
NAMING = {'customer': 'customer', 'payment_method': 'card', 'payment_intent': 'payment',
          'charge': 'charge', 'setup_intent': 'setup',
          'invoice_settings[default_payment_method]': 'card'}


def everything_of(api):
    """An object of each kind, by the names that NAMING uses."""
    customer = api.customer(email='somebody@example.com')
    setup = api.link(customer)
    failed = api.setup_intent(customer)
    reference = error_of(api.confirm(failed, REFUSED), 402)['advice']['reference']
    payment = api.ok('POST', '/v1/payment_intents', {
        'amount': 1000, 'currency': 'rub', 'customer': customer, 'confirm': 'true',
        'payment_method': setup['payment_method'], 'off_session': 'true'})
    refund = api.ok('POST', '/v1/refunds', {'payment_intent': payment['id'], 'amount': 100})
    session = api.ok('POST', '/v1/checkout/sessions', {
        'mode': 'setup', 'customer': customer, 'success_url': 'https://shop.example/done'})
    hook = api.ok('POST', '/v1/webhook_endpoints',
                  {'url': 'https://shop.example/hook', 'enabled_events[]': 'customer.created'})
    return {'customer': customer, 'card': setup['payment_method'], 'setup': setup['id'],
            'attempt': setup['latest_attempt'], 'payment': payment['id'],
            'charge': payment['latest_charge'], 'refund': refund['id'], 'session': session['id'],
            'hook': hook['id'], 'event': api.events()[0]['id'], 'reference': reference}


@pytest.fixture(scope='module')
def mine(api):
    return everything_of(api)


@pytest.fixture(scope='module')
def theirs(other):
    return everything_of(other)


def own_path(path, own):
    """The path with an own object in place of each id."""
    kinds = {'customers': 'customer', 'payment_methods': 'card', 'setup_intents': 'setup',
             'payment_intents': 'payment', 'charges': 'charge', 'refunds': 'refund',
             'sessions': 'session', 'events': 'event', 'webhook_endpoints': 'hook',
             'card_links': 'reference'}
    return re.sub(r'(\w+)/:id', lambda m: f'{m[1]}/{own[kinds[m[1]]]}', path)


def unknown(one):
    """An id of the same kind that nobody has."""
    return one[:-1] + ('0' if one[-1] != '0' else '1')


def answer(api, method, path, data, shown):
    got = api(method, path, data)
    return got.status_code, got.text.replace(shown, 'ID')


def same(api, method, path, data, one):
    """The answer to somebody else's id, which has to be the one to an unknown id."""
    def asked(what):
        return answer(api, method, path.replace('{id}', what),
                      {k: what if v == '{id}' else v for k, v in data.items()}, what)

    got = asked(one)
    assert got == asked(unknown(one)), f'{method} {path} {data} tells {one} from an unknown id'
    return got[0]


def with_ids():
    return [(method, path) for method, path, *_ in ROUTES if ':id' in path]


@pytest.mark.parametrize('method,path', with_ids(), ids=' '.join)
def test_every_id_in_every_path_is_unknown_to_another_merchant(other, mine, theirs, method, path):
    count = path.count(':id')
    for place in range(count):
        for one in mine.values():
            words = path.split(':id')
            filled = ''.join(word + ('' if i == count else '{id}' if i == place else ':id')
                             for i, word in enumerate(words))
            filled = own_path(filled, theirs) if ':id' in filled else filled
            needs = NEEDS.get(f'{method} {path}', {})
            if path.endswith('/attach'):
                needs = {'customer': theirs['customer']}
            assert same(other, method, filled, needs, one) == 404


def naming_calls():
    """Every call with every parameter that names an object and that the call knows."""
    for method, path, *_ in ROUTES:
        for param in NAMING:
            yield method, path, param


def test_every_parameter_that_names_an_object_knows_only_ones_own(other, mine, theirs):
    looked_at = set()
    for method, path, param in naming_calls():
        if method == 'DELETE' or path.endswith(('/cancel', '/expire', '/detach')):
            continue  # they name nothing, and would end what the next call needs
        data = dict(NEEDS.get(f'{method} {path}', {}), **{param: '{id}'})
        if path.endswith('/attach') and param != 'customer':
            continue
        if path == '/v1/payment_methods' and method == 'POST':
            continue
        url = own_path(path, theirs)
        one = mine[NAMING[param]]
        status = same(other, method, url, data, one)
        assert status in (400, 404), f'{method} {path} takes {param} of another merchant'
        if status == 404:
            looked_at.add((path, param))
    assert ('/v1/payment_intents', 'customer') in looked_at
    assert ('/v1/refunds', 'charge') in looked_at
    assert len(looked_at) >= 15


@pytest.mark.parametrize('path', LISTS)
@pytest.mark.parametrize('cursor', ['starting_after', 'ending_before'])
def test_a_list_does_not_go_on_from_another_merchants_object(other, mine, theirs, path, cursor):
    needs = {'/v1/payment_methods': {'customer': theirs['customer']},
             '/v1/setup_attempts': {'setup_intent': theirs['setup']}}.get(path, {})
    for one in mine.values():
        assert same(other, 'GET', own_path(path, theirs), dict(needs, **{cursor: '{id}'}), one) == 404


def test_lists_show_ones_own_only(api, other, mine, theirs):
    for path in LISTS:
        needs = {'/v1/payment_methods': 'customer', '/v1/setup_attempts': 'setup_intent'}.get(path)
        for who, own, foreign in ((api, mine, theirs), (other, theirs, mine)):
            data = {needs: own[NAMING[needs]]} if needs else {}
            text = who('GET', own_path(path, own), dict(data, limit=100)).text
            assert any(one in text for one in own.values()), path
            assert not any(one in text for one in foreign.values()), path


def test_a_client_secret_is_of_no_use_with_another_merchants_key(sandbox, other_merchant, api):
    secret = api.setup_intent(api.customer())
    stranger = Client(sandbox, other_merchant.publishable_key)
    error_of(stranger.get(f'/v1/setup_intents/{secret["id"]}', client_secret=secret['client_secret']),
             404, 'resource_missing')


def test_two_merchants_cannot_find_out_that_they_have_the_same_card(api, other, mine, theirs):
    def fingerprint(who, own):
        return who.ok('GET', f'/v1/payment_methods/{own["card"]}')['card']['fingerprint']

    again = api.link(api.customer())['payment_method']
    assert fingerprint(api, mine) == fingerprint(api, {'card': again})
    assert fingerprint(api, mine) != fingerprint(other, theirs)


def test_the_same_idempotency_key_is_another_key_for_another_merchant(api, other):
    first = api.post('/v1/customers', {'name': 'A'}, key='one-for-all')
    second = other.post('/v1/customers', {'name': 'B'}, key='one-for-all')
    assert first.json()['name'] == 'A' and second.json()['name'] == 'B'
