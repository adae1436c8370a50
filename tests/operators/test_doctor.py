"""`onfile doctor` finds what was broken on purpose, and says what to do; the manual pages are whole."""

import pathlib
import re
import resource
import shutil
import subprocess

import pytest

from conftest import ROOT


def findings(text):
    """(mark, what) of each line that begins with a mark."""
    return [(one[0], one.split()[1]) for one in text.splitlines() if one[:1] in '✓!✗']


def test_doctor_finds_nothing_broken_in_a_sound_installation(operator):
    done = operator.run('doctor')
    marks = findings(done.stdout)
    broken = [what for mark, what in marks if mark == '✗']
    assert (done.returncode, broken) == (0, []), done.stdout
    assert {'clock', 'entropy', 'landlock', 'seccomp', 'users', 'files', 'memory', 'keys', 'keyring', 'data', 'drivers', 'disk', 'proxy',
            'program', 'driver', 'connection'} <= {what for _, what in marks}
    assert '✓ sign_on' in done.stdout  # of the connection's test


def test_doctor_sees_rights_that_are_too_wide_and_a_bank_that_is_away(operator):
    keyring = operator.sandbox.folder / 'keys/keyring'
    port = re.search(r'port +(\d+)', operator.ok('connection', 'show', 'bank'))[1]
    keyring.chmod(0o644)
    operator.ok('connection', 'set', 'bank', '--set', 'port=1')
    try:
        done = operator.run('doctor')
    finally:
        keyring.chmod(0o600)
        operator.ok('connection', 'set', 'bank', '--set', f'port={port}')
    assert done.returncode == 1
    assert ('✗', 'keyring') in findings(done.stdout) and 'others may read it' in done.stdout
    assert '✗ connection bank: the test failed' in done.stdout
    operator.await_up('bank')


def test_doctor_says_when_no_bank_takes_anything_new(operator):
    said = 'none to a bank that takes new cards and payments'
    assert said not in operator.run('doctor').stdout
    banks = [one.split()[0] for one in operator.ok('connection', 'list').splitlines()
             if one.split()[2] == 'bank' and 'disabled' not in one]
    for name in banks:
        operator.ok('connection', 'disable', name)
    try:
        done = operator.run('doctor')
    finally:
        for name in banks:
            operator.ok('connection', 'enable', name)
    assert ('!', 'connection') in findings(done.stdout) and said in done.stdout


def test_doctor_reads_the_limits_of_the_programs_that_run_not_its_own(operator):
    done = operator.run('doctor', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
    for name, row, what in (('web', 'Max open files', 'files'), ('core', 'Max open files', 'files'),
                            ('vault', 'Max locked memory', 'memory')):
        pid = re.search(rf'^{name} .* pid (\d+)', operator.ok('status'), re.MULTILINE)[1]
        soft = re.search(rf'^{row} +(\S+)', pathlib.Path(f'/proc/{pid}/limits').read_text(), re.MULTILINE)[1]
        said = 'no limit' if soft == 'unlimited' else soft
        assert soft != '200' and f'{what:10} {name}: {said}' in done.stdout, done.stdout


def test_every_verb_is_in_the_manual_page_and_both_pages_are_sound():
    page = subprocess.run([ROOT / 'tools/manual', ROOT / 'man/onfile.1.in', ROOT / 'src/cli/verbs.def'],
                          capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r'^VERB\("([a-z0-9 ]+)"', (ROOT / 'src/cli/verbs.def').read_text(), re.MULTILINE)
    assert len(verbs) > 20
    for verb in verbs:
        assert f'onfile {verb}' in page, verb
    if not shutil.which('groff'):
        pytest.skip('groff is not installed')
    for text in (page, (ROOT / 'man/onfile-driver.7').read_text()):
        done = subprocess.run(['groff', '-man', '-Tutf8', '-K', 'utf8', '-ww'], input=text.encode(), capture_output=True)
        assert done.returncode == 0 and done.stderr == b''
