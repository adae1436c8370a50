"""What nobody looks at any more goes, a few rows at a time; what one looks at stays."""

import contextlib
import os
import sqlite3
import time

import pytest
from world import World, wait_for

HOUR_MS = 3600 * 1000
MONTH_MS = 31 * 24 * HOUR_MS
KEYS_FROM_MS, KEY_BITS = 1735689600000, 21  # src/proc/core/ids.c


@pytest.fixture(scope='module')
def own():
    one = World()
    yield one
    one.stop()


def store_of(world):
    return contextlib.closing(sqlite3.connect(world.sandbox.folder / 'data/onfile.db', timeout=20))


def used_card(at_ms):
    return os.urandom(32), at_ms


def trial(at_ms, number):
    return (at_ms - KEYS_FROM_MS << KEY_BITS) + number, at_ms


def count(store, what):
    return store.execute(f'SELECT count(*) FROM {what}').fetchone()[0]


def counts(world):
    with store_of(world) as store:
        return [count(store, what) for what in ('used_cards', 'trials WHERE merchant = 77')]


def now_ms():
    return int(time.time() * 1000)


def test_old_rows_go_and_young_ones_stay(own):
    own.stop_onfile()
    now = now_ms()
    used = [used_card(now - 2 * HOUR_MS) for _ in range(1500)] + [used_card(now - HOUR_MS // 2) for _ in range(700)]
    tries = [trial(now - MONTH_MS - HOUR_MS, i) for i in range(900)] + [trial(now - MONTH_MS + HOUR_MS, i) for i in range(300)]
    with store_of(own) as store:
        store.executemany('INSERT INTO used_cards (digest, at_ms) VALUES (?, ?)', used)
        store.executemany("INSERT INTO trials (id, at_ms, merchant, customer, address, network, fingerprint, result) "
                          "VALUES (?, ?, 77, 1, '', '', x'', 0)", tries)
        store.commit()
    own.start_onfile()
    wait_for(lambda: counts(own) == [700, 300])
    own.stop_onfile()
    with store_of(own) as store:
        kept = {row[0] for row in store.execute('SELECT digest FROM used_cards')}
    assert kept == {digest for digest, at_ms in used if at_ms > now - HOUR_MS}
    own.start_onfile()


@pytest.mark.parametrize('table, kept_ms', [('customer_sessions', 96 * HOUR_MS), ('portals', HOUR_MS)])
def test_sessions_that_are_over_go(own, table, kept_ms):
    """More of them than go at a time, and than the guards' rows keep it busy for."""
    young, old, now = 30, 3000, now_ms()
    own.stop_onfile()
    rows = [(i + 1, now - kept_ms + (HOUR_MS // 2 if i < young else -HOUR_MS)) for i in range(old + young)]
    with store_of(own) as store:
        store.executemany(f"INSERT INTO {table} (id, merchant, customer, expires_ms, details) VALUES (?, 77, 1, ?, '')", rows)
        store.commit()
    own.start_onfile()

    def left():
        with store_of(own) as store:
            return [row[0] for row in store.execute(f'SELECT id FROM {table} ORDER BY id')]
    wait_for(lambda: len(left()) == young)
    assert left() == list(range(1, young + 1))
