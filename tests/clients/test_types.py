"""The description against the types of the official client: what its types require of an object, we send."""

import pathlib
import re

import pytest
import requests

RESOURCES = pathlib.Path(__file__).resolve().parent / 'node_modules/stripe/cjs/resources'
TYPES = {
    'customer': ('Customers.d.ts', 'Customer'), 'payment_method': ('PaymentMethods.d.ts', 'PaymentMethod'),
    'setup_intent': ('SetupIntents.d.ts', 'SetupIntent'), 'setup_attempt': ('SetupAttempts.d.ts', 'SetupAttempt'),
    'payment_intent': ('PaymentIntents.d.ts', 'PaymentIntent'), 'charge': ('Charges.d.ts', 'Charge'), 'refund': ('Refunds.d.ts', 'Refund'),
    'checkout.session': ('Checkout/Sessions.d.ts', 'Session'), 'billing_portal.session': ('BillingPortal/Sessions.d.ts', 'Session'),
    'event': ('Events.d.ts', 'EventBase'), 'webhook_endpoint': ('WebhookEndpoints.d.ts', 'WebhookEndpoint'),
}


def members(text, name):
    """The members of an interface that have no question mark, outside of what is nested."""
    start = re.search(rf'^\s*(?:export )?(?:declare )?interface {name}\b[^{{]*\{{', text, re.M)
    assert start, name
    depth, required = 1, set()
    text = re.sub(r'/\*.*?\*/', '', text[start.end():], flags=re.S)
    for line in text.splitlines():
        if depth == 1:
            found = re.match(r'\s*(\w+)(\??): ', line)
            if found and not found[2]:
                required.add(found[1])
        depth += line.count('{') - line.count('}')
        if depth <= 0:
            return required
    raise AssertionError(f'{name} has no end')


@pytest.fixture(scope='module')
def schemas(sandbox):
    return requests.get(sandbox.api + '/openapi.json', timeout=20).json()['components']['schemas']


@pytest.mark.parametrize('kind', TYPES)
def test_what_the_types_require_is_sent(schemas, kind):
    file, name = TYPES[kind]
    required = members((RESOURCES / file).read_text(), name)
    assert len(required) > 5, 'the types were not read'
    assert required - set(schemas[kind]['required']) == set()


def test_a_member_that_is_not_sent_would_be_seen(schemas):
    required = members((RESOURCES / 'Charges.d.ts').read_text(), 'Charge')
    assert required - (set(schemas['charge']['required']) - {'amount_captured'}) >= {'amount_captured'}
