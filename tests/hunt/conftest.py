"""Fixtures of the hunt and of the boundaries. Both look into processes of other users: root's work."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from journey import Journey  # noqa: E402
from memory import programs  # noqa: E402
from running import BUILD, Sandbox  # noqa: E402


def sanitized():
    """Sanitizers keep freed memory and need what the jail takes away."""
    done = subprocess.run(['nm', '-D', BUILD / 'src/proc/vault/vault'], capture_output=True, text=True)
    names = done.stdout
    return '__asan_init' in names or '__ubsan' in names


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        why = 'only root may look into the memory and the descriptors of other users\' processes'
    elif sanitized():
        why = 'this build has sanitizers: they keep freed memory and work without the jail'
    else:
        return
    for item in items:
        if 'needs_root' in item.keywords:
            item.add_marker(pytest.mark.skip(reason=why))


def pytest_configure(config):
    config.addinivalue_line('markers', 'needs_root: looks into processes of other users')


@pytest.fixture(scope='module')
def sandbox():
    one = Sandbox()
    yield one
    one.stop()


@pytest.fixture(scope='module')
def journey(sandbox):
    return Journey(sandbox)


@pytest.fixture
def running(sandbox):
    return programs(sandbox)
