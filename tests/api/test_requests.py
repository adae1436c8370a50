"""What every call has in common: keys, routes, forms, parameters, errors."""

import base64

import pytest
import requests
from calls import Client, error_of


def test_no_key_and_wrong_keys_are_401(sandbox, api):
    for header in (None, 'Bearer sk_test_wrong', 'Bearer ', 'Digest x', 'Basic !!!',
                   'Basic ' + base64.b64encode(b':').decode()):
        answer = api('GET', '/v1/customers', headers={'Authorization': header})
        error = error_of(answer, 401)
        assert error['type'] == 'invalid_request_error'
        assert answer.headers['WWW-Authenticate'] == 'Bearer realm="onfile"'
    assert api.key not in api('GET', '/v1/customers',
                              headers={'Authorization': f'Bearer {api.key}x'}).text


def test_basic_authentication_with_the_key_as_user(api):
    basic = base64.b64encode(f'{api.key}:'.encode()).decode()
    assert api('GET', '/v1/customers', headers={'Authorization': f'Basic {basic}'}).status_code == 200


def test_a_publishable_key_may_do_little(browser_api):
    for method, path in (('GET', '/v1/customers'), ('POST', '/v1/customers'), ('POST', '/v1/setup_intents'),
                         ('GET', '/v1/events'), ('POST', '/v1/payment_intents'), ('GET', '/v1/charges')):
        error_of(browser_api(method, path), 403, 'secret_key_required')
    assert browser_api.get('/v1/card_keys').status_code == 200


def test_unknown_routes_are_404_and_say_so(api):
    for path in ('/v1/nonsense', '/v1/', '/', '/v2/core/events', '/v1/customers/x/y/z', '/v1/customers/'):
        error_of(api.get(path), 404)
    for path in ('/v1/balance_transactions', '/v1/account', '/v1/disputes', '/v1/subscriptions', '/v1/invoices'):
        assert 'does not have' in error_of(api.post(path), 404)['message']


def test_a_wrong_method_is_405_and_names_those_that_there_are(api):
    answer = api('DELETE', '/v1/customers')
    error_of(answer, 405)
    assert sorted(answer.headers['Allow'].split(', ')) == ['GET', 'POST']
    error_of(api.post('/v1/events'), 405)


def test_an_account_of_another_is_refused_by_name(api):
    """Answered as if the header were not there, a platform's call would touch the platform's own money."""
    mail = 'of-another-account@example.com'
    for header in ('Stripe-Account', 'Stripe-Context'):
        answer = api.post('/v1/customers', {'email': mail}, headers={header: 'acct_1'})
        assert header in error_of(answer, 400)['message']
        error_of(api('GET', '/v1/customers', headers={header: 'acct_1'}), 400)
    assert api.ok('GET', '/v1/customers', {'email': mail})['data'] == []
    assert api('GET', '/v1/customers', headers={'Stripe-Account': ''}).status_code == 200


def test_search_is_no_id(sandbox, api):
    for kind in ('customers', 'payment_intents', 'charges'):
        answer = requests.get(f'{sandbox.api}/v1/{kind}/search', {'query': "email:'a'"}, auth=(api.key, ''))
        assert 'no search' in error_of(answer, 404)['message']


def test_the_description_can_be_read_only(sandbox):
    for method in ('HEAD', 'POST', 'DELETE'):
        answer = requests.request(method, f'{sandbox.api}/openapi.json')
        assert answer.status_code == 405 and answer.headers['Allow'] == 'GET'


def test_request_ids_and_the_version_come_back(api):
    first = api('GET', '/v1/customers', headers={'Stripe-Version': '2026-10-28.endive'})
    second = api('GET', '/v1/customers')
    assert first.headers['Stripe-Version'] == '2026-10-28.endive'
    assert 'Stripe-Version' not in second.headers
    assert first.headers['Request-Id'] != second.headers['Request-Id']
    assert first.headers['Content-Type'].startswith('application/json')


@pytest.mark.parametrize('body', [
    b'name=%zz', b'name=%', b'name=%ff', b'name=a%00b', b'name=\xff', b'=x', b'nonsense', b'name[=x',
    b'name[a]=x', b'name=x&name=y', b'metadata=x', b'metadata[a]=1&metadata[a]=2', b'address=x',
    b'[name]=x', b'name]=x', b'%5Bname%5D=x', b'email=nobody', b'name=' + b'x' * 300,
    b'metadata[' + b'k' * 41 + b']=x', b'metadata[k]=' + b'v' * 501, b'expand[]=nonsense',
    b'expand[]=invoice_settings', b'&'.join(b'metadata[k%d]=v' % i for i in range(51)),
    b'&'.join(b'p%d=v' % i for i in range(2000)), b'preferred_locales[x]=ru',
])
def test_bad_bodies_are_400_and_harmless(api, body):
    head = {'Content-Type': 'application/x-www-form-urlencoded'}
    error_of(api.post('/v1/customers', body, headers=head), 400)
    assert api.get('/v1/customers', limit=1).status_code == 200


def test_a_body_that_is_no_form_is_400(api):
    answer = api.post('/v1/customers', b'{"name":"x"}', headers={'Content-Type': 'application/json'})
    assert 'form' in error_of(answer, 400)['message']


def test_a_body_that_is_too_large_is_refused(api):
    answer = api.post('/v1/customers', {'description': 'x' * 70000})
    assert answer.status_code in (400, 413)
    assert answer.json()['error']['message']


def test_unknown_missing_and_refused_parameters_are_named(api):
    error_of(api.post('/v1/customers', {'nonsense': '1'}), 400, 'parameter_unknown', 'nonsense')
    error_of(api.post('/v1/customers', {'address[planet]': '1'}), 400, 'parameter_unknown', 'address[planet]')
    error_of(api.post('/v1/customers', {'source': 'tok_visa'}), 400, 'parameter_unknown', 'source')
    error_of(api.post('/v1/payment_intents', {'amount': 1}), 400, 'parameter_missing', 'currency')
    error_of(api.post('/v1/payment_intents', {'currency': 'rub'}), 400, 'parameter_missing', 'amount')
    for name in ('transfer_data[destination]', 'application_fee_amount', 'on_behalf_of'):
        error_of(api.post('/v1/payment_intents', {'amount': 1, 'currency': 'rub', name: '1'}), 400,
                 'parameter_unknown', name)
    for name, value in (('amount', '0'), ('amount', '-5'), ('amount', '1.5'), ('amount', 'x'),
                        ('amount', '100000000'), ('confirm', 'maybe'), ('confirmation_method', 'manual'),
                        ('capture_method', 'later'), ('off_session', 'sometimes'), ('currency', 'xxx')):
        error_of(api.post('/v1/payment_intents', {'amount': 1, 'currency': 'rub', name: value}), 400,
                 param=name)


def test_clients_encode_in_several_ways(api):
    """Node: %20 and literal brackets; Python: + and %5B; curl: a[]=; True and False."""
    head = {'Content-Type': 'application/x-www-form-urlencoded'}
    body = (b'name=%D0%98%D0%B2%D0%B0%D0%BD%20O%27Neil%20%26%20Co&description=&metadata[order]=6735&'
            b'metadata[ok]=True&metadata[empty]=&metadata[a%20b]=x%3Dy&address[city]=K%C3%B6ln&'
            b'preferred_locales[0]=ru&preferred_locales[1]=en&shipping=&email=a%2Bb%40example.com')
    customer = api.post('/v1/customers', body, headers=head).json()
    assert customer['name'] == "Иван O'Neil & Co"
    assert customer['email'] == 'a+b@example.com'
    assert customer['metadata'] == {'order': '6735', 'ok': 'True', 'a b': 'x=y'}
    assert customer['address'] == {'city': 'Köln', 'country': None, 'line1': None, 'line2': None,
                                   'postal_code': None, 'state': None}
    assert customer['preferred_locales'] == ['ru', 'en']
    assert customer['shipping'] is None and customer['description'] is None
    raw = api('GET', f'/v1/customers/{customer["id"]}?expand%5B0%5D=invoice_settings.default_payment_method')
    assert raw.status_code == 200
    raw = api('GET', f'/v1/customers/{customer["id"]}?expand[]=invoice_settings.default_payment_method')
    assert raw.status_code == 200
    empty = api.post('/v1/customers', b'', headers=head)
    assert empty.status_code == 200 and empty.json()['name'] is None
    plus = api.post('/v1/customers', b'name=a+b', headers=head).json()
    assert plus['name'] == 'a b'


def test_ids_that_nobody_made_are_404(api, customer):
    wrong = customer[:-1] + ('a' if customer[-1] != 'a' else 'b')
    for id in (wrong, 'cus_1', 'cus_', 'x', 'pm_' + customer[4:], 'cus_' + '0' * 22, '%00', 'cus_%ff'):
        error_of(api.get(f'/v1/customers/{id}'), 404, 'resource_missing')
    for path in ('payment_methods/pm_1', 'setup_intents/seti_1', 'payment_intents/pi_1', 'charges/ch_1',
                 'checkout/sessions/cs_test_1', 'events/evt_1', 'card_links/0000-0000'):
        error_of(api.get(f'/v1/{path}'), 404, 'resource_missing')


def test_another_merchants_ids_are_404(api, other, linked):
    session = api.ok('POST', '/v1/checkout/sessions', {'mode': 'setup', 'customer': linked['customer'],
                                                     'success_url': 'https://shop.example/ok'})
    payment = api.ok('POST', '/v1/payment_intents', {'amount': 100, 'currency': 'rub',
                     'customer': linked['customer'], 'payment_method': linked['card'], 'confirm': 'true'})
    attempt = api.ok('GET', f'/v1/setup_intents/{linked["intent"]}')['latest_attempt']
    event = api.events()[0]['id']
    assert attempt
    paths = {
        'GET': [f'customers/{linked["customer"]}', f'customers/{linked["customer"]}/payment_methods',
                f'customers/{linked["customer"]}/payment_methods/{linked["card"]}',
                f'payment_methods/{linked["card"]}', f'setup_intents/{linked["intent"]}',
                f'payment_intents/{payment["id"]}', f'charges/{payment["latest_charge"]}',
                f'checkout/sessions/{session["id"]}', f'events/{event}'],
        'POST': [f'customers/{linked["customer"]}', f'payment_methods/{linked["card"]}',
                 f'payment_methods/{linked["card"]}/detach', f'setup_intents/{linked["intent"]}',
                 f'setup_intents/{linked["intent"]}/confirm', f'setup_intents/{linked["intent"]}/cancel',
                 f'payment_intents/{payment["id"]}', f'payment_intents/{payment["id"]}/confirm',
                 f'payment_intents/{payment["id"]}/cancel', f'checkout/sessions/{session["id"]}/expire'],
        'DELETE': [f'customers/{linked["customer"]}'],
    }
    for method, some in paths.items():
        for path in some:
            error_of(other(method, f'/v1/{path}'), 404, 'resource_missing')
    own = other.customer()
    for path, data in (('setup_intents', {'customer': linked['customer']}),
                       ('setup_intents', {'customer': own, 'payment_method': linked['card']}),
                       ('payment_intents', {'amount': 1, 'currency': 'rub', 'customer': linked['customer']}),
                       ('payment_intents', {'amount': 1, 'currency': 'rub', 'customer': own,
                                            'payment_method': linked['card']}),
                       ('checkout/sessions', {'mode': 'setup', 'customer': linked['customer'],
                                              'success_url': 'https://x.example'}),
                       (f'payment_methods/{linked["card"]}/attach', {'customer': own})):
        error_of(other.post(f'/v1/{path}', data), 404, 'resource_missing')
    error_of(other.post(f'/v1/customers/{own}',
                        {'invoice_settings[default_payment_method]': linked['card']}), 404, 'resource_missing')
    for path in ('setup_intents', 'payment_intents', 'charges', 'checkout/sessions', 'payment_methods'):
        answer = other.get(f'/v1/{path}', customer=linked['customer'])
        assert answer.status_code == 404 or answer.json()['data'] == []
    assert api.ok('GET', f'/v1/customers/{linked["customer"]}')['id'] == linked['customer']


def test_a_publishable_key_needs_the_client_secret_of_the_object(sandbox, browser_api, api, linked, merchant,
                                                               other_merchant):
    path = f'/v1/setup_intents/{linked["intent"]}'
    error_of(browser_api.get(path), 400, 'parameter_missing', 'client_secret')
    for secret in ('x', linked['secret'][:-1], linked['secret'] + 'x', linked['intent']):
        error_of(browser_api.get(path, client_secret=secret), 400, param='client_secret')
    seen = browser_api.ok('GET', path, {'client_secret': linked['secret']})
    assert seen['status'] == 'succeeded' and seen['payment_method'] == linked['card']
    assert 'metadata' not in seen and 'customer' not in seen
    foreign = Client(sandbox, other_merchant.publishable_key)
    error_of(foreign.get(path, client_secret=linked['secret']), 404, 'resource_missing')


def test_lists_page_both_ways(api):
    mail = 'paging@example.com'
    made = [api.customer(email=mail, name=str(i)) for i in range(7)][::-1]
    page = api.ok('GET', '/v1/customers', {'email': mail, 'limit': 3})
    assert page['object'] == 'list' and page['url'] == '/v1/customers' and page['has_more'] is True
    assert [c['id'] for c in page['data']] == made[:3]
    page = api.ok('GET', '/v1/customers', {'email': mail, 'limit': 3, 'starting_after': made[2]})
    assert [c['id'] for c in page['data']] == made[3:6] and page['has_more']
    page = api.ok('GET', '/v1/customers', {'email': mail, 'limit': 3, 'starting_after': made[5]})
    assert [c['id'] for c in page['data']] == made[6:] and not page['has_more']
    page = api.ok('GET', '/v1/customers', {'email': mail, 'limit': 3, 'ending_before': made[5]})
    assert [c['id'] for c in page['data']] == made[2:5] and page['has_more']
    page = api.ok('GET', '/v1/customers', {'email': mail, 'limit': 3, 'ending_before': made[2]})
    assert [c['id'] for c in page['data']] == made[:2] and not page['has_more']
    created = api.ok('GET', f'/v1/customers/{made[3]}')['created']
    assert len(api.ok('GET', '/v1/customers', {'email': mail, 'created[gte]': created - 60})['data']) == 7
    for name, value in (('created[gt]', created + 60), ('created[lt]', created - 60), ('created', created + 60),
                        ('created[lte]', created - 60), ('created[gte]', created + 60)):
        assert api.ok('GET', '/v1/customers', {'email': mail, name: value})['data'] == []
    for bad in ({'limit': 0}, {'limit': 101}, {'limit': 'x'}, {'starting_after': made[0], 'ending_before': made[1]}):
        error_of(api.get('/v1/customers', **bad), 400)
    error_of(api.get('/v1/customers', starting_after='cus_1'), 404, 'resource_missing')
