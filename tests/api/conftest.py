"""Fixtures of the API's tests. calls.py has what they give."""

import pytest

from calls import Client


@pytest.fixture(scope='session')
def api(sandbox, merchant):
    return Client(sandbox, merchant.secret_key)


@pytest.fixture(scope='session')
def other(sandbox, other_merchant):
    return Client(sandbox, other_merchant.secret_key)


@pytest.fixture(scope='session')
def browser_api(sandbox, merchant):
    """The API with the publishable key, as a shopper's browser has it."""
    return Client(sandbox, merchant.publishable_key)


@pytest.fixture
def customer(api):
    return api.customer(email='ivan@example.com', name='Иван')


@pytest.fixture(scope='session')
def linked(api):
    """A customer with a card that the bank approves."""
    customer = api.customer(email='linked@example.com')
    intent = api.link(customer)
    return {'customer': customer, 'card': intent['payment_method'], 'intent': intent['id'],
            'secret': intent['client_secret']}
