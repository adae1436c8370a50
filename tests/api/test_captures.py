"""Payments that are held first: capture in full and in part, cancel, and everything that is refused."""

import pytest
from calls import NO_FUNDS, error_of


def hold(api, linked, amount=1000, **data):
    form = {'amount': amount, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true', 'capture_method': 'manual'}
    form.update(data)
    held = api.ok('POST', '/v1/payment_intents', form)
    assert held['status'] == 'requires_capture', held
    return held


def path(intent, what=''):
    return f'/v1/payment_intents/{intent["id"]}{what}'


def charge(api, intent):
    return api.ok('GET', f'/v1/charges/{intent["latest_charge"]}')


def types(api, *ids):
    return [e['type'] for e in reversed(api.events()) if e['data']['object']['id'] in ids]


def test_a_hold_says_what_it_holds(api, linked):
    held = hold(api, linked, 1200)
    assert held['capture_method'] == 'manual'
    assert held['amount_capturable'] == 1200 and held['amount_received'] == 0
    seen = charge(api, held)
    assert seen['status'] == 'succeeded' and seen['paid'] and not seen['captured']
    assert seen['amount_captured'] == 0 and not seen['refunded']
    week = seen['payment_method_details']['card']['capture_before'] - held['created']
    assert 7 * 86400 <= week < 7 * 86400 + 60  # hold_days of the connection's policy
    assert types(api, held['id'], held['latest_charge']) == [
        'payment_intent.created', 'charge.succeeded', 'payment_intent.amount_capturable_updated']


def test_capture_in_full(api, linked):
    held = hold(api, linked, 1300)
    taken = api.ok('POST', path(held, '/capture'), {'metadata[parcel]': '7'})
    assert taken['status'] == 'succeeded' and taken['metadata'] == {'parcel': '7'}
    assert taken['amount_received'] == 1300 and taken['amount_capturable'] == 0
    seen = charge(api, held)
    assert seen['captured'] and seen['amount_captured'] == 1300 and seen['amount_refunded'] == 0
    assert types(api, held['id'], held['latest_charge'])[-2:] == ['charge.captured', 'payment_intent.succeeded']


def test_capture_in_part(api, linked):
    held = hold(api, linked, 1400)
    taken = api.ok('POST', path(held, '/capture'), {'amount_to_capture': 1000, 'final_capture': 'true'})
    assert taken['status'] == 'succeeded' and taken['amount'] == 1400
    assert taken['amount_received'] == 1000 and taken['amount_capturable'] == 0
    seen = charge(api, held)
    assert seen['captured'] and seen['amount'] == 1400 and seen['amount_captured'] == 1000


def test_what_is_no_hold_is_not_to_be_captured_before_a_time(api, linked):
    captured, released = hold(api, linked), hold(api, linked)
    api.ok('POST', path(captured, '/capture'))
    api.ok('POST', path(released, '/cancel'))
    for intent in (captured, released):
        assert 'capture_before' not in charge(api, intent)['payment_method_details']['card']


def test_a_second_capture(api, linked):
    held = hold(api, linked)
    api.ok('POST', path(held, '/capture'))
    error = error_of(api.post(path(held, '/capture')), 400, 'payment_intent_unexpected_state')
    assert error['payment_intent']['status'] == 'succeeded' and 'succeeded' in error['message']
    assert charge(api, held)['amount_captured'] == 1000


@pytest.mark.parametrize('amount, code', [
    ('1001', 'amount_too_large'), ('0', 'parameter_invalid_integer'), ('-5', 'parameter_invalid_integer'),
    ('10.5', 'parameter_invalid_integer'), ('100000000', 'parameter_invalid_integer'), ('all', 'parameter_invalid_integer'),
])
def test_an_amount_that_cannot_be_captured(api, linked, amount, code):
    held = hold(api, linked)
    error_of(api.post(path(held, '/capture'), {'amount_to_capture': amount}), 400, code, 'amount_to_capture')
    assert api.ok('GET', path(held))['status'] == 'requires_capture'
    api.ok('POST', path(held, '/cancel'))


def test_only_one_capture_is_made(api, linked):
    held = hold(api, linked)
    error_of(api.post(path(held, '/capture'), {'amount_to_capture': '10', 'final_capture': 'false'}), 400,
             param='final_capture')
    error_of(api.post(path(held, '/capture'), {'application_fee_amount': '10'}), 400, param='application_fee_amount')
    assert api.ok('POST', path(held, '/cancel'))['status'] == 'canceled'


def test_a_hold_is_given_back(api, linked):
    held = hold(api, linked, 1500)
    gone = api.ok('POST', path(held, '/cancel'), {'cancellation_reason': 'requested_by_customer'})
    assert gone['status'] == 'canceled' and gone['cancellation_reason'] == 'requested_by_customer'
    assert gone['canceled_at'] and gone['amount_capturable'] == 0 and gone['amount_received'] == 0
    seen = charge(api, held)
    assert seen['refunded'] and seen['amount_refunded'] == 1500 and not seen['captured']
    assert types(api, held['id'], held['latest_charge'])[-2:] == ['charge.refunded', 'payment_intent.canceled']
    error = error_of(api.post(path(held, '/capture')), 400, 'payment_intent_unexpected_state')
    assert error['payment_intent']['status'] == 'canceled'
    error_of(api.post(path(held, '/cancel')), 400, 'payment_intent_unexpected_state')


def test_what_is_paid_cannot_be_cancelled(api, linked):
    held = hold(api, linked)
    api.ok('POST', path(held, '/capture'))
    error = error_of(api.post(path(held, '/cancel')), 400, 'payment_intent_unexpected_state')
    assert error['payment_intent']['status'] == 'succeeded'


def test_what_is_not_held_cannot_be_captured(api, linked):
    made = api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub', 'capture_method': 'manual'})
    error_of(api.post(path(made, '/capture')), 400, 'payment_intent_unexpected_state')
    changed = api.ok('POST', path(made), {'capture_method': 'automatic', 'customer': linked['customer'],
                                          'payment_method': linked['card']})
    assert changed['capture_method'] == 'automatic'
    assert api.ok('POST', path(made, '/confirm'))['status'] == 'succeeded'


def test_a_hold_that_is_refused_holds_nothing(api):
    customer = api.customer()
    card = api.link(customer, NO_FUNDS)['payment_method']
    answer = api.post('/v1/payment_intents', {
        'amount': 1000, 'currency': 'rub', 'customer': customer, 'payment_method': card, 'confirm': 'true',
        'capture_method': 'manual'})
    error = error_of(answer, 402, 'card_declined')
    assert error['payment_intent']['amount_capturable'] == 0


def test_the_same_key_captures_once(api, linked):
    held = hold(api, linked)
    first = api.post(path(held, '/capture'), {'amount_to_capture': 400}, key='capture-once')
    again = api.post(path(held, '/capture'), {'amount_to_capture': 400}, key='capture-once')
    assert first.status_code == again.status_code == 200 and first.content == again.content
    assert again.headers['Idempotent-Replayed'] == 'true'
    other = api.post(path(held, '/capture'), {'amount_to_capture': 500}, key='capture-once')
    assert error_of(other, 400)['type'] == 'idempotency_error'
    assert charge(api, held)['amount_captured'] == 400


def test_another_merchants_hold(api, other, linked):
    held = hold(api, linked)
    error_of(other.post(path(held, '/capture')), 404, 'resource_missing', 'intent')
    error_of(other.post(path(held, '/cancel')), 404, 'resource_missing', 'intent')
    assert api.ok('POST', path(held, '/cancel'))['status'] == 'canceled'


def test_a_publishable_key_captures_nothing(api, browser_api, linked):
    held = hold(api, linked)
    answer = browser_api.post(path(held, '/capture'), {'client_secret': held['client_secret']})
    error_of(answer, 403, 'secret_key_required')
    api.ok('POST', path(held, '/cancel'))
