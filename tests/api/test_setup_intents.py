"""SetupIntents: linking, refusals, the bank's question, cancelling, sessions."""

import pytest
from calls import BY_SMS, GOOD, LOST, REFUSED, SILENT, error_of
from running import Shopper


def test_create_and_update(api, customer):
    intent = api.setup_intent(customer, usage='on_session', description='D', **{
        'metadata[k]': 'v', 'payment_method_types[]': 'card', 'automatic_payment_methods[enabled]': 'true',
        'automatic_payment_methods[allow_redirects]': 'never'})
    assert intent['status'] == 'requires_payment_method' and intent['usage'] == 'on_session'
    assert intent['payment_method_types'] == ['card'] and intent['customer'] == customer
    assert intent['automatic_payment_methods'] == {'enabled': True, 'allow_redirects': 'never'}
    assert intent['client_secret'].startswith(intent['id'] + '_secret_')
    path = f'/v1/setup_intents/{intent["id"]}'
    assert api.ok('POST', path, {'description': '', 'metadata': ''})['metadata'] == {}
    assert api.ok('GET', path)['description'] is None
    assert intent['id'] in [i['id'] for i in api.ok('GET', '/v1/setup_intents', {'customer': customer})['data']]
    error_of(api.post('/v1/setup_intents', {'payment_method_types[]': 'sepa_debit'}), 400)
    error_of(api.post('/v1/setup_intents', {'usage': 'sometimes'}), 400, param='usage')
    error_of(api.post('/v1/setup_intents', {'confirm': 'true'}), 400, 'parameter_missing')
    error_of(api.post('/v1/setup_intents', {'return_url': 'javascript://x'}), 400, 'url_invalid', 'return_url')
    error_of(api.post(path, {'customer': api.customer()}), 400, param='customer')


@pytest.mark.parametrize('path, more', [('/v1/setup_intents', {}), ('/v1/payment_intents', {'amount': '500', 'currency': 'rub'})])
@pytest.mark.parametrize('confirm', [{}, {'confirm': 'true'}])
@pytest.mark.parametrize('member', ['encrypted', 'token'])
def test_an_encrypted_card_cannot_come_before_its_intent(api, customer, path, more, confirm, member):
    """It says what to do, and spends nothing: no intent is made, the card can still be used where it belongs."""
    jwe = api.encrypt(api.setup_intent(customer)['id'])
    before = [one['id'] for one in api.ok('GET', path, {'customer': customer})['data']]
    form = {'customer': customer, 'payment_method_data[type]': 'card', f'payment_method_data[card][{member}]': jwe, **more, **confirm}
    error = error_of(api.post(path, form, key=f'early-{jwe[-20:]}'), 400, param='payment_method_data')
    assert 'create it without the card, encrypt the card for its id, then confirm' in error['message']
    assert [one['id'] for one in api.ok('GET', path, {'customer': customer})['data']] == before
    intent = api.ok('POST', path, {'customer': customer, **more})
    error_of(api.post(f'{path}/{intent["id"]}', form if path.startswith('/v1/s') else {k: v for k, v in form.items() if k != 'confirm'}), 400,
             *([] if confirm and path.startswith('/v1/s') else [None, 'payment_method_data']))


def test_what_is_said_of_a_typed_card_is_kept_with_it(api, customer):
    intent = api.setup_intent(customer)
    api.confirm(intent, **{'payment_method_data[billing_details][name]': 'Anna', 'payment_method_data[allow_redisplay]': 'always',
                           'payment_method_data[metadata][place]': 'till 3'})
    card = api.ok('GET', f'/v1/payment_methods/{api.finish(intent)["payment_method"]}')
    assert card['billing_details']['name'] == 'Anna' and card['allow_redisplay'] == 'always' and card['metadata'] == {'place': 'till 3'}
    assert 'place' not in api.ok('GET', f'/v1/setup_intents/{intent["id"]}')['metadata']


def test_a_card_is_linked(api, customer):
    intent = api.link(customer)
    assert intent['payment_method'].startswith('pm_') and intent['last_setup_error'] is None
    attempt = api.ok('GET', f'/v1/setup_intents/{intent["id"]}',
                     {'expand[0]': 'latest_attempt', 'expand[1]': 'payment_method.customer'})
    assert attempt['payment_method']['customer']['id'] == customer
    assert attempt['latest_attempt']['status'] == 'succeeded'
    assert attempt['latest_attempt']['payment_method'] == intent['payment_method']
    listed = api.ok('GET', '/v1/setup_attempts', {'setup_intent': intent['id']})['data']
    assert [a['id'] for a in listed] == [attempt['latest_attempt']['id']]
    types = [e['type'] for e in api.events()
             if e['data']['object']['id'] in (intent['id'], intent['payment_method'])]
    assert 'setup_intent.created' in types and 'setup_intent.succeeded' in types
    assert 'payment_method.attached' in types
    error = error_of(api.confirm(intent), 400, 'setup_intent_unexpected_state')
    assert error['setup_intent']['status'] == 'succeeded'
    error_of(api.post(f'/v1/setup_intents/{intent["id"]}/cancel'), 400, 'setup_intent_unexpected_state')


def test_a_refused_card_is_402_with_advice(api, customer):
    intent = api.setup_intent(customer)
    error = error_of(api.confirm(intent, REFUSED), 402, 'card_declined')
    assert error['type'] == 'card_error' and error['decline_code'] == 'do_not_honor'
    assert error['advice']['who'] == 'bank' and error['advice']['again'] == 'after_call'
    assert error['user_message'] == ('Your bank refused. Call the number on the back of the card, or use '
                                     'another card.')
    assert error['advice']['messages']['ru'].startswith('Банк отклонил операцию.')
    assert error['setup_intent']['status'] == 'requires_payment_method'
    assert error['setup_intent']['last_setup_error']['decline_code'] == 'do_not_honor'
    assert error['setup_intent']['payment_method'] is None
    assert error['payment_method']['customer'] is None and error['payment_method']['card']['last4'] == '0002'
    story = api.ok('GET', f'/v1/card_links/{error["advice"]["reference"]}')
    assert story['setup_intent'] == intent['id'] and story['kind'] == 'link' and story['steps']
    assert REFUSED not in str(story)
    assert api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'] == []
    failed = [e for e in api.events(type='setup_intent.setup_failed')
              if e['data']['object']['id'] == intent['id']]
    assert failed[0]['data']['object']['last_setup_error']['code'] == 'card_declined'
    assert api.confirm(intent, GOOD).status_code == 200  # another card, the same intent


def test_lost_cards_look_like_any_other_to_the_shopper(api, browser_api, customer):
    intent = api.setup_intent(customer)
    error = error_of(api.confirm(intent, LOST), 402, 'card_declined')
    assert error['decline_code'] == 'lost_card' and error['advice_code'] == 'do_not_try_again'
    assert error['user_message'].startswith('Your bank refused.')
    seen = browser_api.get(f'/v1/setup_intents/{intent["id"]}', client_secret=intent['client_secret'])
    assert 'lost' not in seen.text and seen.json()['last_setup_error']['decline_code'] == 'generic_decline'
    second = api.setup_intent(customer)
    answer = browser_api.confirm(second, LOST, client_secret=second['client_secret'])
    error_of(answer, 402, 'card_declined')
    assert 'lost' not in answer.text and 'do_not_try_again' not in answer.text


@pytest.mark.parametrize('number, more, code', [
    ('4242424242424241', {}, 'invalid_number'),
    ('424242424242', {}, 'invalid_number'),
    (GOOD, {'exp_month': 13}, 'invalid_expiry_month'),
    (GOOD, {'exp_year': 2020}, None),
    (GOOD, {'cvc': '12'}, 'invalid_cvc'),
    (GOOD, {'cvc': 'abc'}, 'invalid_cvc'),
])
def test_wrong_details_never_reach_the_bank(api, customer, number, more, code):
    intent = api.setup_intent(customer)
    jwe = api.encrypt(intent['id'], number, **more)
    error = error_of(api.confirm(intent, **{'payment_method_data[card][encrypted]': jwe}), 402, code)
    assert error['advice']['who'] == 'shopper' and error['advice_code'] == 'confirm_card_data'
    assert error['code'] in ('invalid_number', 'invalid_expiry_month', 'expired_card', 'invalid_cvc',
                             'invalid_expiry_year')
    assert error['advice']['reference']


def test_encrypted_cards_are_good_once_and_for_their_intent(api, customer):
    first = api.setup_intent(customer)
    second = api.setup_intent(customer)
    jwe = api.encrypt(first['id'], REFUSED)
    field = 'payment_method_data[card][encrypted]'
    error_of(api.confirm(second, **{field: jwe}), 400, 'encrypted_card_other_intent')
    error_of(api.confirm(first, **{field: jwe}), 402, 'card_declined')
    error_of(api.confirm(first, **{field: jwe}), 400, 'token_already_used')
    for garbage in ('x', 'eyJhbGciOiJub25lIn0....', jwe[:-4] + 'AAAA', jwe.replace('.', ',')):
        error_of(api.confirm(first, **{field: garbage}), 400, 'encrypted_card_unreadable')
    old = api.encrypt(first['id'], issued=api.keys()['now'] - 3600)
    error_of(api.confirm(first, **{field: old}), 400, 'encrypted_card_stale')
    error_of(api.post(f'/v1/setup_intents/{first["id"]}/confirm'), 400, 'setup_intent_unexpected_state')
    token = api.confirm(first, **{field: '', 'payment_method_data[card][token]': api.encrypt(first['id'])})
    assert token.status_code in (200, 400)


def test_the_jwe_may_come_as_a_token(api, customer):
    intent = api.setup_intent(customer)
    answer = api.post(f'/v1/setup_intents/{intent["id"]}/confirm', {
        'payment_method_data[type]': 'card', 'payment_method_data[card][token]': api.encrypt(intent['id'])})
    assert answer.status_code == 200 and answer.json()['status'] in ('succeeded', 'requires_action')


def test_the_bank_asks_and_the_shopper_goes_back(sandbox, api, customer):
    intent = api.setup_intent(customer)
    waiting = api.confirm(intent, BY_SMS, return_url='https://shop.example/back').json()
    assert waiting['status'] == 'requires_action'
    action = waiting['next_action']
    assert action['type'] == 'redirect_to_url'
    assert action['redirect_to_url']['return_url'] == 'https://shop.example/back'
    assert action['redirect_to_url']['url'].endswith('/c/' + waiting['client_secret'])
    error_of(api.confirm(intent), 400, 'setup_intent_unexpected_state')
    shopper = Shopper(sandbox, intent['client_secret'])
    shopper.bring_browser()
    shopper.until('challenge')
    assert shopper.cancel().status_code == 200
    seen = api.ok('GET', f'/v1/setup_intents/{intent["id"]}')
    assert seen['status'] == 'requires_payment_method' and seen['payment_method'] is None
    assert seen['last_setup_error']['code'] == 'setup_intent_authentication_failure'
    assert api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'] == []


def test_cancelling(api, customer):
    intent = api.setup_intent(customer)
    path = f'/v1/setup_intents/{intent["id"]}'
    error_of(api.post(path + '/cancel', {'cancellation_reason': 'bored'}), 400, param='cancellation_reason')
    gone = api.ok('POST', path + '/cancel', {'cancellation_reason': 'duplicate'})
    assert gone['status'] == 'canceled' and gone['cancellation_reason'] == 'duplicate'
    error = error_of(api.post(path + '/cancel'), 400, 'setup_intent_unexpected_state')
    assert error['setup_intent']['id'] == intent['id']
    error_of(api.confirm(intent), 400, 'setup_intent_unexpected_state')
    waiting = api.setup_intent(customer)
    assert api.confirm(waiting, BY_SMS).json()['status'] == 'requires_action'
    gone = api.ok('POST', f'/v1/setup_intents/{waiting["id"]}/cancel')
    assert gone['status'] == 'canceled' and gone['next_action'] is None


def test_a_session_is_our_card_page(sandbox, api, customer):
    made = api.ok('POST', '/v1/checkout/sessions', {
        'mode': 'setup', 'customer': customer, 'currency': 'rub', 'ui_mode': 'hosted',
        'success_url': 'https://shop.example/ok?s={CHECKOUT_SESSION_ID}',
        'cancel_url': 'https://shop.example/no', 'metadata[k]': 'v', 'client_reference_id': 'r',
        'setup_intent_data[metadata][a]': 'b', 'expand[]': 'setup_intent'})
    assert made['status'] == 'open' and made['mode'] == 'setup' and made['metadata'] == {'k': 'v'}
    assert made['url'].endswith('/c/' + made['id']) and made['id'].startswith('cs_test_')
    assert made['setup_intent']['metadata'] == {'a': 'b'} and made['ui_mode'] == 'hosted'
    assert made['success_url'].endswith('{CHECKOUT_SESSION_ID}')
    state = Shopper(sandbox, made['id']).state()
    assert state['step'] == 'enter' and state['intent'] == made['setup_intent']['id']
    path = f'/v1/checkout/sessions/{made["id"]}'
    error_of(api.post(f'/v1/setup_intents/{made["setup_intent"]["id"]}/cancel'), 400,
             'setup_intent_unexpected_state')
    gone = api.ok('POST', path + '/expire', {'expand[]': 'setup_intent'})
    assert gone['status'] == 'expired' and gone['url'] is None
    assert gone['setup_intent']['status'] == 'canceled'
    error_of(api.post(path + '/expire'), 400)
    assert Shopper(sandbox, made['id']).state()['step'] == 'expired'
    assert api.ok('GET', '/v1/checkout/sessions', {'customer': customer, 'status': 'expired'})['data'][0]['id'] \
        == made['id']
    assert api.ok('GET', '/v1/checkout/sessions', {'customer': customer, 'status': 'open'})['data'] == []
    for bad in ({'mode': 'payment'}, {'success_url': 'nowhere'}, {'expires_at': 5}, {'line_items[0][quantity]': 1}):
        data = {'mode': 'setup', 'success_url': 'https://shop.example'}
        data.update(bad)
        error_of(api.post('/v1/checkout/sessions', data), 400)


def test_a_session_is_completed_by_its_link(sandbox, api, customer):
    made = api.ok('POST', '/v1/checkout/sessions', {'mode': 'setup', 'customer': customer,
                                                  'success_url': 'https://shop.example/ok'})
    intent = api.ok('GET', f'/v1/setup_intents/{made["setup_intent"]}')
    answer = api.confirm(intent)
    assert answer.status_code == 200, answer.text
    if answer.json()['status'] != 'succeeded':
        api.finish(intent)
    done = api.ok('GET', f'/v1/checkout/sessions/{made["id"]}')
    assert done['status'] == 'complete' and done['url'] is None
    assert done['customer_details']['email'] == 'ivan@example.com'
    assert [e['data']['object']['id'] for e in api.events(type='checkout.session.completed')][0] == made['id']


def test_a_bank_that_does_not_answer(api, customer):
    intent = api.setup_intent(customer)
    error = error_of(api.confirm(intent, SILENT), 402, 'processing_error')
    assert error['advice']['who'] == 'wait' and error['advice_code'] == 'try_again_later'
    assert error['user_message'] == 'The bank did not answer. Try again in a few minutes.'
