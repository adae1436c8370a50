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


def pay(token='pm_card_visa', **more):
    return stripe.PaymentIntent.create(amount=2000, currency='usd', payment_method=token, confirm=True, **more)


def test_payment_methods_of_tokens():
    customer = stripe.Customer.create(payment_method='pm_card_visa', invoice_settings={'default_payment_method': 'pm_card_visa'})
    first = customer.invoice_settings.default_payment_method
    made = stripe.PaymentMethod.create(type='card', card={'token': 'tok_mastercard'}, billing_details={'name': 'Пи'})
    assert made.billing_details.name == 'Пи' and made.customer is None
    assert stripe.PaymentMethod.attach(made.id, customer=customer.id).customer == customer.id
    assert stripe.PaymentMethod.modify(made.id, metadata={'a': 'b'}).metadata.a == 'b'
    assert [c.id for c in stripe.Customer.list_payment_methods(customer.id)] == [made.id, first]
    assert stripe.Customer.retrieve_payment_method(customer.id, made.id).card.brand == 'mastercard'
    assert stripe.PaymentMethod.retrieve('pm_card_visa').id not in (first, 'pm_card_visa')
    assert stripe.PaymentMethod.detach(made.id).customer is None


def test_payments_of_tokens():
    paid = pay(expand=['latest_charge'], description='one')
    assert paid.status == 'succeeded' and paid.latest_charge.payment_method_details.card.last4 == '4242'
    assert [c.id for c in stripe.Charge.list(payment_intent=paid.id)] == [paid.latest_charge.id]
    refund = stripe.Refund.create(payment_intent=paid.id, amount=500, metadata={'a': 'b'})
    assert refund.status == 'succeeded' and stripe.Refund.retrieve(refund.id).amount == 500
    assert stripe.Refund.modify(refund.id, metadata={'a': 'c'}).metadata.a == 'c'
    assert [r.id for r in stripe.Refund.list(payment_intent=paid.id)] == [refund.id]
    held = pay(capture_method='manual')
    assert held.status == 'requires_capture'
    assert stripe.PaymentIntent.capture(held.id, amount_to_capture=1500).amount_received == 1500
    later = stripe.PaymentIntent.create(amount=100, currency='usd')
    assert stripe.PaymentIntent.modify(later.id, amount=200, payment_method='pm_card_visa').status == 'requires_confirmation'
    assert stripe.PaymentIntent.confirm(later.id, payment_method='pm_card_mastercard').amount_received == 200
    assert stripe.PaymentIntent.cancel(pay(capture_method='manual').id).status == 'canceled'
    assert stripe.PaymentIntent.list(limit=1).data[0].status == 'canceled'
    assert stripe.PaymentIntent.retrieve(paid.id).description == 'one'


def test_links_of_tokens():
    customer = stripe.Customer.create().id
    intent = stripe.SetupIntent.create(customer=customer, payment_method='pm_card_visa')
    assert stripe.SetupIntent.modify(intent.id, description='two').description == 'two'
    assert stripe.SetupIntent.confirm(intent.id).status == 'succeeded'
    assert [a.status for a in stripe.SetupAttempt.list(setup_intent=intent.id)] == ['succeeded']
    asked = stripe.SetupIntent.create(customer=customer, payment_method='pm_card_authenticationRequired', confirm=True,
                                      return_url='https://shop.example/')
    assert asked.status == 'requires_action' and asked.next_action.type == 'redirect_to_url'
    assert stripe.SetupIntent.cancel(asked.id).status == 'canceled'
    assert stripe.SetupIntent.list(customer=customer).data[0].id == asked.id


def test_cards_that_are_declined():
    for token, code in (('pm_card_chargeDeclined', 'card_declined'), ('pm_card_chargeDeclinedProcessingError', 'processing_error')):
        with pytest.raises(stripe.error.CardError) as caught:
            pay(token)
        assert caught.value.code == code and caught.value.error.payment_intent.last_payment_error.code == code
    with pytest.raises(stripe.error.CardError) as caught:
        pay('pm_card_authenticationRequired', error_on_requires_action=True)
    assert caught.value.code == 'authentication_required'


def test_sessions_endpoints_and_events(other_merchant):
    customer = stripe.Customer.create().id
    session = stripe.checkout.Session.create(mode='payment', customer=customer, success_url='https://shop.example/', line_items=[
        {'quantity': 1, 'price_data': {'currency': 'usd', 'unit_amount': 700, 'product_data': {'name': 'Mug'}}}])
    assert stripe.checkout.Session.retrieve(session.id).amount_total == 700
    assert stripe.checkout.Session.list(customer=customer).data[0].id == session.id
    assert stripe.checkout.Session.expire(session.id).status == 'expired'
    assert stripe.billing_portal.Session.create(customer=customer, return_url='https://shop.example/').url
    hook = stripe.WebhookEndpoint.create(url='http://127.0.0.1:9/', enabled_events=['customer.created'])
    assert hook.secret.startswith('whsec_')
    assert stripe.WebhookEndpoint.modify(hook.id, disabled=True).status == 'disabled'
    assert stripe.WebhookEndpoint.retrieve(hook.id).id in [one.id for one in stripe.WebhookEndpoint.list()]
    assert stripe.WebhookEndpoint.delete(hook.id).deleted is True
    event = stripe.Event.list(type='checkout.session.expired', limit=1).data[0]
    assert stripe.Event.retrieve(event.id).data.object.id == session.id
    with pytest.raises(stripe.error.InvalidRequestError) as caught:  # what one merchant has, another does not
        stripe.Customer.retrieve(customer, api_key=other_merchant.secret_key)
    assert caught.value.code == 'resource_missing'


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
