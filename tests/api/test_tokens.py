"""Test tokens: wherever a payment method can be named, a token of test mode is a card of its own."""

import os
import signal
import threading
import uuid

import pytest
from calls import Client, error_of
from running import LIFTED, Sandbox, Shopper


def create(api, token, **data):
    return api.ok('POST', '/v1/payment_methods', {'type': 'card', 'card[token]': token, **data})


def pay(api, card, key=None, **data):
    form = {'amount': 1099, 'currency': 'rub', 'payment_method': card, 'confirm': 'true'}
    form.update(data)
    return api.post('/v1/payment_intents', form, key=key)


def attach(api, card, customer):
    return api.ok('POST', f'/v1/payment_methods/{card}/attach', {'customer': customer})


# --- making cards


def test_a_card_is_made_of_a_token(api):
    card = create(api, 'tok_visa', **{'billing_details[name]': 'Ivan', 'metadata[a]': 'b', 'allow_redisplay': 'always'})
    assert card['card']['brand'] == 'visa' and card['card']['last4'] == '4242' and card['customer'] is None
    assert card['billing_details']['name'] == 'Ivan' and card['metadata'] == {'a': 'b'}
    assert card['allow_redisplay'] == 'always' and card['livemode'] is False
    again = create(api, 'tok_visa')
    assert again['id'] != card['id'] and again['card']['fingerprint'] == card['card']['fingerprint']
    assert api.ok('GET', f'/v1/payment_methods/{card["id"]}')['billing_details'] == card['billing_details']


@pytest.mark.parametrize('token, brand, last4', [
    ('pm_card_visa', 'visa', '4242'), ('pm_card_mastercard', 'mastercard', '4444'), ('pm_card_amex', 'amex', '0005'),
    ('pm_card_mir', 'mir', '0004'), ('pm_card_unionpay', 'unionpay', '0004'), ('pm_card_discover', 'discover', '1117'),
    ('pm_card_diners', 'diners', '0004'), ('pm_card_jcb', 'jcb', '0505')])
def test_a_token_in_a_path_is_a_new_card(api, token, brand, last4):
    first = api.ok('GET', f'/v1/payment_methods/{token}')
    assert (first['card']['brand'], first['card']['last4']) == (brand, last4)
    assert api.ok('GET', f'/v1/payment_methods/{token}')['id'] != first['id']


def test_attach_detach_and_list(api, customer):
    first = attach(api, 'pm_card_visa', customer)
    second = attach(api, 'pm_card_visa', customer)
    third = attach(api, create(api, 'tok_mastercard')['id'], customer)
    assert len({first['id'], second['id'], third['id']}) == 3 and first['customer'] == customer
    assert first['card']['fingerprint'] == second['card']['fingerprint'] != third['card']['fingerprint']
    listed = api.ok('GET', '/v1/payment_methods', {'customer': customer, 'type': 'card'})['data']
    assert [c['id'] for c in listed] == [third['id'], second['id'], first['id']]
    gone = api.ok('POST', f'/v1/payment_methods/{second["id"]}/detach')
    assert gone['customer'] is None
    error_of(pay(api, second['id'], customer=customer), 400, 'payment_method_unexpected_state')
    changed = api.ok('POST', f'/v1/payment_methods/{first["id"]}', {'metadata[x]': 'y'})
    assert changed['metadata'] == {'x': 'y'}
    types = [e['type'] for e in api.events() if e['data']['object']['id'] == first['id']]
    assert sorted(types) == ['payment_method.attached', 'payment_method.updated']


@pytest.mark.parametrize('token, code', [
    ('pm_card_chargeDeclined', 'card_declined'), ('pm_card_visa_chargeDeclinedLostCard', 'card_declined'),
    ('pm_card_chargeDeclinedExpiredCard', 'expired_card'), ('pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc'),
    ('pm_card_chargeDeclinedProcessingError', 'processing_error')])
def test_a_card_that_its_bank_declines_is_not_attached(api, customer, token, code):
    key = str(uuid.uuid4())
    answer = api.post(f'/v1/payment_methods/{token}/attach', {'customer': customer}, key=key)
    error = error_of(answer, 402, code)
    assert error['payment_method']['customer'] is None and error['advice']['reference']
    assert api.post(f'/v1/payment_methods/{token}/attach', {'customer': customer}, key=key).content == answer.content
    assert api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'] == []
    error_of(api.post(f'/v1/payment_methods/{error["payment_method"]["id"]}/attach', {'customer': customer}), 402, code)


def test_attaching_asks_no_shopper(api, customer):
    card = attach(api, 'pm_card_authenticationRequired', customer)
    assert card['customer'] == customer and card['card']['checks']['cvc_check'] == 'pass'
    assert attach(api, card['id'], customer) == card
    assert pay(api, card['id'], customer=customer).json()['status'] == 'requires_action'


def test_a_customer_comes_with_a_card(api):
    made = api.ok('POST', '/v1/customers', {'payment_method': 'pm_card_visa',
                                            'invoice_settings[default_payment_method]': 'pm_card_visa'})
    cards = api.ok('GET', f'/v1/customers/{made["id"]}/payment_methods')['data']
    assert [c['id'] for c in cards] == [made['invoice_settings']['default_payment_method']]
    error_of(api.post('/v1/customers', {'invoice_settings[default_payment_method]': 'pm_card_visa'}), 400,
             'resource_missing', 'invoice_settings[default_payment_method]')
    error_of(api.post('/v1/customers', {'payment_method': 'pm_card_visa',
                                        'invoice_settings[default_payment_method]': 'pm_card_mastercard'}), 400)


@pytest.mark.parametrize('token, code', [('pm_card_chargeDeclined', 'card_declined'), ('pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc')])
def test_no_customer_comes_with_a_card_that_its_bank_declines(api, token, code):
    key, mail = str(uuid.uuid4()), f'{uuid.uuid4()}@example.com'
    form = {'email': mail, 'payment_method': token, 'invoice_settings[default_payment_method]': token}
    answer = api.post('/v1/customers', form, key=key)
    error = error_of(answer, 402, code)
    assert error['payment_method']['customer'] is None and error['advice']['reference']
    assert api.post('/v1/customers', form, key=key).content == answer.content
    assert api.ok('GET', '/v1/customers', {'email': mail})['data'] == []
    card = error['payment_method']['id']
    error_of(api.post('/v1/customers', {'payment_method': card}), 402, code)


def test_a_customer_is_there_before_their_card(api):
    """Events in the order in which a listener needs them; the bank has looked at the code."""
    key = str(uuid.uuid4())
    form = {'email': 'with-card@example.com', 'name': 'Anna', 'metadata[a]': 'b', 'payment_method': 'pm_card_visa', 'expand[]': 'invoice_settings.default_payment_method',
            'invoice_settings[default_payment_method]': 'pm_card_visa'}
    answer = api.post('/v1/customers', form, key=key)
    made = answer.json()
    assert answer.status_code == 200 and (made['email'], made['name'], made['metadata']) == ('with-card@example.com', 'Anna', {'a': 'b'})
    card = made['invoice_settings']['default_payment_method']
    assert card['customer'] == made['id'] and card['card']['checks']['cvc_check'] == 'pass'
    types = [one['type'] for one in reversed(api.events()) if one['data']['object']['id'] in (made['id'], card['id'])]
    assert types == ['customer.created', 'payment_method.attached']
    assert api.post('/v1/customers', form, key=key).content == answer.content
    assert len(api.ok('GET', f'/v1/customers/{made["id"]}/payment_methods')['data']) == 1
    error_of(api.post('/v1/customers', {'payment_method': card['id']}), 400, 'payment_method_unexpected_state', 'payment_method')
    bare = api.ok('POST', '/v1/customers', {'payment_method': 'pm_card_visa'})
    assert bare['invoice_settings']['default_payment_method'] is None
    error_of(api.post('/v1/customers', {'email': 'x', 'payment_method': 'pm_card_visa'}), 400, 'email_invalid', 'email')


# --- paying


def test_a_payment_with_a_token(api):
    paid = pay(api, 'pm_card_visa').json()
    assert paid['status'] == 'succeeded' and paid['payment_method'].startswith('pm_')
    card = api.ok('GET', f'/v1/payment_methods/{paid["payment_method"]}')
    assert card['card']['last4'] == '4242' and card['customer'] is None
    again = pay(api, paid['payment_method'], off_session='true').json()
    assert again['status'] == 'succeeded' and again['payment_method'] == card['id']
    refund = api.ok('POST', '/v1/refunds', {'payment_intent': paid['id']})
    assert refund['status'] == 'succeeded'


@pytest.mark.parametrize('token, code, decline_code', [
    ('pm_card_chargeDeclined', 'card_declined', 'generic_decline'),
    ('pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'),
    ('pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'),
    ('pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'),
    ('pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'),
    ('pm_card_visa_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'withdrawal_count_limit_exceeded'),
    ('pm_card_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'),
    ('pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', 'incorrect_cvc'),
    ('pm_card_chargeDeclinedProcessingError', 'processing_error', 'processing_error'),
    ('pm_card_chargeCustomerFail', 'card_declined', 'generic_decline'),
])
def test_cards_that_their_bank_declines(api, token, code, decline_code):
    error = error_of(pay(api, token), 402, code)
    assert error['decline_code'] == decline_code, error
    assert error['type'] == 'card_error' and error['charge'].startswith('ch_')
    assert error['payment_intent']['status'] == 'requires_payment_method'


def test_a_card_that_can_be_attached_and_not_charged(api, customer):
    card = attach(api, 'pm_card_chargeCustomerFail', customer)
    error = error_of(pay(api, card['id'], customer=customer, off_session='true'), 402, 'card_declined')
    assert error['payment_method']['id'] == card['id'] and error['payment_method']['customer'] == customer


def test_a_card_whose_bank_asks(sandbox, api, customer):
    error = error_of(pay(api, 'pm_card_authenticationRequired', customer=customer, off_session='true'), 402,
                     'authentication_required')
    assert error['payment_intent']['status'] == 'requires_payment_method'
    error_of(pay(api, 'pm_card_authenticationRequired', error_on_requires_action='true'), 402, 'authentication_required')
    waiting = pay(api, 'pm_card_authenticationRequired', return_url='https://shop.example/r').json()
    assert waiting['status'] == 'requires_action'
    assert waiting['next_action']['redirect_to_url']['return_url'] == 'https://shop.example/r'
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    shopper.until('done')
    assert api.ok('GET', f'/v1/payment_intents/{waiting["id"]}')['status'] == 'succeeded'


@pytest.mark.parametrize('token', ['pm_card_threeDSecure2Required', 'pm_card_authenticationRequiredOnSetup'])
def test_a_bank_that_asks_until_it_knows_the_card(sandbox, api, customer, token):
    waiting = pay(api, token, customer=customer, setup_future_usage='off_session').json()
    assert waiting['status'] == 'requires_action'
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    shopper.until('done')
    paid = api.ok('GET', f'/v1/payment_intents/{waiting["id"]}')
    assert paid['status'] == 'succeeded'
    assert api.ok('GET', f'/v1/payment_methods/{paid["payment_method"]}')['customer'] == customer
    later = pay(api, paid['payment_method'], customer=customer, off_session='true').json()
    assert later['status'] == 'succeeded'
    once = pay(api, token).json()  # paid once, not for later: it asks again
    shopper = Shopper(sandbox, once['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    shopper.until('done')
    assert pay(api, once['payment_method']).json()['status'] == 'requires_action'


def test_a_card_that_was_set_up_elsewhere(api, customer):
    card = attach(api, 'pm_card_authenticationRequiredSetupForOffSession', customer)
    assert pay(api, card['id'], customer=customer, off_session='true').json()['status'] == 'succeeded'


@pytest.mark.parametrize('token, decline_code', [
    ('pm_card_authenticationRequiredChargeDeclinedInsufficientFunds', 'insufficient_funds'),
    ('pm_card_threeDSecureRequiredChargeDeclined', 'do_not_honor')])
def test_a_bank_that_asks_and_then_declines(sandbox, api, token, decline_code):
    waiting = pay(api, token).json()
    assert waiting['status'] == 'requires_action'
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.bring_browser()
    shopper.answer_challenge()
    shopper.until('expired')
    refused = api.ok('GET', f'/v1/payment_intents/{waiting["id"]}')
    assert refused['status'] == 'requires_payment_method'
    assert refused['last_payment_error']['decline_code'] == decline_code


def test_a_question_that_cannot_be_asked(sandbox, api):
    waiting = pay(api, 'pm_card_threeDSecureRequiredProcessingError').json()
    assert waiting['status'] == 'requires_action'
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.bring_browser()
    shopper.until('expired')
    refused = api.ok('GET', f'/v1/payment_intents/{waiting["id"]}')
    assert refused['status'] == 'requires_payment_method' and refused['last_payment_error']['code']


@pytest.mark.parametrize('token', ['pm_card_threeDSecureOptional', 'pm_card_amex_threeDSecureNotSupported',
                                   'pm_card_cvcCheckFail', 'pm_card_bypassPending', 'tok_visa_debit', 'tok_mastercard_debit',
                                   'tok_mastercard_prepaid'])
def test_other_cards_that_pay(api, token):
    assert pay(api, token).json()['status'] == 'succeeded'


def test_create_update_confirm_each_name_a_token(api):
    made = api.ok('POST', '/v1/payment_intents', {'amount': 500, 'currency': 'rub', 'payment_method': 'pm_card_visa'})
    assert made['status'] == 'requires_confirmation'
    first = made['payment_method']
    path = f'/v1/payment_intents/{made["id"]}'
    changed = api.ok('POST', path, {'payment_method': 'pm_card_mastercard', 'expand[]': 'payment_method'})
    assert changed['payment_method']['card']['brand'] == 'mastercard' and changed['payment_method']['id'] != first
    error_of(api.post(path + '/confirm', {'payment_method': 'pm_card_chargeDeclined'}), 402, 'card_declined')
    paid = api.ok('POST', path + '/confirm', {'payment_method': 'pm_card_visa', 'expand[]': 'latest_charge'})
    assert paid['status'] == 'succeeded' and paid['payment_method'] not in (first, changed['payment_method']['id'])
    assert paid['latest_charge']['payment_method_details']['card']['last4'] == '4242'


def test_a_token_as_data(api):
    data = {'payment_method_data[type]': 'card', 'payment_method_data[card][token]': 'tok_visa',
            'payment_method_data[billing_details][name]': 'Ivan', 'expand[]': 'payment_method'}
    form = {'amount': 500, 'currency': 'usd', **data}
    made = api.ok('POST', '/v1/payment_intents', form)
    assert made['status'] == 'requires_confirmation' and made['payment_method']['card']['last4'] == '4242'
    assert made['payment_method']['billing_details']['name'] == 'Ivan' and 'payment_method_data' not in made
    path = f'/v1/payment_intents/{made["id"]}'
    assert api.ok('POST', path, dict(data, **{'payment_method_data[card][token]': 'tok_mastercard'}))[
        'payment_method']['card']['last4'] == '4444'
    paid = api.ok('POST', path + '/confirm', dict(data, return_url='https://shop.example/'))
    assert paid['status'] == 'succeeded' and paid['payment_method']['card']['last4'] == '4242'
    assert api.ok('POST', '/v1/payment_intents', dict(form, confirm='true'))['status'] == 'succeeded'
    error_of(api.post('/v1/payment_intents', dict(form, payment_method='pm_card_visa')), 400, 'parameters_exclusive')
    error_of(api.post('/v1/payment_intents', dict(form, **{'payment_method_data[card][token]': 'eyJ'})), 400, param='payment_method_data')
    del form['payment_method_data[card][token]']
    error_of(api.post('/v1/payment_intents', form), 400, 'parameter_missing', 'payment_method_data[card]')


def test_setup_future_usage_attaches(api, customer):
    paid = pay(api, 'pm_card_visa', customer=customer, setup_future_usage='off_session').json()
    cards = api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']
    assert [c['id'] for c in cards] == [paid['payment_method']]
    held = pay(api, 'tok_visa', customer=customer, setup_future_usage='off_session', capture_method='manual').json()
    assert held['status'] == 'requires_capture'
    cards = api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']
    assert [c['id'] for c in cards] == [held['payment_method'], paid['payment_method']]
    assert api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture')['status'] == 'succeeded'


# --- linking


def set_up(api, token, **data):
    return api.post('/v1/setup_intents', {'payment_method': token, 'confirm': 'true', **data})


def test_a_link_with_a_token(api, customer):
    linked = set_up(api, 'pm_card_visa', customer=customer, **{'expand[]': 'payment_method'}).json()
    assert linked['status'] == 'succeeded' and linked['next_action'] is None
    card = linked['payment_method']
    assert card['customer'] == customer and card['card']['checks']['cvc_check'] == 'pass'
    attempts = api.ok('GET', '/v1/setup_attempts', {'setup_intent': linked['id']})['data']
    assert [a['status'] for a in attempts] == ['succeeded']
    assert pay(api, card['id'], customer=customer, off_session='true').json()['status'] == 'succeeded'
    again = set_up(api, 'pm_card_visa', customer=customer).json()
    assert again['status'] == 'succeeded' and again['payment_method'] != card['id']


def test_create_update_confirm_of_a_setup_intent(api, customer):
    made = api.setup_intent(customer, payment_method='pm_card_visa')
    assert made['status'] == 'requires_confirmation'
    path = f'/v1/setup_intents/{made["id"]}'
    changed = api.ok('POST', path, {'payment_method': 'pm_card_mastercard'})
    assert changed['payment_method'] != made['payment_method']
    linked = api.ok('POST', path + '/confirm')
    assert linked['status'] == 'succeeded' and linked['payment_method'] == changed['payment_method']
    made = api.setup_intent(customer)
    error = error_of(api.post(f'/v1/setup_intents/{made["id"]}/confirm', {'payment_method': 'pm_card_chargeDeclined'}),
                     402, 'card_declined')
    assert error['setup_intent']['status'] == 'requires_payment_method'
    linked = api.ok('POST', f'/v1/setup_intents/{made["id"]}/confirm', {
        'payment_method_data[type]': 'card', 'payment_method_data[card][token]': 'tok_mastercard',
        'payment_method_data[billing_details][name]': 'Ivan', 'expand[]': 'payment_method'})
    assert linked['payment_method']['billing_details']['name'] == 'Ivan'
    assert linked['payment_method']['card']['last4'] == '4444'


def test_a_link_that_the_issuer_asks_about(sandbox, api, customer):
    waiting = set_up(api, 'pm_card_authenticationRequiredOnSetup', customer=customer,
                    return_url='https://shop.example/r').json()
    assert waiting['status'] == 'requires_action' and waiting['next_action']['redirect_to_url']['url']
    shopper = Shopper(sandbox, waiting['client_secret'])
    shopper.answer_challenge()
    shopper.until('done')
    linked = api.ok('GET', f'/v1/setup_intents/{waiting["id"]}')
    assert linked['status'] == 'succeeded'
    assert pay(api, linked['payment_method'], customer=customer, off_session='true').json()['status'] == 'succeeded'


def test_a_link_whose_code_does_not_match(api, customer):
    error_of(set_up(api, 'pm_card_cvcCheckFail', customer=customer), 402, 'incorrect_cvc')


def test_an_attached_card_survives_a_link_that_fails(api):
    customer = api.customer(payment_method='pm_card_threeDSecureRequiredProcessingError')
    card = api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'][0]
    error_of(set_up(api, card['id'], customer=customer), 402, 'processing_error')
    assert api.ok('GET', f'/v1/payment_methods/{card["id"]}')['customer'] == customer
    assert pay(api, card['id'], customer=customer).json()['status'] == 'requires_action'


# --- what is refused


def test_unknown_tokens(api, customer):
    for token in ('pm_card_nobody', 'tok_nobody', 'pm_card_', 'tok_' + 'v' * 120):
        error = error_of(pay(api, token), 404, 'resource_missing', 'payment_method')
        assert token[:60] in error['message']
        error_of(api.get(f'/v1/payment_methods/{token}'), 404, 'resource_missing', 'payment_method')
    error_of(api.post('/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_nobody'}), 404, 'resource_missing',
             'card[token]')
    error_of(pay(api, 'pm_card_' + 'v' * 200), 400)
    error_of(set_up(api, 'pm_card_visa', **{'payment_method_data[card][token]': 'tok_visa'}), 400, 'parameters_exclusive')


def test_a_refused_request_leaves_no_card(sandbox, api, customer):
    error_of(pay(api, 'pm_card_visa', return_url='nowhere'), 400, 'url_invalid')
    error_of(api.post('/v1/payment_methods/pm_card_visa/attach', {'customer': 'cus_nobody'}), 404, 'resource_missing')
    error_of(api.post('/v1/payment_methods/pm_card_visa/detach'), 400, 'payment_method_unexpected_state')
    error_of(api.post('/v1/payment_methods/pm_card_visa', {'metadata[a]': 'b'}), 400, 'payment_method_unexpected_state')
    key = str(uuid.uuid4())
    error_of(pay(api, 'pm_card_nobody', key=key), 404)
    assert pay(api, 'pm_card_visa', key=key).status_code == 200  # the key was not used up


# --- once for each key


def test_the_same_key_makes_one_card(api, customer):
    key = str(uuid.uuid4())
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(pay(api, 'pm_card_visa', key=key, customer=customer)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200} and len({a.content for a in answers}) == 1
    assert len(api.ok('GET', '/v1/charges', {'customer': customer})['data']) == 1
    assert pay(api, 'pm_card_visa', key=key, customer=customer).content == answers[0].content
    error = error_of(pay(api, 'pm_card_mastercard', key=key, customer=customer), 400)
    assert error['type'] == 'idempotency_error'


def ask_until_answered(ask):
    """What a client's retries do while a program is being started anew."""
    while True:
        try:
            answer = ask()
        except OSError:
            continue
        if answer.status_code != 503:
            return answer


@pytest.mark.parametrize('program', ['core', 'vault'])
def test_a_program_dies_while_cards_are_made(sandbox, api, customer, program):
    """Whenever it dies: the same key again gives one payment, with one card."""
    for n in range(4):
        key = str(uuid.uuid4())
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask_until_answered(
            lambda: pay(api, 'pm_card_visa', key=key, customer=customer, amount=5000 + n,
                        setup_future_usage='off_session'))))
        thread.start()
        if n % 2:
            while not [c for c in charges_of(api, customer) if c['amount'] == 5000 + n] and thread.is_alive():
                pass  # until the attempt is durable
        kill(sandbox, program)
        thread.join()
        last = ask_until_answered(lambda: pay(api, 'pm_card_visa', key=key, customer=customer, amount=5000 + n,
                                              setup_future_usage='off_session'))
        charges = [c for c in charges_of(api, customer) if c['amount'] == 5000 + n]
        assert len(charges) == 1, (n, answers, charges)
        assert last.status_code in (200, 402) and (last.status_code == 200) == charges[0]['paid'], last.text
        assert answers[0].content == last.content
    cards = api.ok('GET', f'/v1/customers/{customer}/payment_methods', {'limit': 100})['data']
    assert len(cards) == len([c for c in charges_of(api, customer) if c['paid']])


def test_core_dies_while_a_card_is_attached(sandbox, api, customer):
    for n in range(4):
        key = str(uuid.uuid4())

        def ask():
            return api.post('/v1/payment_methods/pm_card_visa/attach', {'customer': customer}, key=key)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(ask_until_answered(ask)))
        thread.start()
        if n % 2:
            thread.join(0.01 * n)
        kill(sandbox, 'core')
        thread.join()
        last = ask_until_answered(ask)
        assert last.content == answers[0].content
        assert last.status_code == 402 or last.json()['customer'] == customer
        cards = ask_until_answered(lambda: api.get(f'/v1/customers/{customer}/payment_methods')).json()['data']
        assert [c['id'] for c in cards] == ([last.json()['id']] if last.status_code == 200 else [])
        for card in cards:
            api.ok('POST', f'/v1/payment_methods/{card["id"]}/detach')


def kill(sandbox, program):
    while True:
        try:
            os.kill(sandbox.pid(program), signal.SIGKILL)
            return
        except StopIteration:
            pass  # it is being started anew


def charges_of(api, customer):
    return ask_until_answered(lambda: api.get('/v1/charges', customer=customer, limit=100)).json()['data']


# --- where there are none


def test_a_live_server_knows_no_tokens():
    live = Sandbox(LIFTED + '\nlive = yes')
    try:
        api = Client(live, live.merchant().secret_key)
        customer = api.customer()
        for answer in (pay(api, 'pm_card_visa'), api.get('/v1/payment_methods/pm_card_visa'),
                       api.post('/v1/payment_methods', {'type': 'card', 'card[token]': 'tok_visa'}),
                       api.post('/v1/payment_methods/tok_visa/attach', {'customer': customer}),
                       set_up(api, 'pm_card_visa'), api.post('/v1/customers', {'payment_method': 'tok_visa'})):
            error = error_of(answer, 404, 'resource_missing')
            assert 'this server is live' in error['message']
    finally:
        live.stop()
