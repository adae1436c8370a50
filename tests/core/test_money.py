"""Payments when the bank is not as it should be: what is told, what is taken back, what the bank's books say."""

import re

import pytest
import requests
from world import OWN, Directory, World, plain_card, wait_for

FAULTS = {'silent': '4000000000005209', 'late': '4000000000005217', 'wrong STAN': '4000000000005233',
          'half a frame': '4000000000005241', 'hangs up': '4000000000005258', 'garbage': '4000000000005266'}


def failed(answer, code='processing_error'):
    """The error of a payment that failed, and its story."""
    assert answer.status_code == 402, answer.text
    error = answer.json()['error']
    assert error['code'] == code, error
    assert error['payment_intent']['status'] == 'requires_payment_method'
    return error


def reversed_in_the_end(world, number, reference):
    story = wait_for(lambda: (text := world.trace(reference)) and 'reversal acknowledged' in text and text)
    assert world.held(number)[0] == 0
    return story


@pytest.fixture(scope='module')
def own():
    """A world whose books nobody else writes into."""
    one = World(deadline_ms=700, bank_options='--late-ms 1500')
    yield one
    one.stop()


def test_a_payment_is_captured(own):
    linked = own.linked()
    paid = own.pay(linked, 1234).json()
    assert paid['status'] == 'succeeded' and paid['amount_received'] == 1234
    wait_for(lambda: own.held(OWN['good']) == (0, 1234))
    assert own.metrics()['onfile_advices_need_attention_total'] == 0


def test_a_payment_is_declined(own):
    linked = own.linked('4000000000009995')
    error = failed(own.pay(linked), 'card_declined')
    assert error['decline_code'] == 'insufficient_funds'
    story = own.trace(error['advice']['reference'])
    assert 'INSUFFICIENT_FUNDS' in story and 'response code 51' in story and 'reversal' not in story
    assert own.held('4000000000009995') == (0, 0)


@pytest.mark.parametrize('fault', FAULTS)
def test_an_answer_that_nobody_can_read_is_taken_back(own, fault):
    number = FAULTS[fault]
    linked = own.linked(number)
    before = own.metrics()
    error = failed(own.pay(linked))
    assert 'The bank did not answer, the payment is cancelled' in error['user_message']
    assert error['advice']['reference']
    story = reversed_in_the_end(own, number, error['advice']['reference'])
    assert 'sent -> given_up (NO_ANSWER)' in story and 'reversal queued' in story
    assert story.index('given_up (NO_ANSWER)') < story.index('reversal acknowledged')
    after = own.metrics()
    assert after['onfile_payments_unknown_total'] == before['onfile_payments_unknown_total'] + 1
    assert after['onfile_reversals_queued_total'] == before['onfile_reversals_queued_total'] + 1
    wait_for(own.connection_is_up)
    assert own.payment(error['payment_intent']['id'])['status'] == 'requires_payment_method'


def test_a_late_approval_revives_nothing(own):
    number = FAULTS['late']
    linked = own.linked(number)
    before = own.metrics()['onfile_late_answers_total']
    error = failed(own.pay(linked))
    wait_for(lambda: own.metrics()['onfile_late_answers_total'] > before)
    reversed_in_the_end(own, number, error['advice']['reference'])
    assert own.payment(error['payment_intent']['id'])['status'] == 'requires_payment_method'
    assert own.trace(error['advice']['reference']).count('reversal queued') == 1


def test_a_late_approval_of_a_cancelled_payment_leaves_it_cancelled(own):
    number = FAULTS['late']
    linked = own.linked(number)
    before = own.metrics()['onfile_late_answers_total']
    intent = failed(own.pay(linked))['payment_intent']['id']
    assert own.api.ok('POST', f'/v1/payment_intents/{intent}/cancel')['status'] == 'canceled'
    wait_for(lambda: own.metrics()['onfile_late_answers_total'] > before)
    assert own.payment(intent)['status'] == 'canceled'


def test_an_answer_that_comes_twice_is_one(own):
    number = '4000000000005225'
    linked = own.linked(number)
    assert own.pay(linked, 700).json()['status'] == 'succeeded'
    wait_for(lambda: own.held(number) == (0, 700))
    assert own.pay(linked, 300).json()['status'] == 'succeeded'
    wait_for(lambda: own.held(number) == (0, 1000))


def test_the_same_key_pays_once(own):
    linked = own.linked('5555555555554444')
    data = {'amount': 800, 'currency': 'rub', 'customer': linked['customer'], 'payment_method': linked['card'],
            'confirm': 'true'}
    answers = [own.api.post('/v1/payment_intents', data, key='core-money-1') for _ in range(3)]
    assert {answer.json()['id'] for answer in answers} == {answers[0].json()['id']}
    wait_for(lambda: own.held('5555555555554444') == (0, 800))


def test_a_bank_that_has_its_own_trouble_with_an_advice_is_asked_again(own):
    number = '378282246310005'
    customer = own.api.customer()
    own.page(customer).link(number, cvc='1234')
    own.control('cards', number=number, advice_fault='silent')
    paid = own.pay({'customer': customer, 'card': own.cards(customer)[0]['id']}, 900).json()
    assert paid['status'] == 'succeeded'
    sent = own.metrics()['onfile_advices_sent_total']
    acknowledged = own.metrics()['onfile_advices_acknowledged_total']
    own.control('cards', number=number, advice_fault='none')
    wait_for(lambda: own.metrics()['onfile_advices_acknowledged_total'] > acknowledged)
    assert own.metrics()['onfile_advices_sent_total'] > sent  # the repeat
    assert own.held(number) == (0, 900)


def test_the_bank_is_down_while_it_should_take_back(own):
    """Nothing is sent, then nothing is acknowledged; when the bank is back, it hears of it."""
    linked = own.linked()
    held = own.held(OWN['good'])
    own.control('line', next_count=1, next_fault='silent')
    error = failed(own.pay(linked, 5000))
    again = own.kill_bank()
    down = failed(own.pay(linked, 6000))  # not one byte was sent
    story = own.trace(down['advice']['reference'])
    assert 'not_sent: sent -> over (NO_ANSWER)' in story and 'reversal' not in story
    again()
    story = wait_for(lambda: (text := own.trace(error['advice']['reference'])) and
                     ('reversal acknowledged' in text or 'reversal ended' in text) and text, 30)
    wait_for(lambda: own.held(OWN['good']) == held)
    assert own.pay(linked, 100).json()['status'] == 'succeeded'


def test_nothing_is_held_when_all_is_at_rest(own):
    wait_for(lambda: own.ledger()['totals']['held'] == 0)
    assert own.ledger()['totals']['captured'] == sum(
        one['amount_received'] for one in own.api.ok('GET', '/v1/payment_intents', {'limit': 100})['data'])
    assert own.sandbox.onfile('attention', 'list') == ''


def test_a_payment_that_the_shopper_has_to_confirm(world):
    linked = world.linked(OWN['proof'])
    directory = Directory(world)
    answer = world.pay(linked, 4100, return_url='http://shop.example/paid?x=1')
    assert answer.status_code == 200 and answer.json()['status'] == 'requires_action', answer.text
    intent = answer.json()
    from world import PageShopper
    shopper = PageShopper(world, intent['client_secret'], intent=intent['id'])
    assert shopper.state()['mode'] == 'payment' and shopper.state()['browser_wanted']
    shopper.bring_browser()
    shopper.answer_challenge()
    state = shopper.until('done')
    assert f'payment_intent={intent["id"]}' in state['return_url'] and 'succeeded' in state['return_url']
    assert world.payment(intent['id'])['status'] == 'succeeded'
    asked = directory.requests[directory.newest]
    assert asked['messageCategory'] == '01' and asked['purchaseAmount'] == '4100'
    wait_for(lambda: world.held(OWN['proof']) == (0, 4100))  # the bank takes it with the proof only


def test_a_payment_that_the_shopper_does_not_confirm(world):
    linked = world.linked(OWN['proof'])
    intent = world.pay(linked, 4200, return_url='http://shop.example/paid').json()
    from world import PageShopper
    shopper = PageShopper(world, intent['client_secret'], intent=intent['id'])
    shopper.bring_browser()
    shopper.until('challenge')
    assert shopper.cancel().json()['step'] == 'expired'
    paid = world.payment(intent['id'])
    assert paid['status'] == 'requires_payment_method' and paid['amount_received'] == 0
    assert world.held(OWN['proof'])[0] == 0


def test_a_card_is_verified_in_the_currency_that_it_will_pay_in(world):
    """The session's; else what the connection is for; else the operator's."""
    def verified(number, **more):
        world.page(**more).link(number)
        return [e['currency'] for e in world.ledger()['entries'] if e['number'] == number][-1]
    assert verified(plain_card(801), currency='EUR') == '978'
    assert verified(plain_card(802), currency='') == '643'
    world.sandbox.onfile('connection', 'set', 'bank', '--policy', 'currencies=usd,rub')
    try:
        assert verified(plain_card(803), currency='') == '840'
        assert verified(plain_card(804), currency='rub') == '643'
    finally:
        world.sandbox.onfile('connection', 'set', 'bank', '--policy', 'currencies=')


def test_a_late_answer_to_a_refund_is_believed(own):
    """Nobody knew of it, a person was called; then the bank said that it is done."""
    number = plain_card(810)
    paid = own.pay(own.linked(number), 1200).json()
    wait_for(lambda: own.held(number) == (0, 1200))
    own.control('line', next_count=1, next_fault='late')
    made = own.api.ok('POST', '/v1/refunds', {'payment_intent': paid['id'], 'amount': 500})
    assert made['status'] == 'pending' and own.sandbox.onfile('attention', 'list')
    wait_for(lambda: own.api.ok('GET', f'/v1/refunds/{made["id"]}')['status'] == 'succeeded')
    assert own.sandbox.onfile('attention', 'list') == ''


def test_what_the_disk_takes_is_counted(world):
    def fsyncs():
        text = requests.get(f'http://127.0.0.1:{world.sandbox.metrics}/metrics').text
        found = dict(re.findall(r'^(onfile_fsync_seconds\S+) (\S+)$', text, re.M))
        buckets = [int(count) for name, count in found.items() if 'bucket' in name]
        assert buckets == sorted(buckets) and buckets[-1] == int(found['onfile_fsync_seconds_count'])
        assert '+Inf' in [name for name in found if 'bucket' in name][-1]
        return buckets[-1], float(found['onfile_fsync_seconds_sum'])
    count, took = fsyncs()
    assert world.pay(world.linked()).json()['status'] == 'succeeded'
    more, longer = fsyncs()
    assert more >= count + 4 and longer > took  # the link and the payment, each before and after its bank
