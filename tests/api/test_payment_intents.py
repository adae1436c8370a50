"""PaymentIntents: one tap, refusals, charges, idempotency."""

import os
import signal
import threading
import uuid

import pytest
from calls import NO_FUNDS, PAYMENT_REFUSED, PAYMENT_SILENT, PROOF_FOR_PAYMENTS, REFUSED, error_of
from running import Shopper


def pay(api, linked, key=None, **data):
    form = {'amount': 1099, 'currency': 'RUB', 'customer': linked['customer'],
            'payment_method': linked['card'], 'confirm': 'true'}
    form.update(data)
    return api.post('/v1/payment_intents', form, key=key)


@pytest.fixture(scope='module')
def poor(api):
    customer = api.customer()
    return {'customer': customer, 'card': api.link(customer, NO_FUNDS)['payment_method']}


def test_a_payment_in_one_tap(api, linked):
    answer = pay(api, linked, off_session='true', description='Mug', **{
        'metadata[order]': '1', 'expand[0]': 'latest_charge', 'expand[1]': 'payment_method'})
    assert answer.status_code == 200, answer.text
    paid = answer.json()
    assert paid['status'] == 'succeeded' and paid['amount_received'] == 1099 and paid['currency'] == 'rub'
    charge = paid['latest_charge']
    assert charge['paid'] and charge['captured'] and charge['amount_captured'] == 1099
    assert charge['payment_intent'] == paid['id'] and charge['description'] == 'Mug'
    assert charge['metadata'] == {'order': '1'} and charge['outcome']['type'] == 'authorized'
    assert charge['payment_method_details']['card']['last4'] == '4242'
    assert charge['payment_method_details']['card']['authorization_code']
    assert paid['payment_method']['id'] == linked['card']
    assert api.ok('GET', f'/v1/payment_intents/{paid["id"]}')['latest_charge'] == charge['id']
    assert api.ok('GET', f'/v1/charges/{charge["id"]}')['id'] == charge['id']
    listed = api.ok('GET', '/v1/charges', {'payment_intent': paid['id'], 'expand[]': 'data.payment_intent.customer'})
    assert [c['payment_intent']['customer']['id'] for c in listed['data']] == [linked['customer']]
    assert paid['id'] in [i['id'] for i in
                          api.ok('GET', '/v1/payment_intents', {'customer': linked['customer'], 'limit': 100})['data']]
    types = {e['type'] for e in api.events() if e['data']['object']['id'] in (paid['id'], charge['id'])}
    assert types == {'payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'}


def test_who_pays_with_what_is_looked_at_together(api, linked):
    """A card of the customer who is named proves the customer; any other card proves nothing, and with a customer go the cards."""
    gone = api.customer()
    card = api.link(gone)['payment_method']
    assert pay(api, {'customer': gone, 'card': card}).status_code == 200
    error_of(pay(api, {'customer': linked['customer'], 'card': card}), 400, 'payment_method_unexpected_state')
    assert api('DELETE', f'/v1/customers/{gone}').status_code == 200
    for named in (card, linked['card']):
        error_of(pay(api, {'customer': gone, 'card': named}), 404, 'resource_missing', 'customer')
    error_of(pay(api, {'customer': linked['customer'], 'card': card}), 400, 'payment_method_unexpected_state')


def test_create_change_then_confirm(api, linked):
    made = api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub', 'off_session': 'false'})
    assert made['status'] == 'requires_payment_method' and made['latest_charge'] is None
    path = f'/v1/payment_intents/{made["id"]}'
    error_of(api.post(path + '/confirm'), 400, 'payment_intent_unexpected_state')
    error_of(api.post(path, {'payment_method': linked['card']}), 400, 'payment_method_unexpected_state')
    changed = api.ok('POST', path, {'amount': 600, 'customer': linked['customer'],
                                    'payment_method': linked['card'], 'metadata[a]': 'b'})
    assert changed['status'] == 'requires_confirmation' and changed['amount'] == 600
    error_of(api.post(path + '/confirm', {'amount_to_confirm': 500}), 400, param='amount_to_confirm')
    paid = api.ok('POST', path + '/confirm', {'return_url': 'https://shop.example/r'})
    assert paid['status'] == 'succeeded' and paid['amount_received'] == 600
    for verb in ('confirm', 'cancel'):
        error = error_of(api.post(f'{path}/{verb}'), 400, 'payment_intent_unexpected_state')
        assert error['payment_intent']['status'] == 'succeeded'
    error_of(api.post(path, {'amount': 700}), 400, 'payment_intent_unexpected_state')
    assert api.ok('POST', path, {'metadata[a]': 'c'})['metadata'] == {'a': 'c'}


def test_a_declined_payment_is_402_with_everything_inside(api, poor):
    answer = pay(api, poor)
    error = error_of(answer, 402, 'card_declined')
    assert error['decline_code'] == 'insufficient_funds' and error['type'] == 'card_error'
    assert error['advice_code'] == 'try_again_later' and error['network_decline_code'] == '51'
    intent = error['payment_intent']
    assert intent['status'] == 'requires_payment_method' and intent['payment_method'] is None
    assert intent['last_payment_error']['decline_code'] == 'insufficient_funds'
    assert intent['latest_charge'] == error['charge'] and error['payment_method']['id'] == poor['card']
    charge = api.ok('GET', f'/v1/charges/{error["charge"]}')
    assert charge['status'] == 'failed' and not charge['paid'] and charge['failure_code'] == 'card_declined'
    assert charge['outcome']['network_status'] == 'declined_by_network'
    types = {e['type'] for e in api.events() if e['data']['object']['id'] in (intent['id'], charge['id'])}
    assert types == {'payment_intent.created', 'charge.failed', 'payment_intent.payment_failed'}
    failed = [e for e in api.events(type='payment_intent.payment_failed')
              if e['data']['object']['id'] == intent['id']][0]
    assert failed['data']['object']['last_payment_error']['decline_code'] == 'insufficient_funds'
    assert api.ok('POST', f'/v1/payment_intents/{intent["id"]}', {'metadata[a]': 'b'})['last_payment_error'] is None


def test_who_is_there_is_said_when_it_is_confirmed(api):
    for name, values in (('off_session', ('true', 'True', 'recurring')), ('error_on_requires_action', ('true',))):
        for value in values:
            for more in ({}, {'confirm': 'false'}):
                answer = api.post('/v1/payment_intents', {'amount': 500, 'currency': 'rub', name: value, **more})
                assert 'confirm=true' in error_of(answer, 400, param=name)['message']
        assert api.post('/v1/payment_intents', {'amount': 500, 'currency': 'rub', name: 'False'}).status_code == 200


def test_off_session_and_the_bank_asks(sandbox, api):
    customer = api.customer()
    intent = api.setup_intent(customer)
    assert api.confirm(intent, PROOF_FOR_PAYMENTS).json()['status'] == 'requires_action'
    shopper = Shopper(sandbox, intent['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    assert shopper.until('done')['card']['last4'] == '3184'
    card = api.ok('GET', f'/v1/setup_intents/{intent["id"]}', {'expand[]': 'latest_attempt'})
    secure = card['latest_attempt']['payment_method_details']['card']['three_d_secure']
    assert secure['authentication_flow'] == 'challenge' and secure['result'] == 'authenticated'
    assert secure['version'] == '2.2.0'
    linked = {'customer': customer, 'card': card['payment_method']}
    error = error_of(pay(api, linked, off_session='true'), 402, 'authentication_required')
    assert error['payment_intent']['status'] == 'requires_payment_method'
    error = error_of(pay(api, linked, error_on_requires_action='true'), 402, 'authentication_required')
    assert error['payment_intent']['next_action'] is None
    waiting = pay(api, linked, return_url='https://shop.example/r').json()
    assert waiting['status'] == 'requires_action' and waiting['latest_charge'] is None
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    shopper.until('done')
    paid = api.ok('GET', f'/v1/payment_intents/{waiting["id"]}')
    assert paid['status'] == 'succeeded' and paid['amount_received'] == 1099


def test_cards_that_cannot_be_charged(api, linked, customer):
    error_of(pay(api, {'customer': customer, 'card': linked['card']}), 400, 'payment_method_unexpected_state')
    error_of(pay(api, {'customer': linked['customer'], 'card': 'pm_nobody'}), 404, 'resource_missing')
    error_of(pay(api, linked, payment_method=''), 400, 'parameter_invalid_empty')
    error_of(api.post('/v1/payment_intents', {'amount': 1, 'currency': 'rub', 'confirm': 'true'}), 400,
             'parameter_missing')
    error = error_of(api.confirm(api.setup_intent(customer), REFUSED), 402)
    error_of(pay(api, {'customer': customer, 'card': error['payment_method']['id']}), 400,
             'payment_method_unexpected_state')
    error_of(pay(api, linked, **{'payment_method_data[card][encrypted]': 'x'}), 400, 'parameters_exclusive')
    error_of(pay(api, linked, **{'payment_method_data[card][number]': '4242424242424242'}), 400, 'parameter_unknown')


def test_cancel(api, linked):
    made = pay(api, linked, confirm='false').json()
    assert made['status'] == 'requires_confirmation'
    gone = api.ok('POST', f'/v1/payment_intents/{made["id"]}/cancel', {'cancellation_reason': 'requested_by_customer'})
    assert gone['status'] == 'canceled' and gone['canceled_at'] and gone['cancellation_reason'] == 'requested_by_customer'
    assert error_of(api.post(f'/v1/payment_intents/{made["id"]}/confirm'), 400,
                    'payment_intent_unexpected_state')['payment_intent']['id'] == made['id']


# --- idempotency


def test_the_same_key_gives_the_same_bytes(api, linked):
    key = str(uuid.uuid4())
    first = pay(api, linked, key=key)
    second = pay(api, linked, key=key)
    assert first.status_code == 200 and first.content == second.content
    assert 'Idempotent-Replayed' not in first.headers and second.headers['Idempotent-Replayed'] == 'true'
    answer = pay(api, linked, key=key, amount=1100)
    assert error_of(answer, 400)['type'] == 'idempotency_error'
    other = api.post('/v1/customers', {'name': 'x'}, key=key)
    assert error_of(other, 400)['type'] == 'idempotency_error'


def test_keys_of_two_merchants_are_two_keys(api, other):
    key = str(uuid.uuid4())
    first = api.post('/v1/customers', {'name': 'x'}, key=key).json()
    second = other.post('/v1/customers', {'name': 'x'}, key=key).json()
    assert first['id'] != second['id']


def test_a_decline_is_replayed_too(api, poor):
    key = str(uuid.uuid4())
    first = pay(api, poor, key=key)
    second = pay(api, poor, key=key)
    assert first.status_code == second.status_code == 402 and first.content == second.content
    assert second.headers['Idempotent-Replayed'] == 'true'
    intent = first.json()['error']['payment_intent']['id']
    assert len(api.ok('GET', '/v1/charges', {'payment_intent': intent})['data']) == 1


def test_a_refused_request_does_not_use_up_the_key(api, linked):
    key = str(uuid.uuid4())
    error_of(pay(api, linked, key=key, amount='x'), 400, 'parameter_invalid_integer')
    paid = pay(api, linked, key=key)
    assert paid.status_code == 200 and 'Idempotent-Replayed' not in paid.headers


def test_long_keys_are_refused(api):
    error_of(api.post('/v1/customers', {}, key='k' * 256), 400)
    assert api.post('/v1/customers', {}, key='k' * 255).status_code == 200


def test_many_at_once_with_one_key_make_one_payment(api, linked):
    key = str(uuid.uuid4())
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(pay(api, linked, key=key, amount=777)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200}
    assert len({a.content for a in answers}) == 1
    charges = api.ok('GET', '/v1/charges', {'customer': linked['customer'], 'limit': 100})['data']
    assert len([c for c in charges if c['amount'] == 777]) == 1


def test_links_are_idempotent_too(api, customer):
    intent = api.setup_intent(customer)
    key = str(uuid.uuid4())
    jwe = {'payment_method_data[card][encrypted]': api.encrypt(intent['id'], PAYMENT_REFUSED)}
    first = api.confirm(intent, key=key, **jwe)
    second = api.confirm(intent, key=key, **jwe)
    assert first.status_code == 200 and first.content == second.content
    assert second.headers['Idempotent-Replayed'] == 'true'


def test_a_key_outlives_core(sandbox, api):
    """The bank is silent, core is killed while a payment waits: who asks again with the key gets the
    end of that payment, not a second one."""
    customer = api.customer()
    linked = {'customer': customer, 'card': api.link(customer, PAYMENT_SILENT)['payment_method']}
    key = str(uuid.uuid4())
    answers = []

    def ask():
        try:
            answers.append(pay(api, linked, key=key))
        except OSError as error:
            answers.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    own = {}
    while not own.get('data'):  # until the attempt is durable
        own = api.ok('GET', '/v1/charges', {'customer': customer})
    os.kill(sandbox.pid('core'), signal.SIGKILL)
    thread.join()
    again = pay(api, linked, key=key)
    while again.status_code == 503:  # core is starting
        again = pay(api, linked, key=key)
    error = error_of(again, 402, 'processing_error')
    assert error['charge'] == own['data'][0]['id']
    assert len(api.ok('GET', '/v1/charges', {'customer': customer})['data']) == 1
    assert pay(api, linked, key=key).content == again.content
