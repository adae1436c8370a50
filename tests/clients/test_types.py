"""The description against the types of the official client: what its types require of an object, we send; what they say can be
expanded can be named."""

import pytest
import requests
from stripe_types import expandable, types_of

TYPES = {
    'customer': ('Customers.d.ts', 'Customer'), 'payment_method': ('PaymentMethods.d.ts', 'PaymentMethod'),
    'setup_intent': ('SetupIntents.d.ts', 'SetupIntent'), 'setup_attempt': ('SetupAttempts.d.ts', 'SetupAttempt'),
    'payment_intent': ('PaymentIntents.d.ts', 'PaymentIntent'), 'charge': ('Charges.d.ts', 'Charge'), 'refund': ('Refunds.d.ts', 'Refund'),
    'checkout.session': ('Checkout/Sessions.d.ts', 'Session'), 'billing_portal.session': ('BillingPortal/Sessions.d.ts', 'Session'),
    'customer_session': ('CustomerSessions.d.ts', 'CustomerSession'), 'event': ('Events.d.ts', 'EventBase'),
    'webhook_endpoint': ('WebhookEndpoints.d.ts', 'WebhookEndpoint'),
}


def required(kind):
    """The members of an object that have no question mark."""
    file, name = TYPES[kind]
    return {member for member, (_, optional) in types_of(file).interfaces[name].items() if not optional}


@pytest.fixture(scope='module')
def schemas(sandbox):
    return requests.get(sandbox.api + '/openapi.json', timeout=20).json()['components']['schemas']


@pytest.mark.parametrize('kind', TYPES)
def test_what_the_types_require_is_sent(schemas, kind):
    assert len(required(kind)) > 5, 'the types were not read'
    assert required(kind) - set(schemas[kind]['required']) == set()


def test_a_member_that_is_not_sent_would_be_seen(schemas):
    assert required('charge') - (set(schemas['charge']['required']) - {'amount_captured'}) >= {'amount_captured'}


# Stripe's reference says of these that they are only there when they are expanded; the types cannot say it of what is no list.
ONLY_EXPANDED = {'customer': {'cash_balance', 'tax'}}


@pytest.mark.parametrize('kind', TYPES)
def test_what_the_types_expand_can_be_expanded(schemas, kind):
    file, name = TYPES[kind]
    ours = {path + ('.data' if to['list'] else '') for path, to in schemas[kind].get('x-expandable', {}).items()}
    assert set(expandable(types_of(file), name)) == ours - ONLY_EXPANDED.get(kind, set())


def test_what_the_types_expand_was_read():
    assert {'customer', 'latest_charge', 'payment_method', 'transfer_data.destination'} <= set(expandable(types_of('PaymentIntents.d.ts'), 'PaymentIntent'))
    assert 'refunds.data' in set(expandable(types_of('Charges.d.ts'), 'Charge'))
