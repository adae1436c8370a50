"""Refunds, captures and holds when the bank is not as it should be; what only a person can end."""

import os
import signal
import sqlite3

import pytest
from world import World, plain_card, wait_for


@pytest.fixture(scope='module')
def own():
    one = World(deadline_ms=1500)
    yield one
    one.stop()


def next_message(world, fault='none', code=''):
    """What becomes of the next message to the bank."""
    world.control('line', next_count=1, next_fault=fault, next_code=code)


def pay(world, number, amount=1000, taken=True, **more):
    """A payment with a card of its own; its PaymentIntent."""
    linked = world.linked(plain_card(number))
    paid = world.pay(linked, amount, **more).json()
    if taken and paid['status'] == 'succeeded':
        wait_for(lambda: world.held(plain_card(number))[1] == amount)
    return paid


def refund(world, intent, **more):
    return world.api.ok('POST', '/v1/refunds', dict(more, payment_intent=intent['id']))


def charge(world, intent):
    return world.api.ok('GET', f'/v1/charges/{intent["latest_charge"]}')


def status(world, made):
    return world.api.ok('GET', f'/v1/refunds/{made["id"]}')['status']


def given_back(world, number):
    return sum(e['refunded'] for e in world.ledger()['entries'] if e['number'] == plain_card(number))


def attention(world):
    return [line.split('  ') for line in world.sandbox.onfile('attention', 'list').splitlines()]


def resolve(world, row, how, note='asked the bank'):
    return world.sandbox.onfile('attention', 'resolve', row[0], '--as', how, '--note', note, '--by', 'Vera')


def unanswered_refund(world, number):
    """A refund that the bank made, and said nothing about."""
    paid = pay(world, number)
    next_message(world, fault='silent')
    made = refund(world, paid, amount=400)
    assert made['status'] == 'pending' and made['pending_reason'] == 'processing'
    (row,) = wait_for(lambda: attention(world))
    return paid, made, row


def test_a_refund_that_nobody_knows_of_waits_for_a_person(own):
    paid, made, row = unanswered_refund(own, 1)
    assert row[1] == 'refund' and row[2] == '400 rub'
    assert own.metrics()['onfile_attention_open'] == 1
    code = row[-1].split(' ')[1]
    assert 'refund needs attention after 1 try' in own.trace(code)
    events = [e for e in own.api.events() if e['type'] == 'onfile.attention_needed']
    assert [e['data']['object']['id'] for e in events] == [paid['latest_charge']]
    assert 'advice_needs_attention' in (own.sandbox.folder / 'log/onfile.log').read_text()
    own.kill_core()
    assert attention(own) == [row] and status(own, made) == 'pending'  # nothing forgets it
    assert charge(own, paid)['amount_refunded'] == 400
    assert given_back(own, 1) == 400  # once: it was not sent again
    resolve(own, row, 'done', 'the bank has it on its statement')
    assert status(own, made) == 'succeeded' and attention(own) == []
    assert own.metrics()['onfile_attention_open'] == 0
    story = own.trace(code)
    assert 'Vera (uid' in story and 'the bank has it on its statement' in story and 'resolve_done' in story
    events = [e['type'] for e in own.api.events() if e['data']['object']['id'] == made['id']]
    assert events == ['refund.updated', 'refund.created']


def test_a_person_finds_out_that_a_refund_was_not_made(own):
    paid, made, row = unanswered_refund(own, 2)
    resolve(own, row, 'failed')
    failed = own.api.ok('GET', f'/v1/refunds/{made["id"]}')
    assert failed['status'] == 'failed' and failed['failure_reason'] == 'unknown'
    seen = charge(own, paid)
    assert seen['amount_refunded'] == 0 and not seen['refunded']
    assert refund(own, paid, amount=100)['status'] == 'succeeded'
    types = [e['type'] for e in own.api.events() if e['data']['object']['id'] == made['id']]
    assert types == ['refund.failed', 'refund.created']


def test_a_person_has_a_refund_asked_for_again(own):
    _, made, row = unanswered_refund(own, 3)
    resolve(own, row, 'again')
    wait_for(lambda: status(own, made) == 'succeeded')
    assert given_back(own, 3) == 400  # the bank knew the repeat


@pytest.mark.parametrize('words, sentence', [
    (['1', '--as', 'done', '--note', 'x'], 'nothing with this id'),
    (['x', '--as', 'done', '--note', 'x'], 'should be a number'),
    (['1', '--as', 'lost', '--note', 'x'], 'done, failed or again'),
    (['1', '--as', 'done', '--note', 'a\x1bb'], 'who (--by'),
])
def test_what_cannot_be_resolved(own, words, sentence):
    with pytest.raises(RuntimeError, match=sentence.replace('(', r'\(')):
        own.sandbox.onfile('attention', 'resolve', *words)


def test_a_bank_that_knows_repeats_is_told_again(own):
    own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'refund_repeats=yes')
    try:
        paid = pay(own, 4)
        next_message(own, fault='silent')
        made = refund(own, paid, amount=300)
        assert made['status'] == 'pending'
        wait_for(lambda: status(own, made) == 'succeeded')
        assert given_back(own, 4) == 300 and attention(own) == []
    finally:
        own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'refund_repeats=')


def test_a_refund_that_the_bank_refuses(own):
    paid = pay(own, 5)
    next_message(own, code='57')
    made = refund(own, paid)
    assert made['status'] == 'failed' and made['failure_reason'] == 'declined'
    assert charge(own, paid)['amount_refunded'] == 0
    assert refund(own, paid)['status'] == 'succeeded'
    assert given_back(own, 5) == 1000


def test_a_refund_waits_for_its_capture(own):
    """The order holds for one payment, and delays no other."""
    number = plain_card(6)
    linked = own.linked(number)
    held = own.pay(linked, 900, capture_method='manual').json()
    next_message(own, code='96')  # the bank has trouble of its own, and takes nothing yet
    own.api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture')
    made = refund(own, held, amount=200)
    assert made['status'] == 'pending'
    assert own.pay(linked, 100).json()['status'] == 'succeeded'
    wait_for(lambda: status(own, made) == 'succeeded', 30)
    (entry,) = [e for e in own.ledger()['entries'] if e['number'] == number and e['captured'] == 900]
    assert (entry['captured'], entry['refunded']) == (900, 200)


def test_what_a_capture_leaves_is_taken_back(own):
    number = plain_card(7)
    own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'release=reversal')
    try:
        linked = own.linked(number)
        held = own.pay(linked, 900, capture_method='manual').json()
        assert own.held(number) == (900, 0)
        own.api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture', {'amount_to_capture': 600})
        wait_for(lambda: own.held(number) == (0, 600))
        assert refund(own, held)['amount'] == 600
    finally:
        own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'release=')


def test_a_hold_is_reversed_when_it_is_cancelled(own):
    number = plain_card(8)
    held = own.pay(own.linked(number), 700, capture_method='manual').json()
    assert own.held(number) == (700, 0)
    own.api.ok('POST', f'/v1/payment_intents/{held["id"]}/cancel')
    wait_for(lambda: own.held(number) == (0, 0))


def test_a_capture_that_the_bank_refuses(own):
    """The merchant was told that it is paid; a person finds out that it never will be."""
    number = plain_card(9)
    held = own.pay(own.linked(number), 800, capture_method='manual').json()
    next_message(own, code='05')
    assert own.api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture')['status'] == 'succeeded'
    (row,) = wait_for(lambda: attention(own))
    assert row[1] == 'capture'
    waiting = refund(own, held, amount=100)
    assert waiting['status'] == 'pending'
    resolve(own, row, 'failed')
    gone = own.payment(held['id'])
    assert gone['status'] == 'canceled' and gone['cancellation_reason'] == 'automatic' and gone['amount_received'] == 0
    wait_for(lambda: status(own, waiting) == 'failed')  # the bank has nothing to give back
    assert attention(own) == []
    wait_for(lambda: own.held(number) == (0, 0))  # what is never taken is not held either


def test_payments_in_a_single_message(own):
    number = plain_card(10)
    own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'single_message=yes')
    try:
        linked = own.linked(number)
        sent = own.metrics()['onfile_advices_sent_total']
        paid = own.pay(linked, 500).json()
        assert paid['status'] == 'succeeded' and own.held(number) == (0, 500)
        assert own.metrics()['onfile_advices_sent_total'] == sent  # nothing follows
        assert refund(own, paid, amount=500)['status'] == 'succeeded'
        held = own.pay(linked, 300, capture_method='manual').json()  # a hold is a hold
        assert own.held(number) == (300, 500)
        own.api.ok('POST', f'/v1/payment_intents/{held["id"]}/capture')
        wait_for(lambda: own.held(number) == (0, 800))
        next_message(own, fault='silent')
        assert own.pay(linked, 400).status_code == 402
        wait_for(lambda: own.held(number)[1] == 800 or own.held(number)[0] == 0)
    finally:
        own.sandbox.onfile('connection', 'set', 'bank', '--policy', 'single_message=')
    wait_for(lambda: own.ledger()['totals']['held'] == 0)


def change_books(world, statement):
    """Core dies, and the books are changed before the parent can start another."""
    with open(f'/proc/{world.sandbox.pid("core")}/stat') as file:
        parent = int(file.read().rsplit(')', 1)[1].split()[1])
    os.kill(parent, signal.SIGSTOP)
    try:
        world.kill('core')
        with sqlite3.connect(world.sandbox.folder / 'data/onfile.db', timeout=20) as store:
            store.execute(statement)
        store.close()
    finally:
        os.kill(parent, signal.SIGCONT)
    wait_for(world.is_ready)


def test_a_hold_that_nobody_captures_ends(own):
    """Its life is made shorter while core is dead; it looks at its start, and then every minute."""
    number = plain_card(11)
    held = own.pay(own.linked(number), 600, capture_method='manual').json()
    change_books(own, 'UPDATE attempts SET deadline_ms = 1 WHERE deadline_ms != 0 AND state = 9')
    gone = wait_for(lambda: (seen := own.payment(held['id']))['status'] == 'canceled' and seen)
    assert gone['cancellation_reason'] == 'expired' and gone['amount_capturable'] == 0
    wait_for(lambda: own.held(number) == (0, 0))
    assert charge(own, held)['refunded']
