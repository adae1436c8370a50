"""Each program is killed while a link and a payment are on their way: it comes back, the attempt ends as
the flows say, nothing that was acknowledged is lost, and the bank holds no money for a payment that
is not paid."""

import concurrent.futures
import os
import signal
import subprocess
import threading
import time

import pytest
import requests

from journey import await_lines_up, await_true
from memory import look_everywhere, programs
from needles import Needles, make_number
from process import runs
from running import Sandbox, Shopper

pytestmark = pytest.mark.needs_root

OURS = ('web', 'core', 'vault', 'courier', 'driver-iso8583', 'driver-emv3ds')


numbers = []


def fresh():
    """A card of its own, remembered for the hunt at the end."""
    numbers.append(make_number('410000'))
    return numbers[-1]


def kill(sandbox, name):
    """Ends it as the system would, and waits until it has come back as another process."""
    old = programs(sandbox)[name]
    os.kill(old, signal.SIGKILL)

    def another():
        now = programs(sandbox).get(name)
        return now if now not in (None, old) else None
    new = await_true(f'{name} again', another)
    assert not runs(old)
    await_lines_up(sandbox)
    return new


@pytest.mark.parametrize('name', OURS)
def test_a_program_that_was_killed_comes_back(sandbox, journey, name):
    before = programs(sandbox)
    number = fresh()
    assert journey.link(number)['step'] == 'done'
    kill(sandbox, name)
    after = programs(sandbox)
    gone = {name, 'driver-iso8583', 'driver-emv3ds'} if name == 'vault' else {name}
    assert {one for one in before if before[one] != after[one]} == gone
    assert number[-4:] in [card['last4'] for card in journey.cards()]
    assert journey.pay(number[-4:]).json()['order']['state'] == 'paid'
    assert journey.link(fresh())['step'] == 'done'


def after_restart(page):
    """The page's state, asked for as its script does: again, when nobody answers."""
    def look():
        try:
            answer = page.http.get(f'{page.page}/state', timeout=10)
        except requests.RequestException:
            return None
        state = answer.json() if answer.status_code == 200 else {'step': 'away'}
        return state if state['step'] in ('enter', 'done') else None
    return await_true('the end of the link', look)


@pytest.mark.parametrize('name', OURS)
def test_a_link_on_its_way_ends_and_saves_nothing_unless_it_succeeded(sandbox, journey, name):
    """The bank does not answer the verification, so the link hangs there when the program is killed."""
    number = fresh()
    journey.bank_does(number, verify_fault='silent')
    page = journey.open_page()
    other = Shopper(sandbox, page.page.rsplit('/', 1)[1])  # a second tab on the same page
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        typed = pool.submit(journey.type_card, page, number, '123')
        await_true('the verification at the bank', lambda: journey.ledger(number))
        assert other.state()['step'] == 'checking'
        kill(sandbox, name)
        problem = typed.exception()
    assert problem is None or isinstance(problem, requests.RequestException), problem
    state = after_restart(page)
    assert state['step'] == 'enter' and state['error']['reference'], state
    # The code went with vault: the card is to be typed once more. In the other cases the bank is away.
    again = ('shopper', 'now') if name == 'vault' else ('wait', 'minutes')
    assert (state['error']['who'], state['error']['again']) == again and state['error']['field'] is None
    assert number[-4:] not in [card['last4'] for card in journey.cards()]
    journey.bank_does(number, reset=True)
    answer = journey.type_card(page, number, '123')  # the same page goes on
    assert answer.status_code == 200
    state = page.until('preparing', 'authenticating', 'done', 'enter')
    if state['step'] == 'preparing' and state['method']:
        page.run_method(state['method'])
    assert page.until('done', 'enter')['step'] == 'done'
    assert number[-4:] in [card['last4'] for card in journey.cards()]


def at_rest(journey, number):
    """The bank's authorizations of this card, when none is held and unresolved any more."""
    entries = [entry for entry in journey.ledger(number) if entry['state'] != 'verified']
    return entries if entries and all(entry['state'] in ('reversed', 'refused') for entry in entries) else None


@pytest.mark.parametrize('name', ('web', 'core', 'vault', 'driver-iso8583'))
def test_a_payment_on_its_way_is_taken_back(sandbox, journey, name):
    """The bank approves and its answer is lost; then the program is killed. The outcome is unknown, so
    the authorization is reversed; the shop is never told that the order is paid."""
    number = fresh()
    assert journey.link(number)['step'] == 'done'
    journey.bank_does(number, payment_fault='silent')
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        order = pool.submit(journey.pay, number[-4:])
        held = await_true('the authorization at the bank',
                          lambda: [e for e in journey.ledger(number) if e['state'] == 'held'])
        assert len(held) == 1
        journey.bank_does(number, reset=True)
        kill(sandbox, name)
        answer = order.result()
    entries = await_true('the reversal', lambda: at_rest(journey, number))
    first = next(entry for entry in entries if entry['rrn'] == held[0]['rrn'])
    assert first['state'] == 'reversed' and first['reversed'] == first['amount']
    if answer.status_code == 200:
        assert answer.json()['order']['state'] in ('failed', 'paying'), answer.text

    def settled():
        newest = journey.ok('GET', '/api/orders')['orders'][0]['id']
        order = journey.ok('GET', f'/api/orders/{newest}')['order']  # a look at one order asks onfile
        return order if order['state'] != 'paying' else None
    assert await_true('the end of the order', settled)['state'] == 'failed'
    assert at_rest(journey, number)


def test_no_number_is_left_after_all_that(sandbox):
    """Programs that died with a card in their hands left no core dump, no journal, no line in a log."""
    await_lines_up(sandbox)
    time.sleep(1)  # the promise is: gone one second after the answer
    assert len(numbers) > 10
    assert look_everywhere(sandbox, Needles(numbers)) == []


def test_everything_ends_at_once_and_goes_on(sandbox, journey):
    """The parent is killed with a payment on its way, as a power cut would: all programs end with it,
    and after the start the payment is taken back. Linked cards and paid orders are still there."""
    number = fresh()
    assert journey.link(number)['step'] == 'done'
    paid = journey.pay(number[-4:]).json()['order']
    assert paid['state'] == 'paid'
    journey.bank_does(number, payment_fault='silent')
    known = {entry['rrn'] for entry in journey.ledger(number)}
    before = programs(sandbox)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        order = pool.submit(journey.pay, number[-4:])
        held = await_true('the authorization at the bank',
                          lambda: [e for e in journey.ledger(number) if e['rrn'] not in known])
        os.kill(before['onfile'], signal.SIGKILL)
        for name in OURS:
            await_true(f'the end of {name}', lambda: not runs(before[name]))
        journey.bank_does(number, reset=True)
        order.result()
    with open(sandbox.folder / 'log/onfile.log', 'ab') as log:
        again = subprocess.Popen([sandbox.folder / 'programs/onfile', 'serve', '--config',
                                  sandbox.folder / 'onfile.conf'], stderr=log)
    try:
        await_lines_up(sandbox)

        def reversed_now():
            return [entry for entry in journey.ledger(number)
                    if entry['rrn'] == held[-1]['rrn'] and entry['state'] == 'reversed']
        await_true('the reversal', reversed_now)
        assert number[-4:] in [card['last4'] for card in journey.cards()]
        states = {one['id']: one['state'] for one in journey.ok('GET', '/api/orders')['orders']}
        assert states[paid['id']] == 'paid'
        assert journey.pay(number[-4:]).json()['order']['state'] == 'paid'
    finally:
        again.terminate()
        assert again.wait(timeout=30) == 0


def test_nothing_that_was_acknowledged_is_lost():
    """Customers are made while core is killed again and again. Every one whose creation was answered
    with 200 is there afterwards."""
    sandbox = Sandbox()
    try:
        merchant = sandbox.merchant()
        http = requests.Session()
        http.headers['Authorization'] = f'Bearer {merchant.secret_key}'
        made, over = [], threading.Event()

        def make():
            while not over.is_set():
                try:
                    answer = http.post(f'{sandbox.api}/v1/customers', data={'name': str(len(made))},
                                       timeout=10)
                    if answer.status_code == 200:
                        made.append(answer.json()['id'])
                except requests.RequestException:
                    pass
        thread = threading.Thread(target=make)
        thread.start()
        for _ in range(4):
            count = len(made)
            await_true('more customers', lambda: len(made) > count + 50)
            old = programs(sandbox)['core']
            os.kill(old, signal.SIGKILL)
        over.set()
        thread.join()
        await_lines_up(sandbox)
        assert len(made) > 200 and len(set(made)) == len(made)
        for one in made:
            assert http.get(f'{sandbox.api}/v1/customers/{one}').status_code == 200, one
    finally:
        sandbox.stop()
