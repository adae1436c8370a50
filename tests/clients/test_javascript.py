"""The official JavaScript client against the running programs. Its tests are written in its own language (*.test.mjs, node's test
runner); each of them is one test here."""

import os
import pathlib
import re
import subprocess

import pytest

from running import BUILD

HERE = pathlib.Path(__file__).resolve().parent
TESTS = [(path.name, name) for path in sorted(HERE.glob('*.test.mjs')) for name in re.findall(r'^test\("([^"]+)"', path.read_text(), re.M)]


@pytest.fixture(scope='module')
def said(sandbox, merchant, other_merchant):
    """What node says of a file: run once, when the first of its tests asks."""
    env = {**os.environ, 'ONFILE_PORT': str(sandbox.public), 'ONFILE_KEY': merchant.secret_key, 'ONFILE_OPEN_KEY': merchant.publishable_key,
           'ONFILE_OTHER_KEY': other_merchant.secret_key, 'ONFILE_BANK': str(sandbox.bank), 'ONFILE_SEAL': str(BUILD / 'tests/api/seal')}
    reports = {}

    def report(file):
        if file not in reports:
            done = subprocess.run(['node', '--test', '--test-reporter=tap', HERE / file], env=env, cwd=HERE, capture_output=True, text=True,
                                  timeout=240)
            reports[file] = done.stdout + done.stderr
        return reports[file]
    return report


@pytest.mark.parametrize('file, name', TESTS)
def test_javascript(said, file, name):
    report = said(file)
    # Node 18 indents the tests of a file, Node 20 does not.
    [line] = re.findall(rf'^\s*((?:not )?ok) \d+ - {re.escape(name)}$', report, re.M) or ['was not run']
    assert line == 'ok', report


def test_the_tests_were_found():
    assert len(TESTS) > 10
