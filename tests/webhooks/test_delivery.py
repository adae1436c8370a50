"""Events on their way to real receivers: signatures, order, retries, what counts as delivered."""

import base64
import hashlib
import hmac
import json
import time

import pytest
import stripe

from receiver import wait_for


def verify(post, secret):
    return stripe.Webhook.construct_event(post.body.decode(), post.headers['Stripe-Signature'], secret)


def test_an_event_is_delivered_and_signed_for_the_official_client(api, receivers, hook):
    receiver = receivers()
    endpoint = hook(receiver.url('/hook?shop=1'), 'customer.created')
    assert endpoint['secret'].startswith('whsec_') and endpoint['status'] == 'enabled'
    customer = api.customer(email='a@example.com')
    post = receiver.wait(object=customer)[0]
    assert post.path == '/hook?shop=1'
    assert post.headers['Content-Type'] == 'application/json; charset=utf-8'
    event = verify(post, endpoint['secret'])
    assert event['type'] == 'customer.created' and event['data']['object']['id'] == customer
    assert event['pending_webhooks'] == 1 and event['livemode'] is False
    with pytest.raises(stripe.error.SignatureVerificationError):
        verify(post, 'whsec_' + base64.b64encode(b'x' * 32).decode())
    with pytest.raises(stripe.error.SignatureVerificationError):
        stripe.Webhook.construct_event(post.body.decode() + ' ', post.headers['Stripe-Signature'],
                                       endpoint['secret'])
    kept = wait_for(lambda: (api.ok('GET', f'/v1/events/{event["id"]}')['pending_webhooks'] == 0))
    assert kept


def test_the_same_secret_signs_as_standard_webhooks_say(api, receivers, hook):
    receiver = receivers()
    secret = hook(receiver.url(), 'customer.created')['secret']
    post = receiver.wait(object=api.customer())[0]
    key = base64.b64decode(secret[len('whsec_'):])
    assert len(key) == 32
    id, at = post.headers['webhook-id'], post.headers['webhook-timestamp']
    assert id == post.event['id'] and abs(int(at) - time.time()) < 60
    mac = hmac.new(key, f'{id}.{at}.'.encode() + post.body, hashlib.sha256).digest()
    assert post.headers['webhook-signature'] == 'v1,' + base64.b64encode(mac).decode()


def test_a_delivery_that_failed_is_tried_again_and_signed_anew(api, receivers, hook):
    answers = [500, 200]
    receiver = receivers(answer=lambda post: answers.pop(0))
    secret = hook(receiver.url(), 'customer.created')['secret']
    customer = api.customer()
    first, second = receiver.wait(2, object=customer)
    assert first.headers['Stripe-Signature'] != second.headers['Stripe-Signature']
    assert first.headers['webhook-id'] == second.headers['webhook-id']
    assert second.at - first.at >= 4.9
    verify(first, secret)
    verify(second, secret)
    assert first.event['id'] == second.event['id']


def test_events_of_one_object_come_in_their_order(api, receivers, hook):
    """The first one fails; what follows about the same customer waits for it, others do not."""
    answers = [503]
    receiver = receivers(answer=lambda post: answers.pop() if answers else 200)
    hook(receiver.url(), 'customer.created', 'customer.updated', 'customer.deleted')
    first = api.customer()
    receiver.wait(object=first)
    for name in ('b', 'c'):
        api.ok('POST', f'/v1/customers/{first}', {'name': name})
    api.ok('DELETE', f'/v1/customers/{first}')
    second = api.customer()
    receiver.wait(object=second)
    assert [post.type for post in receiver.of(object=first)] == ['customer.created']
    posts = receiver.wait(5, object=first)
    assert [post.type for post in posts] == ['customer.created', 'customer.created', 'customer.updated',
                                             'customer.updated', 'customer.deleted']
    assert [post.event['data']['object'].get('name') for post in posts[2:4]] == ['b', 'c']


@pytest.mark.parametrize('answer', [
    (302, {'Location': 'http://127.0.0.1:9/'}, b''), (307, {'Location': '/hook'}, b''), (404, {}, b'{}'),
    (200, {}, b'x' * (64 * 1024 + 1)), (200, {'X-Long': 'x' * 65000}, b'y' * 2000), None])
def test_what_does_not_count_as_delivered(api, receivers, hook, answer):
    receiver = receivers(answer=lambda post: answer)
    hook(receiver.url(), 'customer.created')
    customer = api.customer()
    event = receiver.wait(object=customer)[0].event
    receiver.answer = lambda post: 200
    again = receiver.wait(2, object=customer)[1]
    assert again.path == '/hook' and again.event['id'] == event['id']
    wait_for(lambda: api.ok('GET', f'/v1/events/{event["id"]}')['pending_webhooks'] == 0)


def test_an_answer_of_just_64_kib_with_its_head_counts(api, receivers, hook):
    receiver = receivers(answer=lambda post: (200, {}, b'x' * (63 * 1024)))
    hook(receiver.url(), 'customer.created')
    event = receiver.wait(object=api.customer())[0].event
    wait_for(lambda: api.ok('GET', f'/v1/events/{event["id"]}')['pending_webhooks'] == 0)
    assert len(receiver.posts) == 1


def test_gone_disables_the_endpoint(api, receivers, hook):
    receiver = receivers(answer=lambda post: 410)
    endpoint = hook(receiver.url(), 'customer.created')
    path = f'/v1/webhook_endpoints/{endpoint["id"]}'
    customer = api.customer()
    event = receiver.wait(object=customer)[0].event
    wait_for(lambda: api.ok('GET', path)['status'] == 'disabled')
    later = api.customer()
    assert api.ok('GET', f'/v1/events/{event["id"]}')['pending_webhooks'] == 0
    missed = api.ok('GET', '/v1/events', {'delivery_success': 'false', 'limit': 100})['data']
    assert event['id'] in [one['id'] for one in missed]
    # Enabled again it gets what comes from then on, and nothing of what came meanwhile.
    receiver.answer = lambda post: 200
    assert api.ok('POST', path, {'disabled': 'false'})['status'] == 'enabled'
    newest = api.customer()
    receiver.wait(object=newest)
    assert receiver.of(object=later) == [] and len(receiver.of(object=customer)) == 1


def test_a_slow_merchant_delays_nobody_else(sandbox, api, other, receivers, hook):
    slow = receivers()
    slow.answer = lambda post: slow.released.wait(60) and 200
    hook(slow.url(), 'customer.created')
    customers = [api.customer() for _ in range(30)]
    slow.wait(1)
    quick = receivers()
    hook(quick.url(), 'customer.created')
    hook(quick.url('/of-other'), 'customer.created', client=other)
    mine, others = api.customer(), other.customer()
    quick.wait(object=mine)
    quick.wait(object=others)
    assert len(slow.posts) <= 8 < len(customers)  # bounded, however many wait
    slow.released.set()


def test_one_that_never_answers_is_left_after_ten_seconds(api, receivers, hook):
    slow = receivers()
    slow.answer = lambda post: slow.released.wait(60) and 200
    hook(slow.url(), 'customer.created')
    customer = api.customer()
    event = slow.wait(object=customer)[0].event
    slow.wait(2, seconds=40, object=customer)  # ten seconds, and five
    assert api.ok('GET', f'/v1/events/{event["id"]}')['pending_webhooks'] == 1
    slow.released.set()


def test_only_what_is_wanted_is_sent(api, receivers, hook):
    some, everything = receivers(), receivers()
    hook(some.url(), 'customer.deleted', 'invoice.paid')
    hook(everything.url(), '*')
    customer = api.customer()
    api.ok('POST', f'/v1/customers/{customer}', {'name': 'x'})
    api.ok('DELETE', f'/v1/customers/{customer}')
    everything.wait(3, object=customer)
    some.wait(object=customer)
    assert [post.type for post in everything.of(object=customer)] == [
        'customer.created', 'customer.updated', 'customer.deleted']
    assert [post.type for post in some.of(object=customer)] == ['customer.deleted']


def test_merchants_are_apart(api, other, receivers, hook):
    receiver = receivers()
    mine, theirs = hook(receiver.url('/mine')), hook(receiver.url('/theirs'), client=other)
    assert mine['secret'] != theirs['secret']
    customer, foreign = api.customer(), other.customer()
    receiver.wait(object=customer)
    receiver.wait(object=foreign)
    assert {post.path for post in receiver.of(object=customer)} == {'/mine'}
    assert {post.path for post in receiver.of(object=foreign)} == {'/theirs'}
    with pytest.raises(stripe.error.SignatureVerificationError):
        verify(receiver.of(object=customer)[0], theirs['secret'])


def test_the_story_of_a_payment_is_told(api, receivers, hook):
    receiver = receivers()
    secret = hook(receiver.url())['secret']
    customer = api.customer()
    intent = api.link(customer)
    payment = api.ok('POST', '/v1/payment_intents', {
        'amount': 1234, 'currency': 'rub', 'customer': customer, 'payment_method': intent['payment_method'],
        'confirm': 'true', 'off_session': 'true'})
    assert payment['status'] == 'succeeded'
    post = receiver.wait(object=payment['id'], type='payment_intent.succeeded')[0]
    assert verify(post, secret)['data']['object']['amount_received'] == 1234
    receiver.wait(object=intent['id'], type='setup_intent.succeeded')
    receiver.wait(object=intent['payment_method'], type='payment_method.attached')
    assert '4242424242424242' not in json.dumps([p.body.decode() for p in receiver.posts])
