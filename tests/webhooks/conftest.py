"""Fixtures of the webhooks' tests: a sandbox, its merchant, receivers that end with their test."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / 'api')]  # running.py, calls.py

from calls import Client  # noqa: E402
from receiver import Receiver  # noqa: E402


@pytest.fixture(scope='session')
def api(sandbox, merchant):
    return Client(sandbox, merchant.secret_key)


@pytest.fixture(scope='session')
def other(sandbox, other_merchant):
    return Client(sandbox, other_merchant.secret_key)


@pytest.fixture
def receivers():
    """Makes receivers: receivers(answer=…)."""
    made = []

    def make(**how):
        made.append(Receiver(**how))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def hook(api):
    """Makes endpoints of the merchant, which are removed after the test: hook(url, 'customer.created')."""
    made = []

    def make(url, *events, client=api, **more):
        data = {f'enabled_events[{i}]': name for i, name in enumerate(events or ('*',))}
        endpoint = client.ok('POST', '/v1/webhook_endpoints', {'url': url, **data, **more})
        made.append((client, endpoint['id']))
        return endpoint
    yield make
    for client, id in made:
        client('DELETE', f'/v1/webhook_endpoints/{id}')
