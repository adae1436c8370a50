"""One event on its way to a merchant's server, and whether it came."""

import itertools
import re

import requests
import stripe

from calls import Client
from machine import wait_for
from receiver import Receiver

COUNTERS = ('deliveries_queued', 'deliveries_done', 'deliveries_given_up', 'delivery_tries')


def counters(machine):
    text = requests.get(f'http://127.0.0.1:{machine.sandbox.metrics}/metrics').text
    return {name: int(re.search(rf'^onfile_{name}_total (\d+)$', text, re.M)[1]) for name in COUNTERS}


def courier_is_here(machine):
    return '[+] courier' in requests.get(f'http://127.0.0.1:{machine.sandbox.metrics}/readyz').text


class Delivery:
    """A customer of a merchant of its own is made and changed; an endpoint hears of both, of the first under fire."""

    numbers = itertools.count()

    def __init__(self, machine):
        self.machine = machine
        wait_for(lambda: courier_is_here(machine), 'courier is there')
        self.client = Client(machine.sandbox, machine.sandbox.merchant(f'Hears {next(self.numbers)}').secret_key)
        self.receiver = Receiver()
        self.endpoint = self.client.ok('POST', '/v1/webhook_endpoints', {
            'url': self.receiver.url(), 'enabled_events[0]': 'customer.created', 'enabled_events[1]': 'customer.updated'})
        self.before = counters(machine)

    def pending(self):
        return [event['id'] for event in self.client.events() if event['pending_webhooks']]

    def go(self):
        self.customer = self.client.customer()
        wait_for(lambda: self.receiver.posts and not self.pending(), 'the event came, and the books say so')
        return 'done'

    def check(self):
        try:
            self.client.ok('POST', f'/v1/customers/{self.customer}', {'name': 'later'})
            wait_for(lambda: not self.pending(), 'the books say that the next event was delivered too')
            self.check_posts()
            self.check_books()
        finally:
            self.receiver.close()

    def check_posts(self):
        """Each event of the merchant's list came, at least once and as it stands there, the later one later; each
        post has a good signature."""
        events = [event for event in self.client.events() if event['type'] in self.endpoint['enabled_events']]
        assert [event['type'] for event in events] == ['customer.updated', 'customer.created']
        told = {event['id']: dict(event, pending_webhooks=1) for event in reversed(events)}
        wanted, came = list(told), []
        for post in self.receiver.posts:
            stripe.Webhook.construct_event(post.body.decode(), post.headers['Stripe-Signature'], self.endpoint['secret'])
            assert post.event == told[post.headers['webhook-id']]
            came.append(post.event['id'])
        assert list(dict.fromkeys(came)) == wanted, f'{came} came of {wanted}'
        assert came == sorted(came, key=wanted.index), f'{came} came in another order than {wanted}'

    def check_books(self):
        """What died with courier is one more try of the delivery that was under way, and nothing else."""
        after = counters(self.machine)
        made = {name: after[name] - self.before[name] for name in COUNTERS}
        assert (made['deliveries_queued'], made['deliveries_done'], made['deliveries_given_up']) == (2, 2, 0), made
        assert len(self.receiver.posts) <= made['delivery_tries'] <= 3, f'{len(self.receiver.posts)} posts, {made}'
        missed = self.client.ok('GET', '/v1/events', {'delivery_success': 'false'})['data']
        assert not missed, missed
        rows = self.machine.sandbox.onfile('webhooks', 'list').splitlines()
        assert 'waiting 0, given up 0' in next(row for row in rows if row.startswith(self.endpoint['id']))
