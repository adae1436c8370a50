"""The boundaries, looked at from outside on the running programs: sockets, rights, files, system calls.
ARCHITECTURE.md has the table that this holds to."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest
import requests

from journey import await_lines_up, await_true
from memory import programs, search_files
from needles import make_number
from process import (Descriptors, as_user, command_line, connect, environment, is_dumpable, runs, status)

pytestmark = pytest.mark.needs_root

OURS = ('vault', 'core', 'web', 'courier')
USERS = {'vault': 61200, 'core': 61201, 'web': 61202, 'driver-iso8583': 61217, 'driver-emv3ds': 61218,
         'courier': 61204}


def test_vault_has_no_internet_socket(running):
    have = Descriptors(running['vault'])
    assert have.tcp == [] and have.others == []
    assert len(have.unix) == 2  # the lines to the parent and to core
    assert len(have.pipes) == 4  # two drivers
    assert {pathlib.Path(name).name for name in have.files} <= {'null', 'onfile.log'}


def test_core_has_the_store_and_no_internet_socket(running, sandbox):
    have = Descriptors(running['core'])
    assert have.tcp == [] and have.others == []
    files = {name for name in have.files if not name.startswith('/dev/') and not name.endswith('/onfile.log')}
    data = str(sandbox.folder / 'data')
    assert data in files  # it keeps a second core away
    assert {str(pathlib.Path(name).parent) for name in files - {data}} == {data}


def test_web_listens_and_dials_nobody(running, sandbox):
    doors = {sandbox.public, sandbox.results, sandbox.metrics}
    with socket.create_connection(('127.0.0.1', sandbox.public)) as client:
        client.sendall(b'GET /static/tokens.css HTTP/1.1\r\nHost: pay.localhost\r\n\r\n')
        assert client.recv(12) == b'HTTP/1.1 200'
        have = Descriptors(running['web'])
        assert have.listening() == doors
        assert (sandbox.public, client.getsockname()[1]) in have.connected()
    assert have.others == []
    assert {local for local, _ in have.connected()} <= doors  # all were accepted, none was dialled
    assert {pathlib.Path(name).name for name in have.files} <= {'null', 'onfile.log'}


def test_the_parent_holds_listeners_and_no_connection(running, sandbox):
    have = Descriptors(running['onfile'])
    assert have.listening() == {sandbox.public, sandbox.results, sandbox.metrics}
    assert have.connected() == set() and have.others == []


def test_a_driver_dials_its_bank_and_nobody_else(running, sandbox):
    line = Descriptors(running['driver-iso8583'])
    assert {remote for _, remote in line.connected()} == {sandbox.iso}
    directory = Descriptors(running['driver-emv3ds'])
    assert {remote for _, remote in directory.connected()} <= {sandbox.bank}
    assert line.unix == []  # the other one's HTTP client wakes itself through a pair of them
    for have in (line, directory):
        assert have.listening() == set()
        assert [kind for kind, *_ in have.others if not kind.startswith('udp')] == []


def test_courier_dials_merchants_and_nobody_else(running, sandbox):
    listener = socket.create_server(('127.0.0.1', 0))
    merchant = sandbox.merchant('Webhooks')
    head = {'Authorization': f'Bearer {merchant.secret_key}'}
    answer = requests.post(f'{sandbox.api}/v1/webhook_endpoints', headers=head, data={
        'url': f'http://127.0.0.1:{listener.getsockname()[1]}/', 'enabled_events[]': 'customer.created'})
    assert answer.status_code == 200, answer.text
    before = Descriptors(running['courier'])
    assert before.tcp == []
    assert requests.post(f'{sandbox.api}/v1/customers', headers=head).status_code == 200
    with listener, listener.accept()[0] as dialled:
        have = Descriptors(running['courier'])
        assert have.connected() == {(dialled.getpeername()[1], dialled.getsockname()[1])}
        assert have.listening() == set() and have.others == [] and have.pipes == []
    for have in (before, have):
        assert {pathlib.Path(name).name for name in have.files} <= {'null', 'onfile.log'}
    # The lines to the parent and to core; the rest are pairs by which libcurl wakes itself.
    assert 2 <= len(before.unix) <= 6


def test_courier_cannot_look_at_what_is_not_its_own(running, sandbox):
    user = USERS['courier']
    for path in (sandbox.folder / 'keys/webhooks', sandbox.folder / 'keys/keyring', sandbox.folder / 'data/onfile.db',
                 sandbox.folder / 'shop.conf'):
        assert path.stat().st_size > 0
        assert as_user(user, path.read_bytes) == 'denied', path


def test_rights_are_given_up(running):
    for name, user in USERS.items():
        has = status(running[name])
        assert has['Uid'].split() == has['Gid'].split() == [str(user)] * 4, name
        assert has['Groups'] == '' and has['NoNewPrivs'] == '1', name
        assert int(has['CapEff'], 16) == int(has['CapPrm'], 16) == int(has['CapInh'], 16) == 0, name
    for name in USERS:
        assert status(running[name])['Seccomp'] == '2', name
    for name in OURS:
        assert not is_dumpable(running[name]), name
    for name in USERS:
        limits = pathlib.Path(f'/proc/{running[name]}/limits').read_text()
        assert re.search(r'Max core file size +0 +0 ', limits), name


def test_what_undumpable_looks_like():
    """So that the look above can fail: a plain process of another user is dumpable."""
    reader, writer = os.pipe()
    child = subprocess.Popen(['sleep', '60'], user=61299, stdout=writer)
    try:
        os.close(writer)
        await_true('the program', lambda: command_line(child.pid).startswith(b'sleep'))
        assert is_dumpable(child.pid)
    finally:
        os.close(reader)
        child.kill()
        child.wait()


def test_roots_of_the_programs(running, sandbox):
    assert os.readlink(f'/proc/{running["vault"]}/root') == str(sandbox.folder / 'keys')
    assert os.readlink(f'/proc/{running["core"]}/root') == str(sandbox.folder / 'data')
    assert os.readlink(f'/proc/{running["web"]}/root') not in ('/', '')


def test_no_secret_is_in_a_command_line_or_in_an_environment(running, sandbox):
    settings = (sandbox.folder / 'shop.conf').read_text()
    key = re.search(r'^secret_key = (\S+)', settings, re.MULTILINE)[1].encode()
    assert key.startswith(b'sk_test_')
    ring = (sandbox.folder / 'keys/keyring').read_bytes()
    for name, pid in running.items():
        for told in (command_line(pid), environment(pid)):
            assert key not in told, name
            for at in range(0, len(ring) - 16):
                piece = ring[at:at + 16]
                assert piece not in told and piece.hex().encode() not in told, name
    for name in USERS:
        names = {line.split(b'=')[0] for line in environment(running[name]).split(b'\0') if line}
        assert names <= {b'PATH', b'LANG'}, name


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_modes_of_files(sandbox):
    folder = sandbox.folder
    assert mode(folder / 'shop.conf') == 0o600
    assert mode(folder / 'keys') == 0o700 and (folder / 'keys').stat().st_uid == 0
    assert mode(folder / 'keys/keyring') == 0o600 and (folder / 'keys/keyring').stat().st_uid == 0
    assert mode(folder / 'keys/webhooks') == 0o600 and (folder / 'keys/webhooks').stat().st_uid == 0
    assert mode(folder / 'data') == 0o700 and (folder / 'data').stat().st_uid == USERS['core']
    assert mode(folder / 'run') in (0o700, 0o711)
    for name in ('root.sock', 'operator.sock'):
        path = folder / 'run' / name
        assert stat.S_ISSOCK(path.stat().st_mode) and mode(path) == 0o600 and path.stat().st_uid == 0


def test_what_the_users_of_the_programs_can_open(sandbox):
    keyring, store = sandbox.folder / 'keys/keyring', sandbox.folder / 'data/onfile.db'
    assert as_user(0, lambda: len(keyring.read_bytes()) > 0) == 'True'
    assert as_user(0, lambda: connect(sandbox.folder / 'run/root.sock')) == 'connected'
    for user in {*USERS.values(), 65534}:
        assert as_user(user, keyring.read_bytes) == 'denied', user
        assert as_user(user, lambda: connect(sandbox.folder / 'run/root.sock')) == 'denied', user
        assert as_user(user, lambda: connect(sandbox.folder / 'run/operator.sock')) == 'denied', user
        if user != USERS['core']:
            assert as_user(user, store.read_bytes) == 'denied', user


def test_a_program_cannot_look_into_another(running):
    for victim in OURS:
        for user in set(USERS.values()):
            mine = pathlib.Path(f'/proc/{running[victim]}/mem')
            assert as_user(user, lambda: mine.open('rb')) == 'denied', (victim, user)
            assert as_user(user, lambda: os.listdir(mine.parent / 'fd')) == 'denied', (victim, user)


def test_the_keyring_is_in_nothing_but_its_file(sandbox):
    """The key's own bytes, as they are, in hex and in base64, are in no other file."""
    class Ring:
        ring = (sandbox.folder / 'keys/keyring').read_bytes()

        def search(self, data):
            found = set()
            for at in range(0, len(self.ring) - 24, 8):
                piece = self.ring[at:at + 24]
                if len(set(piece)) > 12 and (piece in data or piece.hex().encode() in data):
                    found.add(hashlib.sha256(piece).hexdigest()[:8])
            return found
    assert search_files(sandbox.folder / 'keys', Ring())
    assert search_files(sandbox.folder, Ring(), ('keyring',)) == set()


# What a program that only works on open descriptors never calls.
FORBIDDEN = re.compile(r'^(?:\[pid +\d+\] |\d+ +)?'
                       r'(socket|connect|bind|accept4?|open(?:at2?)?|creat|exec\w+|v?fork|clone3?|'
                       r'ptrace|process_vm_\w+|unlink\w*|rename\w*|link\w*|mount)\(', re.MULTILINE)


class Trace:
    """strace on a running process."""

    def __init__(self, pid, path):
        self.path = path
        self.process = subprocess.Popen(['strace', '-f', '-qq', '-s', '0', '-o', path, '-p', str(pid)],
                                        stderr=subprocess.PIPE)
        until = time.monotonic() + 10
        while status(pid)['TracerPid'] == '0':
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.skip(f'strace does not work here: {self.process.stderr.read().decode()[:200]}')
            time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        return self.path.read_text()


@pytest.mark.skipif(not shutil.which('strace'), reason='strace is not installed')
def test_vault_makes_no_socket_and_opens_no_file_while_cards_go_through_it(running, journey, tmp_path):
    trace = Trace(running['vault'], tmp_path / 'vault.strace')
    number = make_number('410000')
    try:
        assert journey.link(number)['step'] == 'done'
        assert journey.pay(number[-4:]).json()['order']['state'] == 'paid'
    finally:
        calls = trace.stop()
    assert len(re.findall(r'\b(?:write|writev|sendmsg|sendto)\(', calls)) > 4, calls  # requests share a write when they come together
    assert FORBIDDEN.findall(calls) == []


@pytest.mark.skipif(not shutil.which('strace'), reason='strace is not installed')
def test_the_trace_sees_sockets(running, sandbox, tmp_path):
    """So that the look above can fail: the driver dials when its line was cut, and that is seen."""
    trace = Trace(running['driver-iso8583'], tmp_path / 'driver.strace')
    try:
        requests.post(f'http://127.0.0.1:{sandbox.bank}/control/line', json={'hang_up': True},
                      headers={'Origin': f'http://bank.localhost:{sandbox.bank}'})
        await_true('a call to the bank', lambda: 'socket(' in trace.path.read_text())
    finally:
        calls = trace.stop()
    assert 'socket' in FORBIDDEN.findall(calls)


def test_a_driver_that_was_changed_after_it_was_sealed_gets_no_card(sandbox, journey):
    number = make_number('410000')
    place = sandbox.folder / 'drivers/driver-iso8583'
    target = os.readlink(place)
    old = programs(sandbox)['driver-iso8583']
    logged = len(sandbox.log())
    place.unlink()
    shutil.copy(target, place)
    with place.open('ab') as file:
        file.write(b'\0')  # the same program, one byte longer
    os.kill(old, signal.SIGKILL)
    try:
        await_true('the refusal of the driver', lambda: "is not the one that the connection was added with"
                   in sandbox.log()[logged:])
        state = journey.link(number)
        assert state['step'] == 'enter' and state['error']['who'] != 'bank', state
        assert journey.ledger(number) == []
    finally:
        place.unlink()
        place.symlink_to(target)
    # A connection that was broken so stays broken until vault starts anew or the operator adds it again.
    os.kill(programs(sandbox)['vault'], signal.SIGKILL)
    await_lines_up(sandbox)
    assert journey.link(number)['step'] == 'done'
    assert not runs(old)
