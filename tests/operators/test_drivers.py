"""`onfile driver …`: what is installed, what is refused and why, what a driver says of itself."""

import json
import os
import stat

import pytest

from conftest import HERE

GOOD = {'contract': 1, 'name': 'paper', 'version': '2.1', 'kind': 'bank', 'operations': ['test'],
        'parameters': [{'name': 'port', 'type': 'number', 'min': 1, 'max': 65535, 'required': True,
                        'help': {'en': 'the port', 'ru': 'порт'}}]}


@pytest.fixture
def paper(tmp_path):
    """Makes a driver's file that describes itself so."""
    def make(description=None, text=None, mode=0o755, **changes):
        described = json.dumps(dict(GOOD, **changes)) if description is None else description
        path = tmp_path / 'paper.sh'
        path.unlink(missing_ok=True)
        path.write_text(text or f"#!/bin/sh\ncat <<'END'\n{described}\nEND\n".replace('cat <<', 'IFS= read -r line <<')
                        .replace('\nEND\n', '\nEND\nprintf "%s\\n" "$line"\n'))
        path.chmod(mode)
        return path
    return make


def test_a_driver_is_copied_and_listed_and_removed(operator, paper):
    source = paper()
    operator.ok('driver', 'install', source)
    there = operator.drivers / 'driver-paper'
    assert there.read_bytes() == source.read_bytes() and not there.is_symlink()
    about = there.stat()
    assert stat.S_IMODE(about.st_mode) == 0o755 and about.st_uid == os.getuid()
    rows = [line.split() for line in operator.ok('driver', 'list').splitlines()]
    assert ['paper', '2.1', 'bank'] in rows and ['iso8583', '0.1.0', 'bank'] in rows
    said = operator.ok('driver', 'describe', 'paper')
    assert 'port (number, required, 1 to 65535)' in said and 'network: none' in said
    assert 'порт' in operator.ok('driver', 'describe', 'paper', env=dict(os.environ, LANG='ru_RU.UTF-8'))
    operator.ok('driver', 'remove', 'paper')
    assert not there.exists() and 'driver-paper' in operator.refused('driver', 'remove', 'paper')


def test_what_is_refused_and_leaves_nothing_behind(operator, paper, tmp_path):
    before = sorted(os.listdir(operator.drivers))
    link = tmp_path / 'link'
    link.symlink_to(paper())
    assert 'symbolic link' in operator.refused('driver', 'install', link)
    for mode in (0o777, 0o775):
        assert 'others may write' in operator.refused('driver', 'install', paper(mode=mode))
    assert 'not executable' in operator.refused('driver', 'install', paper(mode=0o644))
    assert 'cannot be read' in operator.refused('driver', 'install', tmp_path / 'nothing')
    assert 'not a file' in operator.refused('driver', 'install', tmp_path)
    assert 'newer version of the contract' in operator.refused('driver', 'install', paper(contract=2))
    assert 'name is not' in operator.refused('driver', 'install', paper(name='../paper'))
    assert 'kind is neither' in operator.refused('driver', 'install', paper(kind='shop'))
    assert 'operations are not' in operator.refused('driver', 'install', paper(operations=[]))
    twice = GOOD['parameters'] * 2
    assert 'its parameters are not a list' in operator.refused('driver', 'install', paper(parameters=twice))
    for sandbox in ({'connect': ['nobody', 3]}, {'connect': ['nobody']}, {'connect': []}, {'listen': True}, {'read': ['etc']}, {'read': ['/a\nconnect']}, []):
        assert 'its sandbox is not made of' in operator.refused('driver', 'install', paper(sandbox=sandbox)), sandbox
    secret = dict(GOOD['parameters'][0], secret=True)
    assert 'its sandbox is not made of' in operator.refused('driver', 'install', paper(parameters=[secret], sandbox={'connect': ['port']}))
    for text in ('#!/bin/sh\nexit 3\n', '#!/bin/sh\necho "{}"\nexit 1\n', '#!/nowhere/at/all\n'):
        assert 'did not describe itself' in operator.refused('driver', 'install', paper(text=text))
    for description in ('', 'hello', '{}', '{"contract":1', '[' * 100, '{"contract":1,"contract":1}'):
        assert 'cannot be used' in operator.refused('driver', 'install', paper(description=description)), description
    assert sorted(os.listdir(operator.drivers)) == before


def test_a_description_that_never_ends_is_no_description(operator, paper):
    endless = paper(text='#!/bin/sh\nwhile :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n')
    assert 'did not describe itself' in operator.refused('driver', 'install', endless)
    closes = paper(text='#!/bin/sh\necho "{}"\nexec >&-\nread x </dev/zero\n')
    assert 'did not describe itself' in operator.refused('driver', 'install', closes)


def test_an_installed_driver_is_replaced_on_demand_only(operator, paper):
    operator.ok('driver', 'install', paper())
    operator.ok('driver', 'install', paper())  # the same file
    other = paper(version='2.2')
    assert '--replace yes' in operator.refused('driver', 'install', other)
    operator.ok('driver', 'install', other, '--replace', 'yes')
    assert 'driver paper 2.2' in operator.ok('driver', 'describe', 'paper')
    operator.ok('driver', 'remove', 'paper')


def test_a_driver_that_a_connection_uses_is_not_removed(operator):
    assert 'connection bank uses this driver' in operator.refused('driver', 'remove', 'iso8583')
    assert (operator.drivers / 'driver-iso8583').exists()


def test_a_connection_does_not_run_a_driver_that_it_was_not_sealed_for(operator, tmp_path):
    """A new version waits until root seals the connection for it, with the parameters that it has."""
    evil = (HERE / 'evil.py').read_text()
    path = tmp_path / 'evil.py'
    for name, version in (('first', '1'), ('second', '2')):
        path.write_text(evil.replace("'name': 'evil', 'version': '1'", f"'name': 'patient', 'version': '{version}'"))
        path.chmod(0o755)
        operator.ok('driver', 'install', path, '--replace', 'yes')
        if name == 'first':
            operator.ok('connection', 'add', 'patient', '--driver', 'patient', '--set', 'mode=good', '--policy', 'priority=900')
            operator.await_up('patient')
    done = operator.run('connection', 'show', 'patient')
    assert done.returncode == 1 and 'not the file that this connection was sealed for' in done.stderr
    operator.ok('connection', 'set', 'patient')
    operator.await_up('patient')
    assert 'mode                 good' in operator.ok('connection', 'show', 'patient')
    operator.ok('connection', 'remove', 'patient')
    operator.ok('driver', 'remove', 'patient')
