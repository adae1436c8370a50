"""Programs that are killed between two steps: nothing that was answered is lost, nothing is done twice."""

import concurrent.futures
import os
import signal

import pytest
import requests
from world import OWN, World, plain_card, refused, wait_for


@pytest.fixture(scope='module')
def mortal():
    one = World(deadline_ms=1500)
    yield one
    one.stop()


def test_core_dies_during_the_challenge(mortal):
    customer = mortal.api.customer()
    shopper = mortal.page(customer)
    before = shopper.start(OWN['code'])
    mortal.kill_core()
    after = shopper.state()
    assert after['step'] == 'challenge' and after['challenge'] == before['challenge']
    shopper.answer_challenge()
    shopper.until('done')
    assert len(mortal.cards(customer)) == 1
    mortal.kill_core()
    assert len(mortal.cards(customer)) == 1
    assert shopper.state()['step'] == 'done'


def test_core_dies_while_the_browser_is_looked_at(mortal):
    shopper = mortal.page()
    state = shopper.post_card(OWN['code']).json()
    assert state['step'] == 'preparing'
    mortal.kill_core()
    assert shopper.state()['method'] == state['method']
    shopper.run_method(state['method'])
    shopper.until('challenge')
    shopper.answer_challenge()
    shopper.until('done')


def test_core_dies_while_the_bank_checks_a_card(mortal):
    customer = mortal.api.customer()
    shopper = mortal.page(customer)
    mortal.control('line', deaf=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        other = type(shopper)(mortal, shopper.token)
        posted = pool.submit(shopper.post_card)
        wait_for(lambda: 'the bank is asked' and other.state()['step'] == 'checking' and
                 mortal.metrics()['onfile_attempts_open'] == 1)
        mortal.kill_core()
        assert posted.result().status_code >= 500
    mortal.control('line', deaf=False)
    error = other.until('enter')['error']
    assert error['code'] == 'processing_error' and error['reference']
    assert not mortal.cards(customer)
    shopper.link()


def test_core_dies_while_a_payment_is_sent(mortal):
    """The answer was lost with the line: unknown, so it is taken back. The key tells the same story again."""
    linked = mortal.linked()
    mortal.control('line', next_count=1, next_fault='silent')
    data = {'amount': 3100, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true'}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.api.post, '/v1/payment_intents', data, key='mortal-1')
        wait_for(lambda: mortal.held(OWN['good'])[0] == 3100)  # the bank holds it, and says nothing
        mortal.kill_core()
        try:
            assert posted.result().status_code >= 500
        except requests.RequestException:
            pass
    wait_for(lambda: mortal.held(OWN['good'])[0] == 0)
    answer = mortal.api.post('/v1/payment_intents', data, key='mortal-1')
    assert answer.status_code == 402, answer.text
    story = mortal.trace(answer.json()['error']['advice']['reference'])
    assert 'timer: sent -> given_up' in story or 'unknown: sent -> given_up' in story
    assert 'reversal queued' in story
    assert len(mortal.api.ok('GET', '/v1/payment_intents', {'customer': linked['customer']})['data']) == 1


def test_an_answer_that_came_while_core_was_dead_counts(mortal):
    """Vault keeps it. The payment that the bank approved is paid, not taken back."""
    linked = mortal.linked('5555555555554444')
    mortal.control('line', delay_percent=100, delay_ms=500)
    data = {'amount': 3200, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true'}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.api.post, '/v1/payment_intents', data, key='mortal-2')
        wait_for(lambda: mortal.held('5555555555554444')[0] == 3200)
        mortal.kill_core()
        try:
            posted.result()
        except requests.RequestException:
            pass
    mortal.control('line', delay_percent=0)
    answer = mortal.api.post('/v1/payment_intents', data, key='mortal-2')
    assert answer.status_code == 200, answer.text
    intent = answer.json()['id']
    wait_for(lambda: mortal.payment(intent)['status'] == 'succeeded')
    wait_for(lambda: mortal.held('5555555555554444') == (0, 3200))


def test_core_dies_again_and_again_while_shoppers_pay(mortal):
    """Every payment that was told to be paid is paid, once; what was not is not."""
    number = '6205500000000000004'
    linked = mortal.linked(number)
    paid, unsure = set(), set()

    def pay(n):
        data = {'amount': 1000 + n, 'currency': 'rub', 'customer': linked['customer'],
                'payment_method': linked['card'], 'confirm': 'true'}

        def once():
            try:
                answer = mortal.api.__class__(mortal.sandbox, mortal.merchant.secret_key).post(
                    '/v1/payment_intents', data, key=f'storm-{n}')
            except requests.RequestException:
                return None
            if answer.status_code == 200 and answer.json()['status'] == 'succeeded':
                paid.add((answer.json()['id'], data['amount']))
                return True
            if answer.status_code == 402:
                unsure.add((answer.json()['error']['payment_intent']['id'], data['amount']))
                return True
            return None
        wait_for(once, 40)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        work = [pool.submit(pay, n) for n in range(24)]
        for _ in range(2):
            mortal.kill_core()
        for one in work:
            one.result()
    assert len(paid) + len(unsure) == 24 and paid
    for intent, amount in paid:
        assert mortal.payment(intent)['status'] == 'succeeded'
    wait_for(lambda: mortal.held(number) == (0, sum(amount for _, amount in paid)), 40)
    assert mortal.metrics()['onfile_advices_need_attention_total'] == 0


def test_vault_dies_while_the_bank_checks_a_card(mortal):
    """The code was in its memory only: the shopper starts again, and is told so at once."""
    shopper = mortal.page()
    mortal.control('line', deaf=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(shopper.post_card)
        wait_for(lambda: mortal.metrics()['onfile_attempts_open'] == 1)
        mortal.kill('vault')
        error = refused(posted.result())
    mortal.control('line', deaf=False)
    assert 'Enter the card once more' in error['message']
    assert 'INTERRUPTED' in mortal.trace(error['reference'])
    wait_for(mortal.is_ready)
    shopper.link()


def test_vault_dies_while_a_payment_is_sent(mortal):
    linked = mortal.linked()
    held = mortal.held(OWN['good'])
    mortal.control('line', next_count=1, next_fault='silent')
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.pay, linked, 3300)
        wait_for(lambda: mortal.held(OWN['good'])[0] == 3300)
        mortal.kill('vault')
        answer = posted.result()
    assert answer.status_code == 402, answer.text
    wait_for(lambda: mortal.held(OWN['good']) == held, 30)
    wait_for(mortal.is_ready)
    assert mortal.pay(linked, 100).json()['status'] == 'succeeded'


def test_web_dies_while_a_shopper_waits(mortal):
    shopper = mortal.page()
    shopper.start(OWN['code'])
    mortal.kill('web')
    wait_for(mortal.is_ready)
    shopper.http.close()
    wait_for(lambda: shopper.state()['step'] == 'challenge')
    shopper.answer_challenge()
    shopper.until('done')


def test_the_bank_is_away(mortal):
    again = mortal.kill_bank()
    shopper = mortal.page()
    error = refused(shopper.post_card(), 'processing_error')
    assert error['who'] == 'wait' and error['message'] == 'The bank did not answer. Try again in a few minutes.'
    assert 'NO_ANSWER' in mortal.trace(error['reference'])
    again()
    shopper.link()


def test_the_bank_dies_while_it_checks_a_card(mortal):
    shopper = mortal.page()
    mortal.control('line', deaf=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(shopper.post_card)
        wait_for(lambda: mortal.metrics()['onfile_attempts_open'] == 1)
        again = mortal.kill_bank()
        refused(posted.result(), 'processing_error')
    again()
    shopper.link()


@pytest.mark.parametrize('number', ['4000000000005126', '4000000000005134', '4000000000005159', '4000000000005167',
                                    '4000000000005175', '4000000000005183'])
def test_a_bank_that_does_not_answer_well_when_a_card_is_linked(mortal, number):
    shopper = mortal.page()
    error = refused(shopper.post_card(number), 'processing_error')
    assert error['again'] == 'minutes' and 'NO_ANSWER' in mortal.trace(error['reference'])
    wait_for(mortal.connection_is_up)
    shopper.link()


def test_a_bank_that_is_slow(mortal):
    mortal.control('line', delay_percent=100, delay_ms=700)
    try:
        mortal.page().link()
    finally:
        mortal.control('line', delay_percent=0)
    mortal.page().link('4000000000005142')  # answers twice: one answer is taken


# --- a graceful stop, and all at once


def test_a_graceful_stop_finishes_what_is_in_flight():
    """The bank is slow, slower than web waits for its clients; onfile is told to stop: the payment ends as paid."""
    one = World(deadline_ms=15000)
    try:
        linked = one.linked()
        data = {'amount': 4400, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
                'confirm': 'true'}
        one.control('line', delay_percent=100, delay_ms=6500)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            posted = pool.submit(one.api.post, '/v1/payment_intents', data, key='graceful-1')
            wait_for(lambda: one.held(OWN['good'])[0] == 4400)
            one.stop_onfile()
            try:
                posted.result()
            except requests.RequestException:
                pass
        one.control('line', delay_percent=0)
        one.start_onfile()
        answer = one.api.post('/v1/payment_intents', data, key='graceful-1')
        assert answer.status_code == 200 and answer.json()['status'] == 'succeeded', answer.text
        wait_for(lambda: one.held(OWN['good']) == (0, 4400))  # the capture that was queued goes on
    finally:
        one.stop()


def test_a_stop_does_not_wait_for_a_bank_without_end():
    """What is still open then is given up at the next start, and taken back."""
    one = World(deadline_ms=30000)
    try:
        linked = one.linked()
        data = {'amount': 4500, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
                'confirm': 'true'}
        one.control('line', next_count=1, next_fault='silent')
        with concurrent.futures.ThreadPoolExecutor() as pool:
            posted = pool.submit(one.api.post, '/v1/payment_intents', data, key='stop-1')
            wait_for(lambda: one.held(OWN['good'])[0] == 4500)
            one.stop_onfile()
            try:
                assert posted.result().status_code >= 500
            except requests.RequestException:
                pass
        one.start_onfile(conf={'bank.deadline_ms': '1000'})
        answer = one.api.post('/v1/payment_intents', data, key='stop-1')  # waits for the end of the attempt
        assert answer.status_code == 402, answer.text
        assert answer.json()['error']['code'] == 'processing_error'
        wait_for(lambda: one.held(OWN['good'])[0] == 0, 30)
    finally:
        one.stop()


def test_all_die_at_once(mortal):
    """As with the power: nothing that was answered is lost, what was not is taken back or done."""
    linked = mortal.linked(plain_card(700))
    paid = mortal.pay(linked, 4600).json()
    wait_for(lambda: mortal.held(plain_card(700)) == (0, 4600))  # its capture is not the message that gets no answer
    mortal.control('line', next_count=1, next_fault='silent')
    data = {'amount': 4700, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true'}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.api.post, '/v1/payment_intents', data, key='power-1')
        wait_for(lambda: mortal.held(plain_card(700))[0] == 4700)
        mortal.kill_all()
        try:
            assert posted.result().status_code >= 500
        except requests.RequestException:
            pass
    mortal.start_onfile()
    assert mortal.payment(paid['id'])['status'] == 'succeeded'
    wait_for(lambda: mortal.held(plain_card(700)) == (0, 4600), 30)
    assert mortal.api.post('/v1/payment_intents', data, key='power-1').status_code == 402


def test_a_driver_dies_while_a_payment_is_sent(mortal):
    """Vault answers unknown for it at once, the parent starts another."""
    linked = mortal.linked(plain_card(701))
    mortal.control('line', next_count=1, next_fault='silent')
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.pay, linked, 4800)
        wait_for(lambda: mortal.held(plain_card(701))[0] == 4800)
        mortal.kill_driver()
        assert posted.result().status_code == 402
    wait_for(lambda: mortal.held(plain_card(701)) == (0, 0), 30)
    wait_for(mortal.is_ready)
    assert mortal.pay(linked, 100).json()['status'] == 'succeeded'


def test_a_driver_that_hangs_is_started_anew(mortal):
    """It stands still, as one that waits for ever. The payment is given up; the second deadline that passes without a word ends it."""
    linked = mortal.linked(plain_card(703))
    hung = mortal.driver_pid()
    os.kill(hung, signal.SIGSTOP)
    answer = mortal.pay(linked, 4700)
    assert answer.status_code == 402, answer.text
    wait_for(lambda: mortal.driver_pid() not in (hung, None), 30)  # the reversal was given to it, too
    wait_for(mortal.connection_is_up)
    assert mortal.pay(linked, 100).json()['status'] == 'succeeded'
    wait_for(lambda: mortal.held(plain_card(703)) == (0, 100), 30)


def test_web_dies_while_a_payment_is_sent(mortal):
    """The client repeats with its key, and gets what became of it."""
    linked = mortal.linked(plain_card(702))
    mortal.control('line', delay_percent=100, delay_ms=400)
    data = {'amount': 4900, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true'}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.api.post, '/v1/payment_intents', data, key='web-1')
        wait_for(lambda: mortal.held(plain_card(702))[0] == 4900)
        mortal.kill('web')
        with pytest.raises(requests.RequestException):
            posted.result()
    mortal.control('line', delay_percent=0)
    wait_for(mortal.is_ready)
    again = type(mortal.api)(mortal.sandbox, mortal.merchant.secret_key).post('/v1/payment_intents', data, key='web-1')
    assert again.status_code == 200 and again.json()['status'] == 'succeeded'
    assert len(mortal.api.ok('GET', '/v1/payment_intents', {'customer': linked['customer']})['data']) == 1
    wait_for(lambda: mortal.held(plain_card(702)) == (0, 4900))


def refunds_at_the_bank(world, number):
    return sum(e['refunded'] for e in world.ledger()['entries'] if e['number'] == number)


def test_core_dies_while_a_refund_is_sent(mortal):
    """The bank made it; the answer is kept for core. The same key tells of the same refund, which is made once."""
    number = plain_card(710)
    linked = mortal.linked(number)
    paid = mortal.pay(linked, 5000).json()
    wait_for(lambda: mortal.held(number) == (0, 5000))
    mortal.control('line', delay_percent=100, delay_ms=500)
    data = {'payment_intent': paid['id'], 'amount': 700}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        posted = pool.submit(mortal.api.post, '/v1/refunds', data, key='refund-death')
        wait_for(lambda: refunds_at_the_bank(mortal, number) == 700)
        mortal.kill_core()
        try:
            assert posted.result().status_code >= 500
        except requests.RequestException:
            pass
    mortal.control('line', delay_percent=0)
    first = mortal.api.post('/v1/refunds', data, key='refund-death')
    assert first.status_code == 200, first.text
    made = first.json()
    wait_for(lambda: mortal.api.ok('GET', f'/v1/refunds/{made["id"]}')['status'] == 'succeeded')
    again = mortal.api.post('/v1/refunds', data, key='refund-death')
    assert again.content == first.content and again.headers['Idempotent-Replayed'] == 'true'
    assert [one['id'] for one in mortal.api.ok('GET', '/v1/refunds', {'payment_intent': paid['id']})['data']] == [made['id']]
    assert refunds_at_the_bank(mortal, number) == 700


def test_core_dies_between_a_capture_and_its_acknowledgement(mortal):
    """What was answered stays: the capture is told again until the bank has it, once."""
    number = plain_card(711)
    held = mortal.pay(mortal.linked(number), 5100, capture_method='manual').json()
    mortal.control('cards', number=number, advice_fault='silent')
    taken = mortal.api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture', {'amount_to_capture': 5000}, key='capture-death')
    assert taken['status'] == 'succeeded'
    mortal.kill_core()
    assert mortal.payment(held['id'])['amount_received'] == 5000
    mortal.control('cards', number=number, advice_fault='none')
    acknowledged = mortal.metrics()['onfile_advices_acknowledged_total']
    wait_for(lambda: mortal.metrics()['onfile_advices_acknowledged_total'] > acknowledged, 30)
    assert mortal.held(number) == (0, 5000)
    again = mortal.api.post(f'/v1/payment_intents/{held["id"]}/capture', {'amount_to_capture': 5000}, key='capture-death')
    assert again.json() == taken
