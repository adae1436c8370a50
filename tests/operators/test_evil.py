"""Drivers that die, hang, flood or answer nonsense: their own requests become unknown (or, when not a byte was taken,
not sent), and nothing else is hurt: not the other connections, not vault, not core."""

import datetime
import pathlib
import re
import threading

import pytest

from calls import PAYMENT_SILENT
from conftest import HERE, pay, wait_for

MODES = ('die', 'hang', 'flood', 'garbage', 'wrong_id', 'number', 'too_long', 'close_output', 'half_line', 'nonsense', 'not_json')


class Evil:
    def __init__(self, operator):
        self.operator = operator
        number, self.api = operator.merchant('Evil')
        operator.ok('driver', 'install', HERE / 'evil.py')
        operator.ok('connection', 'add', 'evil', '--driver', 'evil', '--set', 'mode=good', '--policy', f'merchants={number}',
                    '--policy', 'priority=1')
        operator.ok('connection', 'set', 'bank', '--policy', 'priority=50')
        operator.await_up('evil')
        self.customer = self.api.customer()
        self.card = self.api.link(self.customer)['payment_method']

    def become(self, mode, **more):
        sets = [word for name, value in more.items() for word in ('--set', f'{name}={value}')]
        self.operator.ok('connection', 'set', 'evil', '--set', f'mode={mode}', *sets)
        self.operator.await_up('evil')

    def last(self, column='state'):
        """Of the last attempt on this connection."""
        return self.operator.store(f'SELECT {column} FROM attempts JOIN connections ON number = connection '
                                   "WHERE name = 'evil' ORDER BY attempts.id DESC LIMIT 1")[0][0]


@pytest.fixture(scope='module')
def evil(operator):
    return Evil(operator)


@pytest.fixture(scope='module')
def honest(operator):
    """A merchant whose payments go to the bank."""
    _, api = operator.merchant('Honest')
    customer = api.customer()
    return api, customer, api.link(customer)['payment_method']


def program(operator, name):
    return next(line.split(' pid ')[1].split(',')[0] for line in operator.ok('status').splitlines() if line.startswith(name))


GIVEN_UP = 11  # enum attempt_state


@pytest.mark.parametrize('mode', MODES)
def test_its_own_requests_are_unknown_and_nothing_else_is_hurt(operator, evil, honest, mode):
    evil.become(mode)
    before = {name: program(operator, name) for name in ('vault', 'core', 'web')}
    paid = []
    others = threading.Thread(target=lambda: paid.extend(pay(*honest).json()['status'] for _ in range(5)))
    others.start()
    answer = pay(evil.api, evil.customer, evil.card)
    others.join()
    assert paid == ['succeeded'] * 5
    assert answer.status_code == 402, answer.text
    assert evil.last() == GIVEN_UP
    assert evil.operator.store("SELECT count(*) FROM advices WHERE kind = 1 AND attempt = (SELECT max(id) FROM attempts "
                               'WHERE amount = 1990 AND state = ?)', GIVEN_UP) == [(1,)]
    assert {name: program(operator, name) for name in before} == before
    evil.become('good')
    assert pay(evil.api, evil.customer, evil.card).json()['status'] == 'succeeded'


def test_one_that_reads_nothing_gets_its_requests_unknown_and_the_rest_not_sent(operator, evil):
    evil.become('deaf')
    assert pay(evil.api, evil.customer, evil.card).status_code == 402
    assert evil.last() == GIVEN_UP
    evil.become('good')


def test_a_second_answer_changes_nothing(operator, evil):
    evil.become('twice')
    assert pay(evil.api, evil.customer, evil.card).json()['status'] == 'succeeded'
    wait_for(lambda: 'an answer to a request that the driver does not have' in operator.sandbox.log())
    assert evil.last('approval_code') == '123456'


def test_an_answer_to_another_drivers_request_is_refused(operator, evil, honest):
    api, _, _ = honest
    customer = api.customer()
    card = api.link(customer, PAYMENT_SILENT)['payment_method']
    logged = len(operator.sandbox.log())
    said = []
    silent = threading.Thread(target=lambda: said.append(pay(api, customer, card, 3333).status_code))
    silent.start()
    victim = wait_for(lambda: operator.store('SELECT id FROM attempts WHERE amount = 3333 AND deadline_ms != 0'))[0][0]
    evil.become('other', victim=victim)
    assert operator.run('connection', 'test', 'evil').returncode == 0  # its own question is answered
    silent.join()
    assert said == [402]
    assert operator.store('SELECT state FROM attempts WHERE id = ?', victim) == [(GIVEN_UP,)]
    assert 'an answer to a request that the driver does not have' in operator.sandbox.log()[logged:]


def test_a_flood_of_lines_does_not_stop_the_others(operator, evil, honest):
    evil.become('flood_lines')
    answers = []
    flooded = threading.Thread(target=lambda: answers.append(pay(evil.api, evil.customer, evil.card).status_code))
    flooded.start()
    assert [pay(*honest).json()['status'] for _ in range(5)] == ['succeeded'] * 5
    flooded.join()
    assert answers == [402]
    memory = pathlib.Path(f'/proc/{program(operator, "vault")}/status').read_text()
    assert int(memory.split('VmRSS:')[1].split()[0]) < 64 * 1024
    evil.become('good')


def test_no_number_came_to_core_or_to_a_log(operator, evil):
    """The driver that said the number of the card said it to vault only."""
    assert "the driver's answer held a card number" in operator.sandbox.log()
    assert '4242424242424242' not in operator.sandbox.log()
    assert b'4242424242424242' not in (operator.sandbox.folder / 'data/onfile.db').read_bytes()


def test_one_that_dies_again_and_again_is_started_with_growing_pauses(operator, evil):
    def starts():
        return [datetime.datetime.fromisoformat(at) for at in re.findall(
            r'time=(\S+)Z .*event=driver_started driver=evil', operator.sandbox.log())]
    before = len(starts())
    evil.become('die')
    wait_for(lambda: len(starts()) == before + 1 and operator.state('evil').startswith('up'))
    for more in (1, 2, 3):
        pay(evil.api, evil.customer, evil.card)
        wait_for(lambda: len(starts()) == before + 1 + more)
        operator.await_up('evil')
    # Between two starts there is at least the pause.
    times = starts()[before:]
    pauses = [(after - start).total_seconds() for start, after in zip(times, times[1:])]
    assert len(pauses) == 3 and all(pause >= least for pause, least in zip(pauses, (0.09, 0.19, 0.39))), pauses
    evil.become('good')
