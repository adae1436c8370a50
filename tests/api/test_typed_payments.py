"""A PaymentIntent that is confirmed with a card which the shopper typed: what the bank is asked, what is kept, what is refused."""

import uuid

import pytest

from calls import BY_SMS, GOOD, LOST, NO_FUNDS, PAYMENT_REFUSED, PROOF_FOR_PAYMENTS, REFUSED, SILENT, error_of
from running import Shopper

CARD = 'payment_method_data[card][encrypted]'


def make(api, customer=None, **data):
    form = dict({'amount': 1099, 'currency': 'rub'}, **data)
    if customer:
        form['customer'] = customer
    return api.ok('POST', '/v1/payment_intents', form)


def confirm(api, intent, number=GOOD, key=None, as_client=None, **data):
    """Confirms with a card that is encrypted for this intent; the raw answer."""
    data.setdefault('payment_method_data[type]', 'card')
    data.setdefault(CARD, api.encrypt(intent['id'], number))
    data = {name: value for name, value in data.items() if value is not None}
    return (as_client or api).post(f'/v1/payment_intents/{intent["id"]}/confirm', data, key=key)


def see(api, intent, *expand):
    return api.ok('GET', f'/v1/payment_intents/{intent["id"]}', {f'expand[{i}]': name for i, name in enumerate(expand)})


def through(api, intent, questions=0):
    """The shopper's browser, until the payment is at rest; answers as many questions of the bank."""
    shopper = Shopper(api.sandbox, intent['client_secret'])
    shopper.bring_browser()
    for _ in range(questions):
        shopper.answer_challenge()
        state = shopper.until('preparing', 'challenge', 'done', 'expired')
        if state['step'] == 'preparing':
            shopper.bring_browser()
    shopper.until('done', 'expired')
    return see(api, intent)


def paid(api, intent, number=GOOD, **data):
    answer = confirm(api, intent, number, **data)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    if done['status'] == 'requires_action':
        done = through(api, intent)
    assert done['status'] == 'succeeded', done
    return done


def cards_of(api, customer):
    return api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']


def test_a_typed_card_pays_and_is_not_kept(api, customer):
    intent = make(api, customer, **{'metadata[order]': '9'})
    answer = confirm(api, intent, return_url='https://shop.example/back')
    assert answer.status_code == 200, answer.text
    waiting = answer.json()
    if waiting['status'] == 'requires_action':
        action = waiting['next_action']
        assert action['type'] == 'redirect_to_url' and action['redirect_to_url']['return_url'] == 'https://shop.example/back'
        assert action['redirect_to_url']['url'].endswith('/c/' + intent['client_secret'])
        assert waiting['latest_charge'] is None
        through(api, intent)
    done = see(api, intent, 'latest_charge', 'payment_method')
    assert done['status'] == 'succeeded' and done['amount_received'] == 1099
    assert done['latest_charge']['payment_method'] == done['payment_method']['id']
    assert done['payment_method']['customer'] is None and done['payment_method']['card']['last4'] == '4242'
    assert cards_of(api, customer) == []
    assert api.ok('GET', '/v1/setup_intents', {'customer': customer})['data'] == []
    types = [e['type'] for e in api.events() if e['data']['object']['id'] in (done['id'], done['latest_charge']['id'])]
    assert types.count('payment_intent.succeeded') == 1 and types.count('charge.succeeded') == 1
    assert not {'payment_method.attached', 'customer.updated', 'setup_intent.succeeded'} & {
        e['type'] for e in api.events() if e['data']['object'].get('customer') == customer or e['data']['object']['id'] == customer}


def test_it_cannot_be_used_again(api, customer):
    card = paid(api, make(api, customer))['payment_method']
    error_of(api.post(f'/v1/payment_methods/{card}/attach', {'customer': customer}), 400, 'payment_method_unexpected_state')
    error_of(api.post('/v1/payment_intents', {'amount': 5, 'currency': 'rub', 'customer': customer, 'payment_method': card,
                                              'confirm': 'true'}), 400, 'payment_method_unexpected_state')
    error_of(api.post('/v1/setup_intents', {'customer': customer, 'payment_method': card}), 400, 'payment_method_unexpected_state')
    error_of(api.post(f'/v1/payment_methods/{card}', {'metadata[a]': 'b'}), 400, 'payment_method_unexpected_state')


def test_what_was_paid_with_it_can_be_given_back(api):
    intent = paid(api, make(api))
    refund = api.ok('POST', '/v1/refunds', {'payment_intent': intent['id'], 'amount': 99})
    assert refund['status'] == 'succeeded'


def test_it_can_be_held_and_captured(api, customer):
    intent = make(api, customer, capture_method='manual')
    confirm(api, intent)
    held = see(api, intent) if see(api, intent)['status'] == 'requires_capture' else through(api, intent)
    assert held['status'] == 'requires_capture' and held['amount_capturable'] == 1099
    done = api.ok('POST', f'/v1/payment_intents/{intent["id"]}/capture', {'amount_to_capture': 1000})
    assert done['status'] == 'succeeded' and done['amount_received'] == 1000


def test_a_card_that_is_for_later_goes_on_file(api, customer):
    intent = paid(api, make(api, customer, setup_future_usage='off_session'))
    assert [card['id'] for card in cards_of(api, customer)] == [intent['payment_method']]
    default = api.ok('GET', f'/v1/customers/{customer}')['invoice_settings']['default_payment_method']
    assert default == intent['payment_method']
    again = api.ok('POST', '/v1/payment_intents', {'amount': 5, 'currency': 'rub', 'customer': customer, 'confirm': 'true',
                                                   'off_session': 'true', 'payment_method': intent['payment_method']})
    assert again['status'] == 'succeeded'
    # The same card once more is the same payment method, as with a SetupIntent.
    second = paid(api, make(api, customer), setup_future_usage='on_session')
    assert second['payment_method'] == intent['payment_method'] and len(cards_of(api, customer)) == 1


def test_the_bank_asks_the_shopper(api, customer):
    intent = make(api, customer)
    first = confirm(api, intent, BY_SMS).json()
    assert first['status'] == 'requires_action'
    error_of(confirm(api, intent), 400, 'payment_intent_unexpected_state')
    done = through(api, intent, questions=1)
    assert done['status'] == 'succeeded', done
    assert [c['status'] for c in api.ok('GET', '/v1/charges', {'payment_intent': intent['id']})['data']] == ['succeeded']


def test_the_shopper_is_asked_once(api, customer):
    """What the issuer said when the card was verified is the proof for the payment that follows."""
    intent = make(api, customer)
    confirm(api, intent, PROOF_FOR_PAYMENTS)
    assert through(api, intent, questions=1)['status'] == 'succeeded'
    charge = see(api, intent, 'latest_charge')['latest_charge']
    assert charge['payment_method_details']['card']['three_d_secure']['result'] == 'authenticated'


@pytest.mark.parametrize('number, charged', [(REFUSED, False), (LOST, False), (PAYMENT_REFUSED, True), (NO_FUNDS, True)])
def test_a_refusal_leaves_the_intent_open(api, customer, number, charged):
    intent = make(api, customer)
    answer = confirm(api, intent, number)
    if answer.status_code == 200:
        after = through(api, intent)
        error = after['last_payment_error']
    else:
        error = error_of(answer, 402)
        after = error['payment_intent']
        assert after['id'] == intent['id'] and error['payment_method']['customer'] is None
    assert after['status'] == 'requires_payment_method' and after['payment_method'] is None
    assert error['type'] == 'card_error' and error['advice'] and after['last_payment_error']['code'] == error['code']
    charges = api.ok('GET', '/v1/charges', {'payment_intent': intent['id']})['data']
    assert [c['status'] for c in charges] == (['failed'] if charged else [])
    assert after['latest_charge'] == (charges[0]['id'] if charged else None) and ('charge' in error) == charged
    failed = [e for e in api.events(type='payment_intent.payment_failed') if e['data']['object']['id'] == intent['id']]
    assert len(failed) == 1 and failed[0]['data']['object']['last_payment_error']['code'] == error['code']
    # Another card, the same intent.
    assert paid(api, intent)['last_payment_error'] is None
    assert cards_of(api, customer) == []


def test_a_bank_that_does_not_answer(api, customer):
    intent = make(api, customer)
    answer = confirm(api, intent, SILENT)
    error = error_of(answer, answer.status_code)
    assert error['payment_intent']['status'] == 'requires_payment_method' and error['advice']['again'] != 'never'
    assert paid(api, intent)['status'] == 'succeeded'


def test_a_card_is_encrypted_for_this_intent_and_good_once(api, customer):
    intent, another = make(api, customer), make(api, customer)
    setup = api.setup_intent(customer)
    for foreign in (another['id'], setup['id']):
        error = error_of(confirm(api, intent, **{CARD: api.encrypt(foreign)}), 400, 'encrypted_card_other_intent')
        assert error['payment_intent']['status'] == 'requires_payment_method'
    error_of(api.confirm(setup, **{CARD: api.encrypt(intent['id'])}), 400, 'encrypted_card_other_intent')
    now = api.keys()['now']
    error_of(confirm(api, intent, **{CARD: api.encrypt(intent['id'], issued=now - 400)}), 400, 'encrypted_card_stale')
    error_of(confirm(api, intent, **{CARD: 'x.y.z.a.b'}), 400, 'encrypted_card_unreadable')
    jwe = api.encrypt(intent['id'], REFUSED)
    error_of(confirm(api, intent, **{CARD: jwe}), 402)
    error_of(confirm(api, intent, **{CARD: jwe}), 400, 'token_already_used')
    assert paid(api, intent)['status'] == 'succeeded'


def test_where_no_card_can_be_typed(api, customer, linked):
    intent = make(api, customer)
    path = f'/v1/payment_intents/{intent["id"]}'
    typed = {'payment_method_data[type]': 'card', CARD: api.encrypt(intent['id'])}
    error_of(api.post(path, typed), 400, param='payment_method_data')
    error_of(api.post('/v1/payment_intents', dict(typed, amount=5, currency='rub', confirm='true')), 400, param='payment_method_data')
    error_of(confirm(api, intent, off_session='true'), 400, param='off_session')
    error_of(confirm(api, intent, payment_method=linked['card']), 400, 'parameters_exclusive')
    error_of(confirm(api, intent, **{'payment_method_data[card][token]': typed[CARD]}), 400, 'parameters_exclusive')
    error_of(api.post(path + '/confirm', {'payment_method_data[type]': 'card'}), 400, 'parameter_missing', 'payment_method_data[card]')
    error_of(confirm(api, intent, **{CARD: None, 'payment_method_data[card][number]': GOOD}), 400, 'parameter_unknown')
    assert see(api, intent)['status'] == 'requires_payment_method'


def test_nobody_may_have_to_act(api, customer):
    intent = make(api, customer)
    error = error_of(confirm(api, intent, BY_SMS, error_on_requires_action='true'), 402, 'authentication_required')
    assert error['payment_intent']['status'] == 'requires_payment_method'


def test_a_token_in_the_place_that_typed_clients_have(api, customer):
    intent = make(api, customer)
    jwe = api.encrypt(intent['id'])
    assert confirm(api, intent, **{CARD: None, 'payment_method_data[card][token]': jwe}).status_code == 200


def test_billing_details_are_the_cards(api, customer):
    intent = make(api, customer)
    confirm(api, intent, **{'payment_method_data[billing_details][email]': 'a@b.example'})
    through(api, intent)
    assert see(api, intent, 'payment_method')['payment_method']['billing_details']['email'] == 'a@b.example'
    assert see(api, intent, 'latest_charge')['latest_charge']['billing_details']['email'] == 'a@b.example'


def test_a_browser_confirms_with_its_secret(api, browser_api, customer):
    intent = make(api, customer)
    error_of(confirm(api, intent, as_client=browser_api), 400)
    answer = confirm(api, intent, as_client=browser_api, client_secret=intent['client_secret'])
    assert answer.status_code == 200, answer.text
    assert answer.json()['status'] in ('requires_action', 'succeeded') and 'customer' not in answer.json()
    assert through(api, intent)['status'] == 'succeeded'


def test_the_same_key_is_one_payment(api, customer):
    intent = make(api, customer)
    key, jwe = str(uuid.uuid4()), api.encrypt(intent['id'], REFUSED)
    first = confirm(api, intent, key=key, **{CARD: jwe})
    second = confirm(api, intent, key=key, **{CARD: jwe})
    assert first.status_code == 402 and first.content == second.content
    assert second.headers['Idempotent-Replayed'] == 'true'
    error_of(confirm(api, intent, key=key, **{CARD: api.encrypt(intent['id'])}), 400)


def test_who_cancels_while_the_shopper_is_asked(api, customer):
    intent = make(api, customer)
    assert confirm(api, intent, BY_SMS).json()['status'] == 'requires_action'
    gone = api.ok('POST', f'/v1/payment_intents/{intent["id"]}/cancel')
    assert gone['status'] == 'canceled'
    assert Shopper(api.sandbox, intent['client_secret']).state()['step'] == 'expired'
    assert api.ok('GET', '/v1/charges', {'payment_intent': intent['id']})['data'] == []


def test_who_goes_back_on_the_page(api, customer):
    intent = make(api, customer)
    confirm(api, intent, BY_SMS, return_url='https://shop.example/r')
    shopper = Shopper(api.sandbox, intent['client_secret'])
    shopper.bring_browser()
    shopper.until('challenge')
    shopper.cancel()
    state = shopper.state()
    assert state['step'] == 'expired' and 'redirect_status=failed' in state['return_url']
    assert see(api, intent)['status'] == 'requires_payment_method'


def test_the_story_for_support_names_the_payment(api, customer):
    intent = make(api, customer)
    error = error_of(confirm(api, intent, REFUSED), 402)
    story = api.ok('GET', f'/v1/card_links/{error["advice"]["reference"]}')
    assert story['payment_intent'] == intent['id'] and story['setup_intent'] is None and story['kind'] == 'link'
