"""The payment-methods page: its session in the API, and what the page's own requests do."""

import pytest
import requests

from calls import ANOTHER, GOOD


def open_page(api, customer, **more):
    return api.ok('POST', '/v1/billing_portal/sessions', {'customer': customer, 'return_url': 'https://shop.example/me', **more})


class Page:
    """The requests of the page, as the page's own script sends them."""

    def __init__(self, sandbox, session):
        self.address = f'{sandbox.api}/p/{session["id"]}'
        self.own = f'http://pay.localhost:{sandbox.public}'

    def state(self):
        return requests.get(self.address + '/state', timeout=20)

    def post(self, verb, origin=None, **fields):
        return requests.post(f'{self.address}/{verb}', data=fields, headers={'Origin': origin or self.own}, timeout=20)


def test_a_session_has_the_shape_that_clients_know(api, customer, sandbox):
    session = open_page(api, customer, locale='ru')
    assert session['object'] == 'billing_portal.session' and session['id'].startswith('bps_')
    assert session['url'] == f'http://pay.localhost:{sandbox.public}/p/{session["id"]}'
    assert session['customer'] == customer and session['return_url'] == 'https://shop.example/me'
    assert session['configuration'].startswith('bpc_') and session['flow'] is None and session['locale'] == 'ru'
    flow = {'flow_data[type]': 'payment_method_update', 'flow_data[after_completion][type]': 'redirect',
            'flow_data[after_completion][redirect][return_url]': 'https://shop.example/done'}
    session = open_page(api, customer, **flow)
    assert session['flow']['type'] == 'payment_method_update'
    assert session['flow']['after_completion'] == {'hosted_confirmation': None, 'redirect': {'return_url': 'https://shop.example/done'},
                                                   'type': 'redirect'}


@pytest.mark.parametrize('fields, param', [
    ({}, 'customer'), ({'customer': ''}, 'customer'), ({'customer': 'cus_nobody'}, 'customer'),
    ({'return_url': 'javascript:alert(1)'}, 'return_url'), ({'flow_data[type]': 'subscription_cancel'}, 'flow_data[type]'),
    ({'flow_data[after_completion][type]': 'redirect'}, 'flow_data[type]'), ({'locale': 'tlh'}, 'locale'),
    ({'flow_data[type]': 'payment_method_update', 'flow_data[after_completion][type]': 'redirect'},
     'flow_data[after_completion][redirect][return_url]'),
])
def test_what_does_not_fit_is_named(api, customer, fields, param):
    if 'customer' not in fields and param != 'customer':
        fields = {'customer': customer, **fields}
    answer = api.post('/v1/billing_portal/sessions', fields)
    unknown = fields.get('customer') == 'cus_nobody'
    assert answer.status_code == (404 if unknown else 400) and answer.json()['error']['param'] == param


def test_the_page_shows_and_changes_the_cards_of_its_customer(api, customer, sandbox):
    first = api.link(customer, GOOD)['payment_method']
    second = api.link(customer, ANOTHER)['payment_method']
    page = Page(sandbox, open_page(api, customer))
    assert requests.get(page.address, timeout=20).headers['Content-Type'].startswith('text/html')
    state = page.state().json()
    assert [(card['id'], card['default']) for card in state['cards']] == [(first, True), (second, False)]
    assert state['return_url'] == 'https://shop.example/me' and state['mode'] == 'portal'

    state = page.post('default', card=second).json()
    assert [(card['id'], card['default']) for card in state['cards']] == [(second, True), (first, False)]
    assert api.ok('GET', f'/v1/customers/{customer}')['invoice_settings']['default_payment_method'] == second
    event = api.ok('GET', '/v1/events', {'type': 'customer.updated', 'limit': 1})['data'][0]
    assert event['data']['previous_attributes'] == {'invoice_settings': {'default_payment_method': first}}

    state = page.post('name', card=first, name='Семейная').json()
    assert state['cards'][1]['name'] == 'Семейная'
    assert api.ok('GET', f'/v1/payment_methods/{first}')['metadata'] == {'nickname': 'Семейная'}
    assert page.post('name', card=first, name='').json()['cards'][1]['name'] == ''
    assert api.ok('GET', f'/v1/payment_methods/{first}')['metadata'] == {}

    state = page.post('remove', card=second).json()
    assert [(card['id'], card['default']) for card in state['cards']] == [(first, False)]
    assert page.post('remove', card=second).status_code == 404
    assert api.ok('GET', f'/v1/customers/{customer}')['invoice_settings']['default_payment_method'] is None


def test_a_card_of_another_customer_is_out_of_reach(api, customer, sandbox):
    stranger = api.customer()
    card = api.link(stranger, GOOD)['payment_method']
    page = Page(sandbox, open_page(api, customer))
    for verb in ('default', 'name', 'remove'):
        answer = page.post(verb, card=card, name='x')
        assert answer.status_code == 404 and answer.json()['state']['cards'] == []
    assert api.ok('GET', f'/v1/payment_methods/{card}')['customer'] == stranger


def test_only_the_page_itself_may_post(api, customer, sandbox):
    card = api.link(customer, GOOD)['payment_method']
    page = Page(sandbox, open_page(api, customer))
    assert page.post('remove', origin='https://evil.example', card=card).status_code == 400
    assert [one['id'] for one in page.state().json()['cards']] == [card]
    assert page.post('name', card=card, name='x' * 81).status_code == 400
    assert page.post('name', card=card, name='a\nb').status_code == 400


def test_adding_opens_one_card_page_and_comes_back(api, customer, sandbox):
    page = Page(sandbox, open_page(api, customer))
    url = page.post('add').json()['url']
    assert '/c/cs_test_' in url and page.post('add').json()['url'] == url
    session = api.ok('GET', f'/v1/checkout/sessions/{url.rsplit("/", 1)[1]}')
    assert session['customer'] == customer and session['mode'] == 'setup'
    assert session['success_url'].endswith(page.address.rsplit('/', 1)[1] + '#linked')


def test_made_up_and_dead_addresses_are_lost(api, customer, sandbox):
    session = open_page(api, customer)
    page = Page(sandbox, session)
    last = 'y' if session['id'].endswith('x') else 'x'
    assert requests.get(f'{sandbox.api}/p/{session["id"][:-1]}{last}', timeout=20).status_code == 404
    assert requests.get(f'{page.address}/nothing', timeout=20).status_code == 404
    api.ok('DELETE', f'/v1/customers/{customer}')
    assert page.state().status_code == 404
