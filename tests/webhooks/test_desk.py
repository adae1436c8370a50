"""The developer's desk: onfile listen, onfile trigger, onfile events."""

import os
import re
import signal
import subprocess

import pytest
import stripe

from calls import PAYMENT_REFUSED
from receiver import wait_for
from running import BUILD


class Listening:
    """`onfile listen` as it runs."""

    def __init__(self, sandbox, url, merchant, *more):
        self.process = subprocess.Popen(
            [sandbox.folder / 'programs/onfile', 'listen', '--forward-to', url, '--merchant', merchant, *more,
             '--config', sandbox.folder / 'onfile.conf'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # What a shell runs in the background ignores Ctrl-C, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.first = self.process.stdout.readline()
        found = re.search(r'whsec_\S+', self.first)
        self.secret = found[0] if found else None

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=10)


@pytest.fixture
def merchant_number(sandbox, api):
    """The number of the merchant `Test`."""
    return next(line.split()[0] for line in sandbox.onfile('merchant', 'list').splitlines() if ' Test ' in line)


@pytest.fixture
def listen(sandbox, merchant_number):
    made = []

    def make(url, *more):
        made.append(Listening(sandbox, url, merchant_number, *more))
        return made[-1]
    yield make
    for one in made:
        if one.process.poll() is None:
            one.stop()


def test_events_are_forwarded_signed_and_in_order(api, receivers, listen):
    receiver = receivers()
    desk = listen(receiver.url('/webhook'))
    assert desk.secret, desk.process.stderr.read()
    customer = api.customer(name='a')
    api.ok('POST', f'/v1/customers/{customer}', {'name': 'b'})
    api.ok('DELETE', f'/v1/customers/{customer}')
    posts = receiver.wait(3, object=customer)
    assert [post.type for post in posts] == ['customer.created', 'customer.updated', 'customer.deleted']
    for post in posts:
        stripe.Webhook.construct_event(post.body.decode(), post.headers['Stripe-Signature'], desk.secret)
    said, _ = desk.stop()
    assert f'--> customer.created  [{posts[0].event["id"]}]' in said and '<-- 200' in said
    # The secret is the same every time: it can stay in the program's settings.
    assert listen(receiver.url()).secret == desk.secret


def test_it_does_not_run_as_root_and_holds_no_other_line(sandbox, receivers, listen):
    desk = listen(receivers().url())
    text = open(f'/proc/{desk.process.pid}/status').read()
    assert 'NoNewPrivs:\t1' in text
    names = subprocess.run(['nm', '-D', BUILD / 'src/proc/desk/desk'], capture_output=True, text=True).stdout
    assert 'Seccomp:\t2' in text or '__asan_init' in names  # sanitizers need the calls that the jail takes away
    if os.geteuid() == 0:
        assert 'Uid:\t61204\t61204\t61204\t61204' in text
        sockets = [link for link in os.listdir(f'/proc/{desk.process.pid}/fd')
                   if os.readlink(f'/proc/{desk.process.pid}/fd/{link}').startswith('socket:')]
        assert '3' in sockets


def test_only_what_was_asked_for_is_forwarded(api, receivers, listen):
    receiver = receivers()
    listen(receiver.url(), '--events', 'customer.deleted', '--events', 'setup_intent.*')
    customer = api.customer()
    intent = api.setup_intent(customer)
    api.ok('DELETE', f'/v1/customers/{customer}')
    receiver.wait(object=customer, type='customer.deleted')
    receiver.wait(object=intent['id'])
    assert receiver.of(type='customer.created') == []


def test_what_cannot_be_listened_to_is_said(sandbox, merchant_number):
    for words in (['--events', 'customer.exploded', '--merchant', merchant_number], ['--merchant', '1']):
        done = subprocess.run([sandbox.folder / 'programs/onfile', 'listen', '--forward-to', 'http://127.0.0.1:1/', *words,
                               '--config', sandbox.folder / 'onfile.conf'], capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and done.stderr.startswith('onfile: '), done


def trigger(sandbox, merchant, event, *more, key=None):
    return subprocess.run(
        [sandbox.folder / 'programs/onfile', 'trigger', event, *more, '--config', sandbox.folder / 'onfile.conf'],
        capture_output=True, text=True, timeout=60, env={'ONFILE_API_KEY': key or merchant.secret_key})


@pytest.fixture(scope='module')
def customer_with_card(api):
    customer = api.customer(email='trigger@example.com')
    api.link(customer)
    return customer


@pytest.mark.parametrize('event', [
    'customer.created', 'customer.updated', 'customer.deleted', 'setup_intent.created', 'setup_intent.canceled',
    'setup_intent.succeeded', 'payment_method.updated', 'payment_intent.created', 'payment_intent.canceled',
    'payment_intent.succeeded', 'charge.succeeded', 'payment_intent.amount_capturable_updated', 'charge.captured',
    'charge.refunded', 'refund.created', 'refund.updated', 'checkout.session.expired'])
def test_a_triggered_event_really_happens(sandbox, merchant, api, receivers, hook, customer_with_card, event):
    receiver = receivers()
    hook(receiver.url(), event)
    done = trigger(sandbox, merchant, event, '--customer', customer_with_card)
    assert done.returncode == 0, done
    id = re.search(rf'^{re.escape(event)} happened: (evt_\S+)$', done.stdout, re.MULTILINE)[1]
    assert re.search(r'^POST /v1/\S+', done.stdout, re.MULTILINE)
    assert api.ok('GET', f'/v1/events/{id}')['type'] == event
    wait_for(lambda: id in [post.event['id'] for post in receiver.posts])


@pytest.mark.parametrize('event', [
    'setup_intent.succeeded', 'setup_intent.requires_action', 'setup_intent.setup_failed', 'payment_method.attached',
    'payment_method.detached', 'payment_method.updated', 'payment_intent.requires_action', 'payment_intent.succeeded',
    'payment_intent.amount_capturable_updated', 'charge.captured', 'charge.refunded', 'payment_intent.payment_failed',
    'charge.failed'])
def test_an_event_is_triggered_without_any_linked_card(sandbox, other_merchant, event):
    done = trigger(sandbox, other_merchant, event)
    assert done.returncode == 0 and re.search(rf'^{re.escape(event)} happened: evt_\S+$', done.stdout, re.MULTILINE), done


@pytest.mark.parametrize('event', ['payment_intent.payment_failed', 'charge.failed'])
def test_a_refusal_is_triggered_with_a_card_that_is_refused(sandbox, merchant, api, event):
    customer = api.customer()
    api.link(customer, PAYMENT_REFUSED)
    done = trigger(sandbox, merchant, event, '--customer', customer)
    assert done.returncode == 0 and re.search(rf'{re.escape(event)} happened: evt_', done.stdout), done


def test_what_only_a_shopper_can_do_opens_the_page(sandbox, merchant):
    done = trigger(sandbox, merchant, 'checkout.session.completed')
    assert done.returncode == 0 and re.search(r'http://pay\.localhost:\d+/c/cs_test_', done.stdout), done


def test_what_cannot_be_triggered_is_said(sandbox, merchant):
    done = trigger(sandbox, merchant, 'invoice.paid')
    assert done.returncode == 1 and 'payment_intent.succeeded' in done.stderr
    done = trigger(sandbox, merchant, 'customer.created', key='sk_live_nothing')
    assert done.returncode == 1 and 'test mode' in done.stderr
    done = trigger(sandbox, merchant, 'customer.created', key='sk_test_nothing')
    assert done.returncode == 1 and 'Invalid API Key' in done.stdout


def test_events_are_listed(sandbox, api, merchant_number):
    customer = api.customer()
    event = api.ok('GET', '/v1/events', {'limit': 1})['data'][0]
    assert event['data']['object']['id'] == customer
    rows = sandbox.onfile('events', 'list', '--merchant', merchant_number, '--limit', '2').splitlines()
    assert len(rows) == 2 and event['id'] in rows[0] and 'customer.created' in rows[0]
    for words in (['resend', 'evt_nothing'], ['list'], ['list', '--limit', '0', '--merchant', merchant_number]):
        with pytest.raises(RuntimeError):
            sandbox.onfile('events', *words)
    with pytest.raises(RuntimeError, match='no enabled endpoint'):
        sandbox.onfile('events', 'resend', event['id'])
