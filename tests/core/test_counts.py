"""What an operator asks for is counted up to ten thousand: payments wait while core counts."""

import contextlib
import sqlite3

from world import World


def fill(store, table, count, **values):
    """Rows like no other, but for the values that are given."""
    columns = [(row[1], row[2]) for row in store.execute(f'PRAGMA table_info({table})')]
    blanks = {'INTEGER': 0, 'TEXT': '', 'BLOB': b''}
    rows = [[{'id': i + 1, **values}.get(name, blanks[kind]) for name, kind in columns] for i in range(count)]
    store.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)


def test_many_rows_are_not_all_counted():
    world = World()
    try:
        merchant = int(world.sandbox.onfile('merchant', 'list').split()[0])
        world.stop_onfile()
        with contextlib.closing(sqlite3.connect(world.sandbox.folder / 'data/onfile.db', timeout=20)) as store:
            fill(store, 'customers', 9999, merchant=merchant)
            fill(store, 'payment_intents', 10001, merchant=merchant)
            fill(store, 'cards', 10000, merchant=merchant, customer=7, state=2)
            store.execute('UPDATE cards SET state = 1, fingerprint = id WHERE id <= 5000')
            fill(store, 'endpoints', 1, merchant=merchant, details='{"url":"https://shop.example/"}')
            fill(store, 'deliveries', 10001, merchant=merchant, endpoint=1, event=1, object=1, state=2)
            store.commit()
        world.start_onfile()
        shown = world.sandbox.onfile('merchant', 'show', str(merchant))
        assert 'has      9999 customers, 5000 cards on file, 10000 or more payments, 1 webhook endpoints\n' in shown
        assert 'waiting 0, given up 10000 or more' in world.sandbox.onfile('webhooks', 'list')
    finally:
        world.stop()
