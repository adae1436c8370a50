"""Fixtures of core's tests. world.py has what they give."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / 'api')]  # running.py, calls.py

from world import World  # noqa: E402


@pytest.fixture(scope='session')
def world():
    """Everything running, every guard lifted, a bank that must answer within 0.9 s."""
    one = World()
    yield one
    one.stop()
