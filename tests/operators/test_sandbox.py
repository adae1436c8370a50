"""What a driver can and cannot do: a driver tries it from within and tells."""

import ctypes
import os
import re
import socket

import pytest

from conftest import HERE


def landlock_version():
    return ctypes.CDLL(None).syscall(444, None, 0, 1)


ALLOWED = {'connect_own', 'resolve', 'read_usr'}
if landlock_version() < 4:  # nothing binds ports there
    ALLOWED |= {'connect_other', 'bind'}
if landlock_version() < 1:
    ALLOWED |= {'read_world_readable', 'list_root', 'read_proc', 'read_own_environment', 'write_tmp'}


@pytest.fixture(scope='module')
def told(operator):
    """What two connections of the prying driver say."""
    own, other = socket.create_server(('127.0.0.1', 0)), socket.create_server(('127.0.0.1', 0))
    readable = operator.sandbox.folder / 'readable'
    readable.write_text('everybody may read this')
    readable.chmod(0o644)
    operator.ok('driver', 'install', HERE / 'prying.py')
    said = []
    for name in ('prying', 'prying2'):
        operator.ok('connection', 'add', name, '--driver', 'prying', '--set', f'port={own.getsockname()[1]}', '--set',
                    f'other={other.getsockname()[1]}', '--set', f'readable={readable}', '--set', f'pid={os.getpid()}',
                    '--policy', 'priority=900')
        operator.await_up(name)
        rows = re.findall(r'^✓ (\w+) +(.+)$', operator.ok('connection', 'test', name), re.MULTILINE)
        said.append({step: what.strip() for step, what in rows})
    return said


def test_what_a_driver_cannot_do(told):
    assert len(told[0]) == 23
    for step, what in told[0].items():
        if step in ALLOWED:
            assert what == 'worked', step
        elif step != 'user':
            assert what.startswith('refused'), step


@pytest.mark.skipif(landlock_version() < 4, reason='this kernel cannot bind a program to ports')
def test_a_driver_connects_to_the_port_that_it_declared_and_to_no_other(told):
    assert told[0]['connect_own'] == 'worked' and told[0]['connect_other'] == 'refused 13'


@pytest.mark.skipif(os.getuid() != 0, reason='needs root: users of their own')
def test_each_connection_has_a_user_of_its_own(told):
    users = {one['user'] for one in told}
    assert len(users) == 2 and all(61216 < int(user) < 62216 for user in users)


def test_the_file_was_readable_but_for_the_sandbox(operator):
    """So that the refusal above means something."""
    assert (operator.sandbox.folder / 'readable').read_text() == 'everybody may read this'
    assert (operator.sandbox.folder / 'readable').stat().st_mode & 0o004
