"""The official Python client (Debian's python3-stripe 5.0.0), pointed at onfile."""

import pytest
from calls import NO_FUNDS, error_of

stripe = pytest.importorskip('stripe')


@pytest.fixture(autouse=True)
def client(sandbox, merchant):
    stripe.api_base = sandbox.api
    stripe.api_key = merchant.secret_key
    stripe.max_network_retries = 0
    return stripe


def test_the_journey(api):
    customer = stripe.Customer.create(email='py@example.com', name='Пи', metadata={'ok': True})
    assert customer.metadata['ok'] == 'True' and customer.invoice_settings.default_payment_method is None
    session = stripe.checkout.Session.create(mode='setup', customer=customer.id, currency='rub',
                                             success_url='https://shop.example/ok?s={CHECKOUT_SESSION_ID}')
    assert session.url.endswith(session.id) and session.status == 'open'
    intent = stripe.SetupIntent.create(customer=customer.id, payment_method_types=['card'], usage='off_session')
    done = stripe.SetupIntent.confirm(intent.id, payment_method_data={
        'type': 'card', 'card': {'encrypted': api.encrypt(intent.id)}})
    if done.status == 'requires_action':
        api.finish(done)
    done = stripe.SetupIntent.retrieve(intent.id, expand=['payment_method', 'latest_attempt'])
    assert done.status == 'succeeded' and done.payment_method.card.last4 == '4242'
    assert done.latest_attempt.status == 'succeeded'
    cards = stripe.PaymentMethod.list(customer=customer.id, type='card')
    assert [card.id for card in cards.auto_paging_iter()] == [done.payment_method.id]
    paid = stripe.PaymentIntent.create(amount=1099, currency='rub', customer=customer.id,
                                       payment_method=done.payment_method.id, off_session=True, confirm=True,
                                       expand=['latest_charge'], payment_method_types=['card'])
    assert paid.status == 'succeeded' and paid.latest_charge.paid is True
    assert stripe.Charge.retrieve(paid.latest_charge.id).amount == 1099
    assert 'payment_intent.succeeded' in [e.type for e in stripe.Event.list(limit=20).data]
    stripe.Customer.modify(customer.id, name='', metadata='')
    assert stripe.Customer.retrieve(customer.id).name is None
    assert stripe.PaymentMethod.detach(done.payment_method.id).customer is None
    assert stripe.Customer.delete(customer.id).deleted is True
    assert stripe.Customer.retrieve(customer.id).deleted is True


def test_errors_are_raised_as_the_classes_that_merchants_catch(api):
    with pytest.raises(stripe.error.InvalidRequestError) as caught:
        stripe.Customer.retrieve('cus_1')
    assert caught.value.http_status == 404 and caught.value.code == 'resource_missing'
    with pytest.raises(stripe.error.InvalidRequestError) as caught:
        stripe.PaymentIntent.create(currency='rub')
    assert caught.value.param == 'amount'
    with pytest.raises(stripe.error.AuthenticationError):
        stripe.Customer.list(api_key='sk_test_nobody')
    with pytest.raises(stripe.error.IdempotencyError):
        stripe.Customer.create(name='a', idempotency_key='py-1')
        stripe.Customer.create(name='b', idempotency_key='py-1')
    customer = stripe.Customer.create()
    card = api.link(customer.id, NO_FUNDS)['payment_method']
    with pytest.raises(stripe.error.CardError) as caught:
        stripe.PaymentIntent.create(amount=5, currency='rub', customer=customer.id, payment_method=card,
                                    confirm=True)
    error = caught.value.error
    assert error.decline_code == 'insufficient_funds' and error.payment_intent.status == 'requires_payment_method'
    assert error.advice.who == 'shopper'


def test_auto_pagination():
    for i in range(5):
        stripe.Customer.create(email='auto@example.com', name=str(i))
    names = [c.name for c in stripe.Customer.list(email='auto@example.com', limit=2).auto_paging_iter()]
    assert names == ['4', '3', '2', '1', '0']


def test_every_customer_field_is_there(api):
    customer = stripe.Customer.create()
    for name in ('balance', 'default_source', 'shipping', 'address', 'phone', 'description', 'preferred_locales'):
        getattr(customer, name)  # the client raises for what is missing
    error_of(api.get('/v1/customers/search'), 404)
