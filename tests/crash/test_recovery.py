"""Killed again while it recovers: a program dies in the middle of a payment, and what the parent starts in its
place is killed before one of the calls of its start; or the parent itself is, while it starts the other."""

import pytest
from machine import Flow, Trace, calls_of, wait_for
from test_kill import check_many

# Where a program is killed first: it has asked for the authorization and is about to read the answer. No payment ends
# without that call.
IN_THE_MIDDLE = {
    'core': ('recvmsg', 2),
    'vault': ('read', 1),
    'driver-iso8583': ('read', 2),
}
FIRST_FILE = {'core': 'onfile.db', 'vault': 'keyring'}


def crash(machine, program):
    """A payment on whose way the program is killed."""
    flow = Flow(machine, 'payment')
    call, which = IN_THE_MIDDLE[program]
    return flow, Trace(machine.pid(program), '-e', f'trace={call}', '-e', f'inject={call}:signal=SIGKILL:when={which}')


def finish(machine, flow, trace, program=None):
    """A program named here may be killed once more while one looks at what became of it all."""
    flow.go()
    wait_for(lambda: trace.process.poll() is not None, 'the program was killed')
    trace.stop()
    wait_for(machine.is_ready, 'onfile is ready again')
    pid = program and machine.pid(program)
    try:
        flow.check()
    except AssertionError:
        wait_for(machine.is_ready, 'onfile is ready again')
        if not program or machine.pid(program) == pid:
            raise
        flow.check()


def record_start(machines, program):
    """The calls of a start after a crash, from its first own file on: what the loader does is left out."""
    def deed(machine):
        out = machine.wrap(program, ['-s', '80', '-e', 'trace=all'])  # before: it may be killed at once
        flow, trace = crash(machine, program)
        finish(machine, flow, trace)
        lines = out.read_text(errors='replace').splitlines()
        calls = calls_of(lines)
        assert len(calls) > 50, lines
        opened = next(i for i, line in enumerate(lines) if FIRST_FILE[program] in line)
        return calls[len(calls_of(lines[:opened])):]
    return machines.alone(deed)


def kill_start_at(machine, program, call, which):
    out = machine.wrap(program, ['-e', f'trace={call}', '-e', f'inject={call}:signal=SIGKILL:when={which}'])
    flow, trace = crash(machine, program)
    finish(machine, flow, trace, program)
    return 'killed by SIGKILL' in out.read_text(errors='replace')


@pytest.mark.parametrize('program', ['core', 'vault'])
def test_a_program_is_killed_while_it_recovers(machines, choice, program):
    points = record_start(machines, program)
    check_many(machines.run(lambda machine, call, which: kill_start_at(machine, program, call, which),
                            choice.of(points, 10)))


def record_parent(machines, program):
    def deed(machine):
        flow, trace = crash(machine, program)
        parent = Trace(machine.parent.pid)
        flow.go()
        wait_for(machine.is_ready, 'onfile is ready again')
        calls = calls_of(parent.stop())
        finish(machine, flow, trace)
        return calls
    return machines.alone(deed)


def kill_parent_at(machine, program, call, which):
    flow, trace = crash(machine, program)
    before = machine.parent
    parent = Trace(before.pid, '-e', f'trace={call}', '-e', f'inject={call}:signal=SIGKILL:when={which}')
    flow.go()
    wait_for(machine.is_ready, 'onfile is ready again')
    parent.stop()
    finish(machine, flow, trace)
    return machine.parent is not before


@pytest.mark.parametrize('program', ['core', 'vault', 'driver-iso8583'])
def test_the_parent_is_killed_while_it_restarts_a_program(machines, choice, program):
    points = record_parent(machines, program)
    check_many(machines.run(lambda machine, call, which: kill_parent_at(machine, program, call, which),
                            choice.of(points, 5)), 0.2)
