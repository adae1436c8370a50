"""Events, card keys, the story for support."""

from calls import error_of


def test_events_are_listed_and_filtered(api):
    customer = api.customer(name='E')
    event = api.events(type='customer.created')[0]
    assert event['data']['object']['id'] == customer and event['object'] == 'event'
    assert event['request']['id'].startswith('req_') and event['livemode'] is False
    assert api.ok('GET', f'/v1/events/{event["id"]}') == event
    assert {e['type'] for e in api.events(type='customer.*')} <= {
        'customer.created', 'customer.updated', 'customer.deleted'}
    assert {e['type'] for e in api.events(**{'types[0]': 'customer.created', 'types[1]': 'customer.deleted'})} <= {
        'customer.created', 'customer.deleted'}
    assert api.events(type='no.such') == []
    page = api.ok('GET', '/v1/events', {'limit': 1, 'type': 'customer.created'})
    assert page['data'][0]['id'] == event['id'] and page['has_more']
    older = api.ok('GET', '/v1/events', {'limit': 2, 'starting_after': event['id']})['data']
    newer = api.ok('GET', '/v1/events', {'limit': 1, 'ending_before': older[1]['id']})
    assert newer['data'][0]['id'] == older[0]['id'] and newer['has_more']
    error_of(api.get('/v1/events', **{f'types[{i}]': 'x' for i in range(21)}), 400, param='types')
    error_of(api.get('/v1/events', **{'type': 'customer.created', 'types[]': 'customer.deleted'}), 400,
             'parameters_exclusive', 'types')


def test_an_idempotency_key_is_in_its_event(api):
    api.post('/v1/customers', {'name': 'K'}, key='event-key-1')
    assert api.events(type='customer.created')[0]['request']['idempotency_key'] == 'event-key-1'


def test_a_replay_makes_no_second_event(api):
    before = len(api.events(type='customer.created'))
    for _ in range(3):
        api.post('/v1/customers', {'name': 'R'}, key='event-key-2')
    assert len(api.events(type='customer.created')) in (before + 1, 100)


def test_card_keys(api):
    keys = api.keys()
    assert keys['object'] == 'card_keys' and keys['now'] > 1700000000
    key = keys['keys'][0]
    assert key['kty'] == 'EC' and key['crv'] == 'P-256' and key['alg'] == 'ECDH-ES' and 'd' not in key
