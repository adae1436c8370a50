"""Every parameter that the official client's types have, for every call that onfile has: it is used, or stored and shown in the
object, or refused by name with a sentence that says so. What is taken and changes nothing is on a short list here, with the
reason why nobody misses it. And what may be unset by an empty text, and what may not."""

import re

import pytest
import requests
from stripe_types import parameters, types_of

CALLS = [
    ('POST', '/v1/customers', 'Customers.d.ts', 'CustomerCreateParams'),
    ('GET', '/v1/customers', 'Customers.d.ts', 'CustomerListParams'),
    ('GET', '/v1/customers/{customer}', 'Customers.d.ts', 'CustomerRetrieveParams'),
    ('POST', '/v1/customers/{customer}', 'Customers.d.ts', 'CustomerUpdateParams'),
    ('GET', '/v1/customers/{customer}/payment_methods', 'Customers.d.ts', 'CustomerListPaymentMethodsParams'),
    ('GET', '/v1/customers/{customer}/payment_methods/{card}', 'Customers.d.ts', 'CustomerRetrievePaymentMethodParams'),
    ('POST', '/v1/payment_methods', 'PaymentMethods.d.ts', 'PaymentMethodCreateParams'),
    ('GET', '/v1/payment_methods', 'PaymentMethods.d.ts', 'PaymentMethodListParams'),
    ('GET', '/v1/payment_methods/{card}', 'PaymentMethods.d.ts', 'PaymentMethodRetrieveParams'),
    ('POST', '/v1/payment_methods/{card}', 'PaymentMethods.d.ts', 'PaymentMethodUpdateParams'),
    ('POST', '/v1/payment_methods/pm_card_visa/attach', 'PaymentMethods.d.ts', 'PaymentMethodAttachParams'),
    ('POST', '/v1/setup_intents', 'SetupIntents.d.ts', 'SetupIntentCreateParams'),
    ('GET', '/v1/setup_intents', 'SetupIntents.d.ts', 'SetupIntentListParams'),
    ('GET', '/v1/setup_intents/{setup}', 'SetupIntents.d.ts', 'SetupIntentRetrieveParams'),
    ('POST', '/v1/setup_intents/{setup}', 'SetupIntents.d.ts', 'SetupIntentUpdateParams'),
    ('POST', '/v1/setup_intents/{setup}/confirm', 'SetupIntents.d.ts', 'SetupIntentConfirmParams'),
    ('POST', '/v1/setup_intents/{setup}/cancel', 'SetupIntents.d.ts', 'SetupIntentCancelParams'),
    ('GET', '/v1/setup_attempts', 'SetupAttempts.d.ts', 'SetupAttemptListParams'),
    ('POST', '/v1/payment_intents', 'PaymentIntents.d.ts', 'PaymentIntentCreateParams'),
    ('GET', '/v1/payment_intents', 'PaymentIntents.d.ts', 'PaymentIntentListParams'),
    ('GET', '/v1/payment_intents/{payment}', 'PaymentIntents.d.ts', 'PaymentIntentRetrieveParams'),
    ('POST', '/v1/payment_intents/{payment}', 'PaymentIntents.d.ts', 'PaymentIntentUpdateParams'),
    ('POST', '/v1/payment_intents/{payment}/confirm', 'PaymentIntents.d.ts', 'PaymentIntentConfirmParams'),
    ('POST', '/v1/payment_intents/{payment}/cancel', 'PaymentIntents.d.ts', 'PaymentIntentCancelParams'),
    ('POST', '/v1/payment_intents/{held}/capture', 'PaymentIntents.d.ts', 'PaymentIntentCaptureParams'),
    ('POST', '/v1/refunds', 'Refunds.d.ts', 'RefundCreateParams'),
    ('GET', '/v1/refunds', 'Refunds.d.ts', 'RefundListParams'),
    ('POST', '/v1/refunds/{refund}', 'Refunds.d.ts', 'RefundUpdateParams'),
    ('GET', '/v1/charges', 'Charges.d.ts', 'ChargeListParams'),
    ('POST', '/v1/checkout/sessions', 'Checkout/Sessions.d.ts', 'Checkout.SessionCreateParams'),
    ('GET', '/v1/checkout/sessions', 'Checkout/Sessions.d.ts', 'Checkout.SessionListParams'),
    ('POST', '/v1/billing_portal/sessions', 'BillingPortal/Sessions.d.ts', 'BillingPortal.SessionCreateParams'),
    ('POST', '/v1/customer_sessions', 'CustomerSessions.d.ts', 'CustomerSessionCreateParams'),
    ('GET', '/v1/events', 'Events.d.ts', 'EventListParams'),
    ('POST', '/v1/webhook_endpoints', 'WebhookEndpoints.d.ts', 'WebhookEndpointCreateParams'),
    ('GET', '/v1/webhook_endpoints', 'WebhookEndpoints.d.ts', 'WebhookEndpointListParams'),
    ('POST', '/v1/webhook_endpoints/{webhook}', 'WebhookEndpoints.d.ts', 'WebhookEndpointUpdateParams'),
]

# What is used, but cannot be seen under the same name in the answer.
USED = [
    r'expand', r'limit', r'starting_after', r'ending_before', r'client_secret',  # of all routes: tests/api
    r'created(\[\w+\])?', r'confirm', r'mode', r'off_session', r'error_on_requires_action', r'disabled', r'enabled_events',
    r'payment_method_data\[(type|card\]\[token|billing_details.*)\]?', r'mandate_data\[customer_acceptance\]\[online\]\[ip_address\]',
    r'amount_to_confirm', r'amount_to_capture', r'final_capture', r'payment_method', r'card\[(token|exp_month|exp_year)\]',
    r'line_items\[0\]\[(quantity|price_data\]\[(currency|unit_amount|product_data\]\[name))\]', r'delivery_success', r'types?', r'status',
    r'(payment|setup)_intent_data\[\w+\]',  # it is the intent's
    r'return_url', r'flow_data.*', r'components\[(payment_element|customer_sheet)\].*', r'automatic_payment_methods\[\w+\]', r'connect',
]

# What is taken and changes nothing, and why that is as good as if it had been done.
HARMLESS = {
    r'payment_method_options\[(?!card\]).*': 'of a kind of payment method that is never used: only cards are taken',
    r'payment_method_options\[card\]\[request_(extended_authorization|incremental_authorization|multicapture|overcapture)\]':
        'if_available, and it is not available; or never',
    r'payment_method_options\[card\]\[request_three_d_secure\]': 'of a checkout session: automatic is what happens',
    r'payment_method_configuration': 'a choice among kinds of payment methods, of which cards alone are taken',
    r'(payment_method_data\[)?radar_options\]?.*': 'signals for a risk service of Stripe\'s',
    r'mandate_data.*': 'that the shopper has agreed: the merchant\'s own record, and nothing is asked of it here',
    r'use_stripe_sdk': 'next_action is a redirection, which every client can follow',
    r'confirmation_method': 'automatic is what happens; manual is refused',
    r'line_items\[0\]\[price_data\]\[product_data\]\[(description|images)\]': 'the page shows names',
    r'(adaptive_pricing|automatic_tax|invoice_creation|managed_payments|phone_number_collection|tax_id_collection)\[enabled\]': 'false is what happens',
    r'allow_promotion_codes|customer_update\[\w+\]|tax_id_collection\[required\]': 'false or never, which is what happens',
    r'components\[\w+\]\[enabled\]|components\[payment_element\]\[features\]\[payment_method_save\]': 'false or disabled, which is what happens',
    r'balance': '0 is what it is',
}

VALUES = {  # by the last word of the name, where not any text will do
    'email': 'a@example.com', 'customer_email': 'a@example.com', 'instructions_email': 'a@example.com', 'receipt_email': 'a@example.com',
    'currency': 'rub', 'url': 'https://shop.example/x', 'return_url': 'https://shop.example/x', 'success_url': 'https://shop.example/x',
    'cancel_url': 'https://shop.example/x', 'country': 'RU', 'exp_year': '2040', 'exp_month': '11', 'payment_method_types': 'card',
    'allowed_payment_method_types': 'card', 'excluded_payment_method_types': 'klarna', 'type': 'card', 'token': 'tok_visa', 'encrypted': 'x',
    'enabled_events': 'charge.succeeded', 'api_version': '2025-01-27.acacia', 'preferred_locales': 'ru', 'ip_address': '192.0.2.1',
    'types': 'charge.succeeded', 'off_session': 'false', 'balance': '0', 'amount': '2', 'amount_to_confirm': '500', 'amount_to_capture': '1',
    'require_signature': 'false', 'expand': '', 'confirmation_method': 'automatic', 'connect': 'false',
    'expires_at': '', 'mode': '', 'after_completion': 'portal_homepage',
}
IDS = {'customer': 'customer', 'payment_method': 'card', 'default_payment_method': 'card', 'payment_intent': 'paid', 'charge': 'charge', 'setup_intent': 'setup'}


class Shop:
    """A merchant, and one thing of every kind, new where a call uses it up."""

    def __init__(self, sandbox, key):
        self.http = requests.Session()
        self.http.headers['Authorization'] = f'Bearer {key}'
        self.address = sandbox.api
        self.customer = self.made('/v1/customers', {'name': 'Anna'})['id']
        self.card = self.made('/v1/payment_methods/pm_card_visa/attach', {'customer': self.customer})['id']
        paid = self.made('/v1/payment_intents', {**self.paying(1000000), 'confirm': 'true'})
        self.paid, self.charge = paid['id'], paid['latest_charge']
        self.refund = self.made('/v1/refunds', {'payment_intent': self.paid, 'amount': '1'})['id']
        self.webhook = self.made('/v1/webhook_endpoints', self.hook())['id']

    def paying(self, amount=500):
        return {'amount': str(amount), 'currency': 'rub', 'customer': self.customer, 'payment_method': self.card}

    @staticmethod
    def hook():
        return {'url': 'https://shop.example/hook', 'enabled_events[]': 'account.updated'}

    @property
    def setup(self):
        return self.made('/v1/setup_intents', {'customer': self.customer})['id']

    @property
    def payment(self):
        return self.made('/v1/payment_intents', self.paying())['id']

    @property
    def held(self):
        return self.made('/v1/payment_intents', {**self.paying(), 'confirm': 'true', 'capture_method': 'manual'})['id']

    def ask(self, method, path, form):
        return self.http.request(method, self.address + path, **{'data' if method == 'POST' else 'params': form}, timeout=30)

    def made(self, path, form):
        answer = self.ask('POST', path, form)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def path(self, path):
        return re.sub(r'\{(\w+)\}', lambda found: getattr(self, found[1]), path)

    def least(self, method, path, name):
        """What the call needs, beside the parameter in question."""
        if path == '/v1/payment_methods':
            return {'type': 'card', 'card[token]': 'tok_visa'} if method == 'POST' else {'customer': self.customer}
        if path.startswith('/v1/payment_methods') and path.endswith('attach'):
            return {'customer': self.customer}
        if path == '/v1/setup_attempts':
            return {'setup_intent': self.setup}
        if method == 'GET':
            return {}
        if name.startswith('payment_method_data') and path != '/v1/checkout/sessions':
            by_data = {'payment_method_data[type]': 'card', 'payment_method_data[card][token]': 'tok_visa', 'expand[]': 'payment_method'}
            return {**by_data, **({'amount': '500', 'currency': 'rub'} if path == '/v1/payment_intents' else {})}
        if path.startswith('/v1/setup_intents') and path.endswith('confirm'):
            return {'payment_method': self.card}
        if path in ('/v1/billing_portal/sessions', '/v1/customer_sessions'):
            least = {'customer': self.customer}
            if path.startswith('/v1/c'):
                element = 'customer_sheet' if 'customer_sheet' in name else 'payment_element'
                least[f'components[{element}][enabled]'] = 'true'
            elif name.startswith('flow_data'):
                least['flow_data[type]'] = 'payment_method_update'
            return least
        if path == '/v1/checkout/sessions':
            line = 'line_items[0][price_data]'
            least = {'mode': 'setup', 'success_url': 'https://shop.example/x'}
            if name.startswith(('line_items', 'payment_intent_data')):
                least.update({'mode': 'payment', 'line_items[0][quantity]': '1', f'{line}[currency]': 'rub', f'{line}[unit_amount]': '100',
                              f'{line}[product_data][name]': 'Tea'})
            return least
        return {'/v1/payment_intents': {'amount': '500', 'currency': 'rub'}, '/v1/webhook_endpoints': self.hook(),
                '/v1/refunds': {'payment_intent': self.paid, 'amount': '1'}}.get(path, {})

    def call(self, method, path, form, name):
        answer = self.ask(method, self.path(path), {**{k: v for k, v in self.least(method, path, name).items() if clean(k) != clean(name)}, **form})
        if path == '/v1/webhook_endpoints' and method == 'POST' and answer.status_code == 200:
            self.ask('DELETE', f'{path}/{answer.json()["id"]}', {})  # a merchant can have few
        return answer


def clean(name):
    return re.sub(r'\[\d*\]$', '', name)


@pytest.fixture(scope='module')
def shop(sandbox, merchant):
    return Shop(sandbox, merchant.secret_key)


def word(name):
    return re.findall(r'\w+', name.replace('[0]', ''))[-1]


def value_of(shop, one):
    last = word(one.name)
    if last in IDS and not one.choices:
        return getattr(shop, IDS[last])
    if one.choices and last not in ('type', 'payment_method_types', 'allowed_payment_method_types', 'excluded_payment_method_types', 'enabled_events'):
        return one.choices[0]
    if last in VALUES:
        return VALUES[last]
    return {'number': '5', 'boolean': 'true'}.get(one.kinds[0], 'Ёж')


def written(one, value):
    if one.metadata:
        return {f'{one.name}[k]': value}
    return {one.name + ('[0]' if one.array else ''): value}


def shown(answer, name):
    """What the object shows under the parameter's name: found, value."""
    thing = answer
    words = re.findall(r'\w+', name)
    if words[0] == 'payment_method_data':
        words[0] = 'payment_method'
    for one in words:
        if thing is None:
            return True, None  # the whole is null, and so is its member
        if not isinstance(thing, dict) or one not in thing:
            return False, None
        thing = thing[one]
    return True, thing


def is_same(one, sent, thing):
    if one.metadata:
        return isinstance(thing, dict) and thing.get('k') == sent
    if one.array:
        return thing == [sent]
    return sent.lower() == (str(thing).lower() if not isinstance(thing, dict) else thing.get('id', '').lower())


def matches(patterns, name):
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def verdict(shop, method, path, one):
    """Which of the kinds a parameter is; None: it is silently ignored, or not known at all."""
    value = value_of(shop, one)
    answer = shop.call(method, path, written(one, value), one.name)
    error = answer.json().get('error') if answer.status_code != 200 else None
    if error and error['message'].startswith('onfile does not support'):
        assert answer.status_code == 400 and clean(error['param']) in (one.name, f'{one.name}[k]', one.name + '[0]'), error
        return 'refused'
    if error and error.get('code') == 'parameter_unknown':
        return None
    if not error and method == 'POST':
        found, thing = shown(answer.json(), one.name)
        if found and is_same(one, value, thing):
            return 'shown'
    if matches(USED, one.name) or (error and error.get('param') == one.name):
        return 'used'
    if matches(FILTERS.get(path, []), one.name) and method == 'GET':
        return 'used'
    return 'harmless' if matches(HARMLESS, one.name) else None


FILTERS = {'/v1/customers': ['email'], '/v1/customers/{customer}/payment_methods': ['allow_redisplay'],
           '/v1/payment_methods': ['allow_redisplay', 'customer'], '/v1/setup_intents': ['customer'], '/v1/setup_attempts': ['setup_intent'],
           '/v1/payment_intents': ['customer'], '/v1/refunds': ['charge', 'payment_intent'], '/v1/charges': ['customer', 'payment_intent'],
           '/v1/checkout/sessions': ['customer', 'payment_intent']}


def names(call):
    return ' '.join(call[:2])


@pytest.mark.parametrize('call', CALLS, ids=names)
def test_every_parameter_of_the_types_is_one_of_the_kinds(shop, call):
    method, path, file, name = call
    verdicts = {one.name: verdict(shop, method, path, one) for one in parameters(types_of(file), name) if not one.whole}
    ignored = [name for name, kind in verdicts.items() if kind is None]
    assert verdicts and not ignored


@pytest.mark.parametrize('call', [call for call in CALLS if call[0] == 'POST'], ids=names)
def test_every_value_of_an_enumeration_is_taken_or_refused_by_name(shop, call):
    method, path, file, name = call
    for one in parameters(types_of(file), name):
        known = one.choices if one.name != 'enabled_events' or '{' in path else []  # a merchant has few endpoints: their change is tried
        for choice in known if not matches(HARMLESS, one.name) else []:
            answer = shop.call(method, path, written(one, choice), one.name)
            if answer.status_code == 200:
                continue
            error = answer.json()['error']
            said = error['message'].startswith(('onfile does not support', 'onfile takes cards')) or error.get('code') == 'parameter_missing'
            assert said and error['param'], f'{one.name}={choice}: {error}'
            if 'this value' not in error['message']:
                break  # the parameter itself is refused


def fresh(shop, path):
    """An object that this call changes or makes, as it is when nothing was said."""
    return shop.call('POST', path, {}, '').json()


@pytest.mark.parametrize('call', [call for call in CALLS if call[0] == 'POST'], ids=names)
def test_what_can_be_emptied(shop, call):
    """Emptyable in the types: an empty text unsets. What is not is refused, unless the object can show that there is nothing."""
    method, path, file, name = call
    seen = 0
    for one in parameters(types_of(file), name):
        if '[0]' in one.name or one.array and not one.emptyable or one.whole and not one.emptyable:
            continue  # an element, or what the client cannot send
        answer = shop.call(method, path, {one.name: ''}, one.name)
        error = answer.json().get('error', {}) if answer.status_code != 200 else {}
        if error.get('message', '').startswith('onfile does not support') or matches(HARMLESS, one.name):
            continue
        seen += 1
        if one.emptyable:
            assert error.get('code') not in ('parameter_invalid_empty', 'parameter_unknown') and error.get('param') != one.name, f'{one.name}: {error}'
        elif not error:
            found, thing = shown(answer.json(), one.name)
            assert one.metadata or (found and thing == shown(fresh(shop, path), one.name)[1]), f'{one.name} was emptied, and nobody can see it'
        else:
            assert error.get('code') == 'parameter_invalid_empty' and error['param'] == one.name, f'{one.name}: {error}'
    assert seen or path.endswith('cancel')


@pytest.mark.parametrize('call', [call for call in CALLS if call[0] == 'POST' and call[1].endswith('}')], ids=names)
def test_what_was_set_is_unset(sandbox, merchant, call):
    """Set, then emptied, on one object: it shows again what a new one shows."""
    method, path, file, name = call
    shop = Shop(sandbox, merchant.secret_key)
    new, own = fresh(shop, path), shop.path(path)
    for one in parameters(types_of(file), name):
        value = value_of(shop, one)
        if not one.emptyable or one.whole or one.array or verdict(shop, method, path, one) != 'shown':
            continue
        least = shop.least(method, path, one.name)
        set_to = shop.ask('POST', own, {**least, **written(one, value)}).json()
        assert is_same(one, value, shown(set_to, one.name)[1]), one.name
        emptied = shop.ask('POST', own, {**least, one.name: ''})
        assert emptied.status_code == 200, f'{one.name}: {emptied.text}'
        found, thing = shown(emptied.json(), one.name)
        assert found and thing in (None, {}) or (found, thing) == shown(new, one.name), one.name


def test_a_parameter_that_is_ignored_would_be_seen(shop):
    """The verdicts can be bad: a parameter that nothing is known of, and one that is taken and not on any list."""
    class Made:
        def __init__(self, name):
            self.name, self.kinds, self.choices, self.metadata, self.array = name, ['string'], [], False, []
    assert verdict(shop, 'POST', '/v1/customers', Made('nonsense')) is None
    assert verdict(shop, 'POST', '/v1/setup_intents', Made('setup_credential_usage')) is None
    assert verdict(shop, 'POST', '/v1/customers', Made('coupon')) == 'refused'
    assert verdict(shop, 'POST', '/v1/customers', Made('description')) == 'shown'
