"""kill -9 of each program before each system call of one payment, of one link and of one delivery of an event, and
of all of them at once. After each: the books of onfile and of the bank are equal, nothing was done twice, what was
answered stays true, and each event came to its endpoint."""

import threading

import pytest
from delivery import Delivery
from machine import Flow, Trace, record, wait_for

PAYMENT = ('web', 'core', 'vault', 'driver-iso8583')
LINK = PAYMENT + ('driver-emv3ds',)
DELIVERY = ('courier',)
SAMPLE = {'core': 20, 'courier': 10}


def check_many(results, share=0.5):
    """A fault that is put nowhere proves nothing. Not all are reached: calls wait for one thing or for two."""
    assert sum(results) >= share * len(results), f'only {sum(results)} of {len(results)} faults happened'


def begin(machine, kind):
    return Delivery(machine) if kind == 'delivery' else Flow(machine, kind)


def kill_at(machine, kind, program, call, which):
    """True when the program was killed there."""
    flow = begin(machine, kind)
    pid = machine.pid(program)
    trace = Trace(pid, '-e', f'trace={call}', '-e', f'inject={call}:signal=SIGKILL:when={which}')
    flow.go()
    trace.stop()
    wait_for(machine.is_ready, 'onfile is ready again')
    flow.check()
    return machine.pid(program) != pid


@pytest.mark.parametrize('kind, program', [('payment', one) for one in PAYMENT] + [('link', one) for one in LINK] +
                         [('delivery', one) for one in DELIVERY])
def test_a_program_is_killed_at_a_system_call(machines, choice, kind, program):
    points = record(machines, program, lambda machine: begin(machine, kind))
    check_many(machines.run(lambda machine, call, which: kill_at(machine, kind, program, call, which),
                            choice.of(points, SAMPLE.get(program, 6))))


def kill_everything_at(machine, kind, call, which):
    """Core is stopped at the call; then all of onfile is killed, and started anew."""
    flow = begin(machine, kind)
    pid = machine.pid('core')
    trace = Trace(pid, '-e', f'trace={call}', '-e', f'inject={call}:signal=SIGSTOP:when={which}')
    going = threading.Thread(target=flow.go)
    going.start()
    stopped = False
    while going.is_alive() and not stopped:
        stopped = trace.saw('SIGSTOP')
        going.join(0.005)
    # It may also happen after the answer, at a call for the capture.
    seen = trace.stop()
    stopped = stopped or any('SIGSTOP' in line for line in seen) or machine.state('core') == 'T'
    if stopped:
        machine.kill_all()
    wait_for(machine.is_ready, 'onfile is ready again')
    going.join()
    flow.check()
    return stopped


@pytest.mark.parametrize('kind', ['payment', 'link'])
def test_all_programs_are_killed_at_once(machines, choice, kind):
    points = record(machines, 'core', lambda machine: begin(machine, kind))
    check_many(machines.run(lambda machine, call, which: kill_everything_at(machine, kind, call, which),
                            choice.of(points, 8)))
