"""Customer sessions: what a page may do with one customer's cards, what it may not, and for how long."""

import uuid

import pytest
import requests

from calls import ANOTHER, GOOD, error_of

SHOWS = {'components[payment_element][enabled]': 'true', 'components[payment_element][features][payment_method_redisplay]': 'enabled'}
REMOVES = {'components[payment_element][features][payment_method_remove]': 'enabled'}
SHEET = {'components[customer_sheet][enabled]': 'true'}
DEFAULT = 'invoice_settings[default_payment_method]'


def begin(api, customer, *parts, **more):
    form = {'customer': customer, **more}
    for part in parts or (SHOWS, REMOVES):
        form.update(part)
    return api.ok('POST', '/v1/customer_sessions', form)


@pytest.fixture
def cards(api, customer):
    return [api.link(customer, number)['payment_method'] for number in (GOOD, ANOTHER)]


class Page:
    """A page of the merchant's own: a publishable key and the session's secret."""

    def __init__(self, browser_api, session):
        self.api, self.customer, self.secret = browser_api, session['customer'], session['client_secret']

    def list(self, **more):
        return self.api.get(f'/v1/customers/{self.customer}/payment_methods', client_secret=self.secret, **more)

    def ids(self, **more):
        answer = self.list(**more)
        assert answer.status_code == 200, answer.text
        return [card['id'] for card in answer.json()['data']]

    def detach(self, card):
        return self.api.post(f'/v1/payment_methods/{card}/detach', {'client_secret': self.secret})

    def prefer(self, card, **more):
        return self.api.post(f'/v1/customers/{self.customer}', {'client_secret': self.secret, DEFAULT: card, **more})


def test_what_it_is(api, customer):
    session = begin(api, customer)
    assert session['object'] == 'customer_session' and session['customer'] == customer
    assert session['client_secret'].startswith('cuss_') and session['expires_at'] - session['created'] == 1800
    element = session['components']['payment_element']
    assert element['enabled'] and element['features']['payment_method_remove'] == 'enabled'
    assert element['features']['payment_method_save'] == 'disabled' and not session['components']['customer_sheet']['enabled']
    assert begin(api, customer)['client_secret'] != session['client_secret']


def test_a_page_lists_removes_and_prefers(api, browser_api, customer, cards):
    page = Page(browser_api, begin(api, customer))
    assert page.ids() == cards[::-1]
    preferred = page.prefer(cards[1]).json()
    assert set(preferred) == {'id', 'object', 'invoice_settings', 'livemode'}
    assert preferred['invoice_settings']['default_payment_method'] == cards[1]
    shown = page.list(**{'expand[]': 'data.customer'}).json()['data'][0]
    assert shown['customer']['invoice_settings']['default_payment_method'] == cards[1] and 'email' not in shown['customer']
    gone = page.detach(cards[0])
    assert gone.status_code == 200 and gone.json()['customer'] is None
    assert page.ids() == [cards[1]] and [e for e in api.events(type='payment_method.detached') if e['data']['object']['id'] == cards[0]]


def test_only_what_its_components_allow(api, browser_api, customer, cards):
    for parts, shows, removes in (((SHOWS,), 200, 403), ((REMOVES, {'components[payment_element][enabled]': 'true'}), 403, 200), ((SHEET,), 200, 403)):
        page = Page(browser_api, begin(api, customer, *parts))
        assert (page.list().status_code, page.prefer(cards[1]).status_code) == (shows, shows)
        card = cards[0] if removes == 403 else api.link(customer, GOOD)['payment_method']
        assert page.detach(card).status_code == removes


def test_nothing_else(api, browser_api, customer, cards):
    page = Page(browser_api, begin(api, customer))
    error_of(page.prefer(cards[1], email='evil@example.com'), 403, 'secret_key_required', 'email')
    error_of(page.prefer(cards[1], **{'metadata[a]': 'b'}), 403, 'secret_key_required')
    assert api.ok('GET', f'/v1/customers/{customer}')['email'] == 'ivan@example.com'
    for method, path in (('GET', f'/v1/customers/{customer}'), ('DELETE', f'/v1/customers/{customer}'), ('GET', f'/v1/payment_methods/{cards[0]}'),
                         ('POST', f'/v1/payment_methods/{cards[0]}'), ('GET', '/v1/payment_methods'), ('GET', '/v1/customers'),
                         ('POST', '/v1/payment_intents'), ('POST', '/v1/customer_sessions')):
        error_of(page.api(method, path, {'client_secret': page.secret}), 403, 'secret_key_required')
    intent = api.ok('POST', '/v1/payment_intents', {'amount': 5, 'currency': 'rub', 'customer': customer})
    error_of(browser_api.get(f'/v1/payment_intents/{intent["id"]}', client_secret=page.secret), 400, param='client_secret')


def test_of_one_customer_and_one_merchant(api, other, browser_api, customer, cards, linked):
    page = Page(browser_api, begin(api, customer))
    strange = Page(browser_api, dict(begin(api, customer), customer=linked['customer']))
    error_of(strange.list(), 404, 'resource_missing')
    error_of(strange.prefer(linked['card']), 404, 'resource_missing')
    error_of(page.detach(linked['card']), 404, 'resource_missing')
    error_of(page.detach('pm_nobody'), 404, 'resource_missing')
    error_of(page.prefer(linked['card']), 400, param=DEFAULT)
    theirs = begin(other, other.customer())
    error_of(Page(browser_api, dict(theirs, customer=customer)).list(), 400, param='client_secret')
    error_of(Page(other, dict(begin(api, customer))).list(), 400, param='client_secret')
    error_of(other.post('/v1/customer_sessions', {'customer': customer, **SHOWS}), 404, 'resource_missing', 'customer')
    error_of(browser_api.get(f'/v1/customers/{customer}/payment_methods'), 400, 'parameter_missing', 'client_secret')
    error_of(browser_api.get(f'/v1/customers/{customer}/payment_methods', client_secret=linked['secret']), 400, param='client_secret')
    assert len(page.ids()) == 2


def test_cards_that_may_not_be_shown_again(api, browser_api, customer, cards):
    api.ok('POST', f'/v1/payment_methods/{cards[0]}', {'allow_redisplay': 'always'})
    filters = 'components[payment_element][features][payment_method_allow_redisplay_filters][]'
    page = Page(browser_api, begin(api, customer, SHOWS, {filters: ['always', 'limited']}))
    assert page.ids() == [cards[0]] and page.ids(allow_redisplay='unspecified') == []
    assert api.ok('GET', '/v1/payment_methods', {'customer': customer, 'allow_redisplay': 'always'})['data'][0]['id'] == cards[0]
    assert len(api.ok('GET', f'/v1/customers/{customer}/payment_methods', {'allow_redisplay': 'unspecified'})['data']) == 1


@pytest.mark.parametrize('path', ['/v1/payment_methods', '/v1/customers/{}/payment_methods'])
def test_lists_by_type(api, customer, cards, path):
    for kind, count in (('card', 2), ('sepa_debit', 0), ('link', 0)):
        answer = api.ok('GET', path.format(customer), {'type': kind, **({} if '{' in path else {'customer': customer})})
        assert len(answer['data']) == count and not answer['has_more']


@pytest.mark.parametrize('name', ['buy_button', 'pricing_table', 'customer_portal', 'active_entitlements', 'mobile_payment_element'])
def test_components_that_are_not_there(api, customer, name):
    enabled = f'components[{name}][enabled]'
    error_of(api.post('/v1/customer_sessions', {'customer': customer, enabled: 'true'}), 400, param=enabled)
    assert not begin(api, customer, SHOWS, {enabled: 'false'})['components'][name]['enabled']


@pytest.mark.parametrize('form, param', [
    ({}, 'components'), ({'components[payment_element][enabled]': 'false'}, 'components'), ({'components[nothing][enabled]': 'true'}, 'components[nothing][enabled]'),
    ({**SHOWS, 'components[payment_element][features][payment_method_save]': 'enabled'}, 'components[payment_element][features][payment_method_save]'),
    ({**SHOWS, 'components[payment_element][features][payment_method_redisplay_limit]': '3'},
     'components[payment_element][features][payment_method_redisplay_limit]'), ({**SHOWS, 'customer': 'cus_nobody'}, 'customer'),
])
def test_what_does_not_fit_is_named(api, customer, form, param):
    answer = api.post('/v1/customer_sessions', {'customer': customer, **form})
    error_of(answer, 404 if param == 'customer' else 400, param=param)


def test_the_same_key_is_the_same_session_and_the_secret_is_kept_nowhere(sandbox, api, customer):
    key = str(uuid.uuid4())
    form = {'customer': customer, **SHOWS}
    first, second = (api.post('/v1/customer_sessions', form, key=key) for _ in range(2))
    assert first.content == second.content and second.headers['Idempotent-Replayed'] == 'true'
    secret = first.json()['client_secret'].encode()
    files = [path for path in (sandbox.folder / 'data').rglob('*') if path.is_file()]
    assert any(b'customer_sessions' in path.read_bytes() for path in files)
    assert not [path for path in files if secret in path.read_bytes() or secret[-22:] in path.read_bytes()]


def test_other_sites_may_call_it(sandbox, browser_api, api, customer):
    session = begin(api, customer)
    answer = requests.get(f'{sandbox.api}/v1/customers/{customer}/payment_methods', params={'client_secret': session['client_secret']},
                          headers={'Authorization': f'Bearer {browser_api.key}', 'Origin': 'https://shop.example'})
    assert answer.status_code == 200 and answer.headers['Access-Control-Allow-Origin'] == '*'
