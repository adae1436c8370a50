"""Deliveries over deaths and restarts: nothing is lost, the order holds, the schedule goes on."""

import contextlib
import os
import signal
import sqlite3
import subprocess

import pytest

from calls import Client
from receiver import wait_for
from running import Sandbox


@pytest.fixture
def sandbox():
    """One of our own: its programs are killed."""
    one = Sandbox()
    one.again = []  # what a test started anew
    yield one
    for process in one.again:
        process.terminate()
        process.wait(timeout=30)
    one.stop()


@pytest.fixture
def api(sandbox):
    return Client(sandbox, sandbox.merchant('Mortal').secret_key)


def kill(sandbox, program):
    old = sandbox.pid(program)
    os.kill(old, signal.SIGKILL)

    def another():
        try:
            return sandbox.pid(program) != old
        except StopIteration:
            return False
    wait_for(another)
    wait_for(lambda: sandbox.onfile('status').count(' ready ') == 4)


def customers(api, count):
    made = []
    while len(made) < count:
        try:
            made.append(api.customer())
        except (AssertionError, OSError):
            continue  # core is just coming back: 503, or no answer; a customer may then exist all the same
    return made


@pytest.mark.parametrize('program', ['core', 'courier', 'web'])
def test_a_death_in_the_middle_loses_nothing(sandbox, api, receivers, hook, program):
    """Deliveries are held by the receiver when the program is killed: each comes again, and all that
    came before and after arrives, in the order of each customer."""
    receiver = receivers()
    receiver.answer = lambda post: receiver.released.wait(30) and 200
    hook(receiver.url(), 'customer.created', 'customer.updated')
    made = customers(api, 12)
    for customer in made:
        api.ok('POST', f'/v1/customers/{customer}', {'name': 'later'})
    receiver.wait(1)
    kill(sandbox, program)
    made += customers(api, 3)
    receiver.released.set()
    for customer in made[:12]:
        receiver.wait(object=customer, type='customer.updated')
    for customer in made:
        receiver.wait(object=customer, type='customer.created')
    for customer in made[:12]:
        types = [post.type for post in receiver.of(object=customer)]
        assert types.index('customer.updated') > types.index('customer.created')
        assert 'customer.created' not in types[types.index('customer.updated'):]


def test_a_delivery_under_way_comes_again_after_courier_is_killed(sandbox, api, receivers, hook):
    receiver = receivers()
    receiver.answer = lambda post: receiver.released.wait(30) and 200
    hook(receiver.url(), 'customer.created')
    customer = api.customer()
    receiver.wait(object=customer)
    kill(sandbox, 'courier')
    receiver.released.set()
    first, second = receiver.wait(2, object=customer)
    assert first.event['id'] == second.event['id']
    assert first.headers['Stripe-Signature'] != second.headers['Stripe-Signature']


def end(sandbox):
    """Stops onfile as an operator would, and waits for it."""
    old = sandbox.pid('core')
    parent = int(next(line.split()[1] for line in open(f'/proc/{old}/status') if line.startswith('PPid')))
    os.kill(parent, signal.SIGTERM)
    wait_for(lambda: state_of(parent) in 'ZX')


def state_of(pid):
    try:
        return open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return 'X'


def start(sandbox):
    log = (sandbox.folder / 'log/onfile.log').open('a')
    sandbox.again.append(subprocess.Popen(
        [sandbox.folder / 'programs/onfile', 'serve', '--config', sandbox.folder / 'onfile.conf'], stderr=log))


def test_the_schedule_goes_on_after_a_stop_and_ends_with_a_list(sandbox, api, receivers, hook):
    """The days of the schedule are shortened in the books while onfile is stopped."""
    receiver = receivers(answer=lambda post: 500)
    hook(receiver.url(), 'customer.created', 'customer.updated')
    customer = api.customer()
    api.ok('POST', f'/v1/customers/{customer}', {'name': 'x'})
    receiver.wait(2, object=customer)  # at once, and after 5 s
    event = receiver.posts[0].event['id']
    wait_for(lambda: f'event={event} tries=2 status=500' in sandbox.log())
    end(sandbox)
    with contextlib.closing(sqlite3.connect(sandbox.folder / 'data/onfile.db', isolation_level=None)) as books:
        rows = books.execute('SELECT tries, due_ms - tried_ms FROM deliveries WHERE state = 0 ORDER BY id').fetchall()
        assert rows[0] == (2, 300_000) and rows[1][0] == 0  # five minutes; the other one has not begun
        books.execute('UPDATE deliveries SET due_ms = 1, tries = 9 WHERE state = 0 AND tries = 2')
    start(sandbox)
    receiver.wait(3, object=customer)
    receiver.answer = lambda post: 200
    # Given up and listed; the next event of the customer goes.
    receiver.wait(object=customer, type='customer.updated')
    listed = wait_for(lambda: event in (text := sandbox.onfile('webhooks', 'list')) and text)
    assert f'given up {event}' in listed and 'after 10 tries: answered 500' in listed
    assert event in [one['id'] for one in api.ok('GET', '/v1/events', {'delivery_success': 'false'})['data']]
    assert 'sent again to 1 endpoint' in sandbox.onfile('events', 'resend', event)
    receiver.wait(4, object=customer, type='customer.created')
    wait_for(lambda: 'given up 0' in sandbox.onfile('webhooks', 'list'))
    number = next(line.split()[0] for line in sandbox.onfile('merchant', 'list').splitlines() if ' Mortal ' in line)

    def delivered():
        rows = sandbox.onfile('events', 'list', '--type', 'customer.created', '--merchant', number)
        assert event in rows
        return 'waiting 0, given up 0' in rows
    wait_for(delivered)
