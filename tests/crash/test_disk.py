"""The disk fails: EIO and ENOSPC on each write and each sync of core, with what was not synced lost, a write
half done, a disk that stays full, and the power gone. A commit that failed is never answered: core stops, is
started again, and goes on from what is on disk."""

import re
import threading

import pytest
from machine import Disk, Flow, Trace, joined, wait_for
from test_kill import check_many

LEAVES = re.compile(r'^(sendmsg|sendto|writev)\(')
FAULTS = [('EIO', 'lose'), ('EIO', 'fail'), ('ENOSPC', 'half'), ('ENOSPC', 'fail')]


def on_bad_disk(machine, kind):
    """A payment or link that is about to begin, with core on a disk that can fail."""
    disk = Disk(machine)
    disk.hold()
    machine.kill('core')
    wait_for(lambda: disk.counts()['write'] and machine.is_ready(), 'core runs on this disk')
    return disk, Flow(machine, kind)


def record_writes(machines, kind):
    """[(call, which)] of the calls to the disk during one payment or link."""
    def deed(machine):
        disk, flow = on_bad_disk(machine, kind)
        before = disk.counts()
        flow.go()
        flow.check()
        after = disk.counts()
        return [(call, n + 1) for call in disk.CALLS for n in range(after[call] - before[call])]
    points = machines.alone(deed)
    assert {'write', 'sync'} <= {call for call, _ in points}
    return points


def fail_at(machine, kind, fault, call, which):
    disk, flow = on_bad_disk(machine, kind)
    pid = machine.pid('core')
    said = machine.log_size()
    disk.arm(call, which, *fault)
    flow.go()
    fired = disk.fired()
    wait_for(machine.is_ready, 'onfile is ready again')
    flow.check()
    if fired:
        assert machine.pid('core') != pid, 'core went on after a write that failed'
        assert 'store_failed' in machine.log_since(said), 'core did not say why it stopped'
    return bool(fired)


@pytest.mark.parametrize('fault', FAULTS, ids='-'.join)
@pytest.mark.parametrize('kind', ['payment', 'link'])
def test_a_write_fails(machines, choice, kind, fault):
    points = record_writes(machines, kind)
    check_many(machines.run(lambda machine, call, which: fail_at(machine, kind, fault, call, which),
                            choice.of(points, 5)))


def cut_power_at(machine, kind, call, which):
    disk, flow = on_bad_disk(machine, kind)
    disk.arm(call, which, 'EIO', 'power')
    going = threading.Thread(target=flow.go)
    going.start()
    while going.is_alive() and not disk.fired():
        going.join(0.002)
    if disk.fired():
        machine.kill_all()
    wait_for(machine.is_ready, 'onfile is ready again')
    going.join()
    flow.check()
    return bool(disk.fired())


@pytest.mark.parametrize('kind', ['payment', 'link'])
def test_the_power_goes(machines, choice, kind):
    """All programs end at once, and nothing that was not synced is there afterwards."""
    points = record_writes(machines, kind)
    check_many(machines.run(lambda machine, call, which: cut_power_at(machine, kind, call, which),
                            choice.of(points, 8)))


def fail_start_at(machine, error, call, which):
    disk, flow = on_bad_disk(machine, 'payment')
    disk.arm(call, which, error, 'fail', at_start=True)
    disk.hold()
    machine.kill('core')
    flow.go()
    wait_for(machine.is_ready, 'onfile is ready again')
    flow.check()
    return bool(disk.fired())


@pytest.mark.parametrize('error', ['EIO', 'ENOSPC'])
def test_a_write_fails_while_core_starts(machines, choice, error):
    points = [('write', n) for n in (1, 2, 3)] + [('sync', n) for n in (1, 2)]
    check_many(machines.run(lambda machine, call, which: fail_start_at(machine, error, call, which),
                            choice.of(points, 3)))


def test_a_disk_that_stays_full(machines):
    """Nothing is answered for good while nothing can be written; when there is room again all goes on."""
    def deed(machine):
        disk, flow = on_bad_disk(machine, 'payment')
        disk.arm('write', 1, 'ENOSPC', 'fail', stays=True)
        for _ in range(3):
            disk.hold()
            assert flow.payment.once() is None
        assert disk.fired()
        disk.arm('write', 10 ** 9, 'ENOSPC', 'fail')
        flow.go()
        flow.check()
    machines.alone(deed)


@pytest.mark.parametrize('kind', ['payment', 'link'])
def test_nothing_leaves_before_it_is_on_disk(machines, kind):
    """Whatever core sends, each page of the log that it wrote before has been synced, and its turn writes none after it."""
    def deed(machine):
        flow = Flow(machine, kind)
        trace = Trace(machine.pid('core'), '-y', '-e', 'trace=pwrite64,fdatasync,fsync,sendmsg,sendto,writev,epoll_wait')
        flow.go()
        return trace.stop()
    unsynced, synced, sent, left = None, 0, 0, None
    for line in joined(machines.alone(deed)):
        if line.startswith('pwrite64(') and 'onfile.db-wal' in line:
            unsynced = line
            assert left is None, f'{line} came after {left}'
        elif line.startswith(('fdatasync(', 'fsync(')) and 'onfile.db-wal' in line and line.endswith('= 0'):
            unsynced, synced = None, synced + 1
        elif LEAVES.match(line):
            sent, left = sent + 1, line
            assert unsynced is None, f'{line} came before {unsynced} was synced'
        elif line.startswith('epoll_wait('):
            left = None
    assert synced >= 2 and sent >= 3
