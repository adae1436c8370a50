"""Checkout sessions in payment mode: what is sold, paying with a card on file or a new one, refusals, giving up."""

import pytest
import requests

from calls import ANOTHER, GOOD, NO_FUNDS, PAYMENT_REFUSED, PROOF_FOR_PAYMENTS, REFUSED, error_of
from running import Shopper, seal

ITEMS = {
    'line_items[0][price_data][currency]': 'rub', 'line_items[0][price_data][unit_amount]': '49900',
    'line_items[0][price_data][product_data][name]': 'Кружка', 'line_items[0][quantity]': '2',
    'line_items[1][price_data][currency]': 'RUB', 'line_items[1][price_data][unit_amount]': '100',
    'line_items[1][price_data][product_data][name]': 'Открытка', 'line_items[1][quantity]': '1',
}


def open_session(api, **more):
    data = {'mode': 'payment', 'success_url': 'https://shop.example/ok?s={CHECKOUT_SESSION_ID}', **ITEMS, **more}
    return api.ok('POST', '/v1/checkout/sessions', data)


class Page(Shopper):
    """The session's page: state, a new card, a card on file."""

    def __init__(self, api, session):
        super().__init__(api.sandbox, session['id'])
        self.own = {'Origin': f'http://pay.localhost:{api.sandbox.public}'}

    def post_form(self, verb, **fields):
        return self.http.post(f'{self.page}/{verb}', data=fields, headers=self.own)

    def type_card(self, number, cvc='123'):
        state = self.state()
        plain = {'number': number, 'exp_month': 12, 'exp_year': 2031, 'cvc': cvc, 'intent': state['intent'], 'issued': state['now']}
        return self.post_form('card', encrypted=seal(state['keys'], plain), **self.BROWSER)

    def end(self):
        """Until the bank has decided, whatever it wants to know of the browser."""
        while True:
            state = self.until('preparing', 'challenge', 'done', 'enter', 'expired')
            if state['step'] != 'preparing':
                return state
            if state['browser_wanted']:
                self.post_form('browser', **self.BROWSER)
            elif state['method']:
                self.run_method(state['method'])


def test_what_is_sold_becomes_a_payment(api, customer):
    session = open_session(api, customer=customer, **{'payment_intent_data[description]': 'Заказ 7',
                                                      'payment_intent_data[metadata][order]': '7'})
    assert session['mode'] == 'payment' and session['amount_total'] == session['amount_subtotal'] == 99900
    assert session['currency'] == 'rub' and session['payment_status'] == 'unpaid' and session['setup_intent'] is None
    assert session['total_details'] == {'amount_discount': 0, 'amount_shipping': 0, 'amount_tax': 0}
    intent = api.ok('GET', f'/v1/payment_intents/{session["payment_intent"]}')
    assert intent['amount'] == 99900 and intent['currency'] == 'rub' and intent['customer'] == customer
    assert intent['description'] == 'Заказ 7' and intent['metadata'] == {'order': '7'} and intent['status'] == 'requires_payment_method'


@pytest.mark.parametrize('change, param', [
    ({'line_items[0][price_data][unit_amount]': '-1'}, 'line_items[0][price_data][unit_amount]'),
    ({'line_items[0][price_data][unit_amount]': '1.5'}, 'line_items[0][price_data][unit_amount]'),
    ({'line_items[0][quantity]': '0'}, 'line_items[0][quantity]'),
    ({'line_items[0][quantity]': None}, 'line_items[0][quantity]'),
    ({'line_items[0][price_data][product_data][name]': None}, 'line_items[0][price_data][product_data][name]'),
    ({'line_items[0][price_data][currency]': 'xyz'}, 'line_items'), ({'line_items[1][price_data][currency]': 'eur'}, 'line_items'),
    ({'line_items[0][price_data][unit_amount]': '99999999'}, 'line_items'),
    ({'line_items[0][price]': 'price_1'}, 'line_items[0][price]'), ({'setup_intent_data[description]': 'x'}, 'setup_intent_data[description]'),
    ({'mode': 'setup'}, 'line_items[0][price_data][currency]'), ({'mode': 'subscription'}, 'mode'),
    ({name: None for name in ITEMS}, 'line_items'),
])
def test_what_does_not_fit_is_named(api, change, param):
    data = {'mode': 'payment', 'success_url': 'https://shop.example/', **ITEMS, **change}
    error_of(api.post('/v1/checkout/sessions', {k: v for k, v in data.items() if v is not None}), 400, param=param)


def test_one_tap_with_a_card_on_file(api, customer):
    card = api.link(customer, GOOD)['payment_method']
    session = open_session(api, customer=customer)
    page = Page(api, session)
    state = page.state()
    assert state['mode'] == 'payment' and state['choose'] and [one['id'] for one in state['cards']] == [card]
    assert state['amount'] == {'minor': 99900, 'currency': 'rub', 'decimals': 2}
    assert [(item['name'], item['quantity'], item['amount']) for item in state['items']] == [('Кружка', 2, 99800), ('Открытка', 1, 100)]
    assert 'choose' in requests.get(page.page).text and 'card.js' in requests.get(page.page + '/new').text
    state = page.post_form('pay', card=card).json()
    assert state['step'] == 'done' and state['card']['last4'] == '4242'
    assert state['return_url'] == f'https://shop.example/ok?s={session["id"]}'
    session = api.ok('GET', f'/v1/checkout/sessions/{session["id"]}', {'expand[]': 'payment_intent'})
    assert (session['status'], session['payment_status'], session['url']) == ('complete', 'paid', None)
    assert session['payment_intent']['status'] == 'succeeded' and session['payment_intent']['payment_method'] == card
    done = api.ok('GET', '/v1/events', {'type': 'checkout.session.completed', 'limit': 1})['data'][0]
    assert done['data']['object']['id'] == session['id'] and done['data']['object']['payment_status'] == 'paid'
    # A second tap, in another tab, is no second payment.
    assert page.post_form('pay', card=card).json()['step'] == 'done'
    assert len(api.ok('GET', '/v1/charges', {'payment_intent': session['payment_intent']['id']})['data']) == 1


@pytest.mark.parametrize('keep', [True, False])
def test_a_new_card_is_linked_and_pays(api, customer, keep):
    more = {'payment_intent_data[setup_future_usage]': 'off_session'} if keep else {}
    session = open_session(api, customer=customer, **more)
    page = Page(api, session)
    assert not page.state()['choose']
    page.type_card(GOOD)
    assert page.end()['step'] == 'done'
    assert api.ok('GET', f'/v1/payment_intents/{session["payment_intent"]}')['amount_received'] == 99900
    cards = api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']
    assert [card['card']['last4'] for card in cards] == (['4242'] if keep else [])


def test_who_is_nobodys_customer_can_pay(api):
    session = open_session(api)
    page = Page(api, session)
    page.type_card(ANOTHER)
    assert page.end()['step'] == 'done'
    assert api.ok('GET', f'/v1/payment_intents/{session["payment_intent"]}')['status'] == 'succeeded'


@pytest.mark.parametrize('number', [PAYMENT_REFUSED, NO_FUNDS])
def test_a_payment_that_was_refused_can_be_made_with_another_card(api, customer, number):
    session = open_session(api, customer=customer)
    page = Page(api, session)
    assert page.state()['intent'] == session['payment_intent']
    page.type_card(number)
    state = page.end()
    assert state['step'] == 'enter' and state['error']['reference']
    intent = api.ok('GET', f'/v1/payment_intents/{session["payment_intent"]}')
    assert intent['status'] == 'requires_payment_method' and intent['last_payment_error']
    page.type_card(GOOD)
    assert page.end()['step'] == 'done'
    charges = api.ok('GET', '/v1/charges', {'payment_intent': session['payment_intent']})['data']
    assert [charge['status'] for charge in charges] == ['succeeded', 'failed']


def test_a_card_that_the_bank_does_not_link_pays_nothing(api, customer):
    session = open_session(api, customer=customer)
    page = Page(api, session)
    page.type_card(REFUSED)
    state = page.end()
    assert state['step'] == 'enter' and state['error']['who'] == 'bank'
    assert api.ok('GET', '/v1/charges', {'payment_intent': session['payment_intent']})['data'] == []
    assert api.ok('GET', '/v1/setup_intents', {'customer': customer})['data'] == []


def test_the_bank_asks_once(api, customer):
    session = open_session(api, customer=customer)
    page = Page(api, session)
    page.type_card(PROOF_FOR_PAYMENTS)
    assert page.end()['step'] == 'challenge'
    page.answer_challenge()
    assert page.end()['step'] == 'done'


def test_an_expired_session_takes_its_payment_along(api, customer):
    card = api.link(customer, GOOD)['payment_method']
    session = open_session(api, customer=customer)
    intent = f'/v1/payment_intents/{session["payment_intent"]}'
    for path in ('/confirm', '/cancel', ''):
        data = {'amount': '1'} if path == '' else {'payment_method': card} if path == '/confirm' else {}
        error_of(api.post(intent + path, data), 400, 'payment_intent_unexpected_state')
    api.ok('POST', f'/v1/checkout/sessions/{session["id"]}/expire')
    assert api.ok('GET', intent)['status'] == 'canceled'
    page = Page(api, session)
    assert page.state()['step'] == 'expired' and page.post_form('pay', card=card).json()['step'] == 'expired'
    assert api.ok('GET', '/v1/charges', {'payment_intent': session['payment_intent']})['data'] == []


def test_a_card_of_another_customer_pays_nothing(api, customer):
    stranger = api.link(api.customer(), GOOD)['payment_method']
    api.link(customer, ANOTHER)
    page = Page(api, open_session(api, customer=customer))
    assert page.post_form('pay', card=stranger).json()['step'] == 'enter'


def test_the_money_can_be_held_first(api, customer):
    session = open_session(api, customer=customer, **{'payment_intent_data[capture_method]': 'manual'})
    page = Page(api, session)
    page.type_card(GOOD)
    assert page.end()['step'] == 'done'
    session = api.ok('GET', f'/v1/checkout/sessions/{session["id"]}', {'expand[]': 'payment_intent'})
    assert session['payment_intent']['status'] == 'requires_capture' and session['payment_status'] == 'unpaid'
