"""Refunds: in full, in part, and everything that is refused."""

import pytest
from calls import error_of
from test_captures import hold, path


def pay(api, linked, amount=1000):
    paid = api.ok('POST', '/v1/payment_intents', {
        'amount': amount, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
        'confirm': 'true'})
    assert paid['status'] == 'succeeded'
    return paid


def refund(api, **data):
    return api.ok('POST', '/v1/refunds', data)


def charge(api, intent, **data):
    return api.ok('GET', f'/v1/charges/{intent["latest_charge"]}', data)


def test_a_refund_in_full(api, linked):
    paid = pay(api, linked, 1100)
    made = refund(api, payment_intent=paid['id'], reason='requested_by_customer', **{'metadata[case]': '4'})
    assert made['id'].startswith('re_') and made['object'] == 'refund' and made['status'] == 'succeeded'
    assert made['amount'] == 1100 and made['currency'] == 'rub' and made['reason'] == 'requested_by_customer'
    assert made['payment_intent'] == paid['id'] and made['charge'] == paid['latest_charge']
    assert made['payment_method'] == linked['card'] and made['customer'] == linked['customer']
    assert made['metadata'] == {'case': '4'} and made['balance_transaction'] is None
    assert made['destination_details'] == {'type': 'card', 'card': {'type': 'refund'}}
    seen = charge(api, paid, **{'expand[]': 'refunds'})
    assert seen['refunded'] and seen['amount_refunded'] == 1100 and seen['amount_captured'] == 1100
    assert [one['id'] for one in seen['refunds']['data']] == [made['id']] and not seen['refunds']['has_more']
    assert api.ok('GET', path(paid))['status'] == 'succeeded'
    types = {e['type'] for e in api.events() if e['data']['object']['id'] in (made['id'], paid['latest_charge'])}
    assert types == {'charge.succeeded', 'refund.created', 'refund.updated', 'charge.refunded'}


def test_refunds_in_part(api, linked):
    paid = pay(api, linked, 900)
    first = refund(api, charge=paid['latest_charge'], amount=300, currency='RUB')
    assert first['amount'] == 300 and first['status'] == 'succeeded'
    seen = charge(api, paid)
    assert seen['amount_refunded'] == 300 and not seen['refunded']
    error = error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'amount': 601}), 400, 'amount_too_large', 'amount')
    assert '601' in error['message'] and '600' in error['message']
    second = refund(api, payment_intent=paid['id'])
    assert second['amount'] == 600
    assert charge(api, paid)['refunded']
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id']}), 400, 'charge_already_refunded')
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'amount': 1}), 400, 'charge_already_refunded')
    listed = api.ok('GET', '/v1/refunds', {'payment_intent': paid['id']})['data']
    assert [one['id'] for one in listed] == [second['id'], first['id']]
    assert api.ok('GET', '/v1/refunds', {'charge': paid['latest_charge'], 'limit': 1})['has_more']
    below = api.ok('GET', f'/v1/charges/{paid["latest_charge"]}/refunds')
    assert [one['id'] for one in below['data']] == [second['id'], first['id']]


def test_what_was_captured_in_part_is_refunded_in_part(api, linked):
    held = hold(api, linked, 800)
    api.ok('POST', path(held, '/capture'), {'amount_to_capture': 500})
    error_of(api.post('/v1/refunds', {'payment_intent': held['id'], 'amount': 501}), 400, 'amount_too_large')
    assert refund(api, payment_intent=held['id'])['amount'] == 500
    assert charge(api, held)['refunded']


def test_a_refund_can_be_found_and_described(api, other, linked):
    paid = pay(api, linked)
    made = refund(api, payment_intent=paid['id'], amount=10, reason='duplicate')
    there = f'/v1/refunds/{made["id"]}'
    changed = api.ok('POST', there, {'metadata[a]': 'b', 'expand[]': 'charge'})
    assert changed['metadata'] == {'a': 'b'} and changed['charge']['id'] == paid['latest_charge']
    again = api.ok('GET', there, {'expand[]': 'payment_intent.latest_charge'})
    assert again['metadata'] == {'a': 'b'} and again['payment_intent']['latest_charge']['amount_refunded'] == 10
    error_of(api.post(there, {'amount': 5}), 400, 'parameter_unknown', 'amount')
    error_of(other('GET', there), 404, 'resource_missing')
    error_of(other.post('/v1/refunds', {'payment_intent': paid['id']}), 404, 'resource_missing', 'payment_intent')
    error_of(other.post('/v1/refunds', {'charge': paid['latest_charge']}), 404, 'resource_missing', 'charge')
    assert made['id'] in [one['id'] for one in api.ok('GET', '/v1/refunds', {'limit': 100})['data']]


@pytest.mark.parametrize('amount', ['0', '-1', '1.5', '100000000', 'x'])
def test_an_amount_that_is_none(api, linked, amount):
    paid = pay(api, linked)
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'amount': amount}), 400,
             'parameter_invalid_integer', 'amount')
    assert charge(api, paid)['amount_refunded'] == 0


def test_refunds_that_make_no_sense(api, linked):
    paid = pay(api, linked)
    error_of(api.post('/v1/refunds', {}), 400, 'parameter_missing', 'payment_intent')
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'charge': paid['latest_charge']}), 400,
             'parameters_exclusive')
    error_of(api.post('/v1/refunds', {'payment_intent': 'pi_nothing'}), 404, 'resource_missing', 'payment_intent')
    error_of(api.post('/v1/refunds', {'charge': paid['id']}), 404, 'resource_missing', 'charge')
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'currency': 'eur'}), 400, param='currency')
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'reason': 'regret'}), 400, param='reason')
    error_of(api.post('/v1/refunds', {'payment_intent': paid['id'], 'reverse_transfer': 'true'}), 400,
             param='reverse_transfer')
    assert charge(api, paid)['amount_refunded'] == 0


def test_what_was_not_paid_is_not_refunded(api, linked):
    held = hold(api, linked)
    error = error_of(api.post('/v1/refunds', {'payment_intent': held['id']}), 400, 'payment_intent_unexpected_state')
    assert error['payment_intent']['status'] == 'requires_capture' and 'Cancel' in error['message']
    error_of(api.post('/v1/refunds', {'charge': held['latest_charge']}), 400, 'charge_not_refundable', 'charge')
    api.ok('POST', path(held, '/cancel'))
    error_of(api.post('/v1/refunds', {'payment_intent': held['id']}), 400, 'payment_intent_unexpected_state')
    made = api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub'})
    error_of(api.post('/v1/refunds', {'payment_intent': made['id']}), 400, 'payment_intent_unexpected_state')


def test_the_same_key_refunds_once(api, linked):
    paid = pay(api, linked)
    data = {'payment_intent': paid['id'], 'amount': 100}
    answers = [api.post('/v1/refunds', data, key='refund-once') for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1 and answers[0].status_code == 200
    assert answers[2].headers['Idempotent-Replayed'] == 'true'
    error = error_of(api.post('/v1/refunds', dict(data, amount=200), key='refund-once'), 400)
    assert error['type'] == 'idempotency_error'
    assert charge(api, paid)['amount_refunded'] == 100
