"""Fixtures that all tests of the running system share. running.py has what they give."""

import pytest

from running import Sandbox


@pytest.fixture(scope='session')
def sandbox():
    """Everything running, with the guards lifted: tests make many refused links."""
    one = Sandbox()
    yield one
    one.stop()


@pytest.fixture(scope='session')
def merchant(sandbox):
    return sandbox.merchant('Test')


@pytest.fixture(scope='session')
def other_merchant(sandbox):
    return sandbox.merchant('Other')
