"""Bad input at the hosted pages' addresses: a clear error, and nothing is lost."""

import concurrent.futures
import re

import pytest
import requests
from world import OWN, refusal, refused, wait_for


@pytest.mark.parametrize('more, code, field', [
    ({'number': '4242424242424241'}, 'invalid_number', 'number'),
    ({'number': '42424242'}, 'invalid_number', 'number'),
    ({'exp_year': 2020}, 'expired_card', 'expiry'),
    ({'exp_month': 13}, 'invalid_expiry_month', 'expiry'),
    ({'cvc': '12'}, 'invalid_cvc', 'code'),
    ({'number': '378282246310005', 'cvc': '123'}, 'invalid_cvc', 'code'),
    ({'cvc': '12a'}, None, None),
])
def test_details_that_cannot_be_right(world, more, code, field):
    before = world.ledger()['count']
    shopper = world.page()
    answer = shopper.post_card(more.pop('number', OWN['good']), **more)
    if code:
        error, state = refusal(answer, 402, code)
        assert error['field'] == field and error['who'] == 'shopper' and error['again'] == 'now'
        assert state['error']['reference'] == error['reference']  # a reload still shows it
        story = world.trace(error['reference'])
        assert 'refused before the bank was asked' in story
    else:
        assert answer.status_code in (400, 402)
    assert world.ledger()['count'] == before
    shopper.link()  # and then it works


GARBAGE = ['', 'x', '....', 'a.b.c.d.e', 'e30.e30.e30.e30.e30', 'eyJhbGciOiJub25lIn0..AAAA.AAAA.AAAA', 'x' * 4096,
           'x' * 5000, 'é' * 10]


@pytest.mark.parametrize('jwe', GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_for_a_card(world, jwe):
    shopper = world.page()
    error, _ = refusal(shopper.post_card(jwe=jwe), 400, 'encrypted_card_unreadable')
    assert error['reference'] and 'UNREADABLE' in world.trace(error['reference'])


def test_one_sign_of_an_encrypted_card_is_changed(world):
    shopper = world.page()
    jwe = shopper.encrypt(OWN['good'])
    parts = jwe.split('.')
    for place in (0, 2, 3, 4):
        changed = list(parts)
        changed[place] = ('A' if parts[place][5] != 'A' else 'B').join((parts[place][:5], parts[place][6:]))
        refusal(shopper.post_card(jwe='.'.join(changed)), 400, 'encrypted_card_unreadable')
    assert shopper.post_card(jwe=jwe).status_code == 200


def test_an_encrypted_card_is_good_once(world):
    shopper = world.page()
    jwe = shopper.encrypt(OWN['refused'])
    error = refused(shopper.post_card(jwe=jwe), 'card_declined')
    again, _ = refusal(shopper.post_card(jwe=jwe), 400, 'token_already_used')
    assert again['reference'] != error['reference']
    good = shopper.encrypt(OWN['good'])
    assert shopper.post_card(jwe=good).status_code == 200
    shopper.until('preparing', 'done')
    second = shopper.post_card(jwe=good)
    assert second.status_code in (200, 409) and second.json().get('error', {'code': None})['code'] != 'token_already_used'


def test_an_encrypted_card_is_good_for_its_attempt_and_five_minutes(world):
    shopper, other = world.page(), world.page()
    refusal(shopper.post_card(jwe=other.encrypt(OWN['good'])), 400, 'encrypted_card_other_intent')
    now = shopper.state()['now']
    for issued in now - 360, now + 3600:
        error, _ = refusal(shopper.post_card(issued=issued), 400, 'encrypted_card_stale')
        assert 'once more' in error['message']
    assert shopper.post_card(issued=now - 280).status_code == 200


def test_a_body_that_is_too_long(world):
    shopper = world.page()
    assert shopper.post_card(jwe='x' * 66000).status_code == 413
    shopper.link()


@pytest.mark.parametrize('what', ['card', 'cancel', 'browser'])
@pytest.mark.parametrize('origin', ['http://evil.example', 'null', 'http://pay.localhost', 'http://pay.localhost:1'])
def test_posts_from_another_site(world, origin, what):
    shopper = world.page()
    before = world.ledger()['count']
    answer = shopper.send(what, dict(shopper.BROWSER, encrypted=shopper.encrypt(OWN['good'])), Origin=origin)
    assert answer.status_code == 400
    assert 'Access-Control-Allow-Origin' not in answer.headers
    assert world.ledger()['count'] == before and shopper.state()['error'] is None


def test_addresses_that_are_none(world):
    shopper = world.page()
    token = shopper.token
    host = world.sandbox.api
    for path in ('/c/', '/c/x', f'/c/{token[:-1]}', f'/c/{token}x', f'/c/{token}/nothing', '/c/cs_test_' + 'a' * 40,
                 '/3ds/method/x', '/3ds/results/x', f'/c/{token}/card/', '/c/%00', f'/c/{token.upper()}'):
        assert requests.get(host + path).status_code == 404, path
        answer = requests.post(host + path, data={'encrypted': 'x'}, headers=shopper.own)
        assert answer.status_code == 404, path
    for method, what in (('PUT', 'state'), ('DELETE', 'card'), ('GET', 'card'), ('POST', 'state')):
        assert requests.request(method, f'{host}/c/{token}/{what}', headers=shopper.own).status_code in (404, 405)
    assert shopper.http.get(f'{shopper.page}/challenge', allow_redirects=False).status_code == 303
    assert shopper.http.get(f'{shopper.page}/method').status_code == 404


def test_forms_that_cannot_be_read(world):
    shopper = world.page()
    for body in ('encrypted=%zz', 'encrypted=a&encrypted=b', '%ff=1', 'a' * 3000 + '=1&' * 200):
        answer = shopper.send('card', body, **{'Content-Type': 'application/x-www-form-urlencoded'})
        assert answer.status_code in (400, 402), answer.text
    shopper.link()


def test_two_tabs_at_once(world):
    """The bank is slow; who comes second is told to wait, and sees the same end."""
    customer = world.api.customer()
    first, second, elsewhere = world.page(customer), None, world.page(customer)
    second = type(first)(world, first.token)
    world.control('line', delay_percent=100, delay_ms=400)
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            running = pool.submit(first.post_card)
            wait_for(lambda: second.state()['step'] == 'checking')
            error, state = refusal(second.post_card(), 409, 'lock_timeout')
            assert error['who'] == 'wait' and state['step'] == 'checking'
            refusal(elsewhere.post_card(), 409, 'lock_timeout')  # one at a time for a customer
            assert running.result().status_code == 200
    finally:
        world.control('line', delay_percent=0)
    state = first.until('preparing')
    refusal(second.post_card(), 409, 'lock_timeout')
    first.run_method(state['method'])
    second.until('done')
    assert len(world.cards(customer)) == 1


def test_the_same_encrypted_card_again_while_the_first_runs(world):
    shopper = world.page()
    jwe = shopper.encrypt(OWN['code'])
    assert shopper.post_card(jwe=jwe).status_code == 200
    answer = shopper.post_card(jwe=jwe)
    assert answer.status_code == 409 and answer.json()['error']['code'] == 'lock_timeout'
    assert shopper.until('preparing', 'challenge')['error'] is None


def test_the_same_card_again_keeps_its_id(world):
    linked = world.linked()
    before = world.cards(linked['customer'])[0]
    world.page(linked['customer']).link(exp_month=7, exp_year=2033)
    cards = world.cards(linked['customer'])
    assert [card['id'] for card in cards] == [linked['card']]
    assert (cards[0]['card']['exp_month'], cards[0]['card']['exp_year']) == (7, 2033) != (
        before['card']['exp_month'], before['card']['exp_year'])
    answer = world.pay(linked)  # what is sealed now is what the bank is asked with
    assert answer.status_code == 200 and answer.json()['status'] == 'succeeded'
    events = [e['type'] for e in world.api.events() if e['data']['object']['id'] == linked['card']]
    assert sorted(events) == ['payment_method.attached', 'payment_method.updated']


def test_a_customer_who_is_removed_in_the_meantime_gets_no_card(world):
    customer = world.api.customer()
    shopper = world.page(customer)
    assert shopper.start(OWN['code'])['step'] == 'challenge'
    assert world.api('DELETE', f'/v1/customers/{customer}').status_code == 200
    shopper.answer_challenge()
    shopper.until('enter', 'expired')
    intent = world.api.ok('GET', f'/v1/setup_intents/{shopper.intent}')
    assert intent['status'] == 'requires_payment_method' and intent['payment_method'] is None


def test_what_the_bank_says_of_the_code_is_shown(world):
    linked = world.linked()
    assert world.cards(linked['customer'])[0]['card']['checks']['cvc_check'] == 'pass'
    world.control('cards', number='4242424242424242', cvc_result='P')
    try:
        linked = world.linked()
    finally:
        world.control('cards', number='4242424242424242', reset=True)
    assert world.cards(linked['customer'])[0]['card']['checks']['cvc_check'] != 'pass'


def test_no_story_and_no_log_has_a_card_number(world):
    shopper = world.page()
    error = refused(shopper.post_card(OWN['refused']), 'card_declined')
    story = world.trace(error['reference'])
    assert 'DO_NOT_HONOR' in story and 'ends in 0002' in story and 'response code 05' in story
    assert not re.search(r'\d{13,19}', re.sub(r'\d{4}-\d\d-\d\d.*?  ', '', story))
    text = world.sandbox.log()
    assert OWN['refused'] not in text and OWN['good'] not in text
