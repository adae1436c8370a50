"""What is kept of a removed card: its sealed number as long as money may still have to move, no longer."""

import contextlib
import sqlite3

import pytest
from world import World, plain_card, wait_for

DAY_MS = 24 * 3600 * 1000


@pytest.fixture(scope='module')
def own():
    one = World()
    yield one
    one.stop()


def seals(world):
    """How many bytes of sealed number each card has, by its last four digits; read while nobody serves."""
    with contextlib.closing(sqlite3.connect(world.sandbox.folder / 'data/onfile.db')) as store:
        return dict(store.execute('SELECT last4, length(sealed) FROM cards'))


def test_only_a_card_that_paid_keeps_its_seal(own):
    never, paid, held = plain_card(901), plain_card(902), plain_card(903)
    cards = {number: own.linked(number) for number in (never, paid, held)}
    payment = own.pay(cards[paid], 1000).json()
    hold = own.pay(cards[held], 700, capture_method='manual').json()
    for linked in cards.values():
        own.api.ok('POST', f'/v1/payment_methods/{linked["card"]}/detach')
    assert own.pay(cards[paid], 100).status_code == 400  # gone for new payments at once
    assert own.api.ok('POST', '/v1/refunds', {'payment_intent': payment['id'], 'amount': 300})['status'] == 'succeeded'
    own.api.ok('POST', f'/v1/payment_intents/{hold["id"]}/capture')
    wait_for(lambda: own.held(held) == (0, 700))
    own.stop_onfile()
    kept = seals(own)
    assert kept[never[-4:]] == 0 and kept[paid[-4:]] > 0 and kept[held[-4:]] > 0
    # A year later nothing can be given back any more: the next advice about it, or the sweep, lets it go.
    with contextlib.closing(sqlite3.connect(own.sandbox.folder / 'data/onfile.db')) as store:
        store.execute('UPDATE cards SET used_ms = used_ms - ? WHERE last4 = ?', (400 * DAY_MS, paid[-4:]))
        store.commit()
    own.start_onfile()
    own.api.ok('POST', '/v1/refunds', {'payment_intent': payment['id'], 'amount': 200})
    own.stop_onfile()
    kept = seals(own)
    assert kept[paid[-4:]] == 0 and kept[held[-4:]] > 0
    own.start_onfile()
    refused = own.api.post('/v1/refunds', {'payment_intent': payment['id'], 'amount': 100})
    assert refused.status_code == 400 and refused.json()['error']['code'] == 'charge_not_refundable'
    assert own.api.ok('POST', '/v1/refunds', {'payment_intent': hold['id']})['status'] == 'succeeded'
