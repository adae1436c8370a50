"""Webhook endpoints at the API: what may be said about them, their secret, several merchants."""

import json
import uuid

import pytest

ALL = {'url': 'https://shop.example/hook', 'enabled_events[0]': '*'}


@pytest.fixture
def endpoint(hook):
    return hook('https://shop.example/hook', 'customer.created', 'invoice.paid', description='Books',
                api_version='2026-10-28.endive', **{'metadata[a]': 'b'})


def without_secret(endpoint):
    return {name: value for name, value in endpoint.items() if name != 'secret'}


def test_an_endpoint_is_made_changed_listed_and_deleted(api, endpoint):
    path = f'/v1/webhook_endpoints/{endpoint["id"]}'
    assert endpoint == {**endpoint, 'object': 'webhook_endpoint', 'url': 'https://shop.example/hook',
                        'enabled_events': ['customer.created', 'invoice.paid'], 'description': 'Books',
                        'api_version': '2026-10-28.endive', 'metadata': {'a': 'b'}, 'status': 'enabled',
                        'application': None, 'livemode': False}
    assert endpoint['id'].startswith('we_') and len(endpoint['secret']) == len('whsec_') + 44
    assert api.ok('GET', path) == without_secret(endpoint)
    changed = api.ok('POST', path, {'url': 'https://other.example/', 'enabled_events[]': '*', 'disabled': 'true',
                                    'description': '', 'metadata': ''})
    assert changed == {**without_secret(endpoint), 'url': 'https://other.example/', 'enabled_events': ['*'],
                       'status': 'disabled', 'description': None, 'metadata': {}}
    assert api.ok('GET', '/v1/webhook_endpoints')['data'][0] == changed
    assert api.ok('DELETE', path) == {'id': endpoint['id'], 'object': 'webhook_endpoint', 'deleted': True}
    for method in ('GET', 'POST', 'DELETE'):
        assert api(method, path).status_code == 404
    assert endpoint['id'] not in [one['id'] for one in api.ok('GET', '/v1/webhook_endpoints')['data']]


def files_with(sandbox, text):
    return [path for path in sandbox.folder.rglob('*') if path.is_file() and text.encode() in path.read_bytes()]


def test_the_secret_is_in_no_file(api, sandbox):
    """Neither in the books nor in a log, also when the answer is kept for a repeated request."""
    made = api.ok('POST', '/v1/webhook_endpoints', ALL, key=str(uuid.uuid4()))
    assert api.ok('DELETE', f'/v1/webhook_endpoints/{made["id"]}')['deleted']
    assert files_with(sandbox, made['secret']) == []
    # The search finds what is there: the events of a customer are in the books, and so is their name.
    name = f'Kept-{uuid.uuid4()}'
    api.customer(name=name)
    assert files_with(sandbox, name) != []


def test_create_is_repeated_with_its_secret_byte_for_byte(api):
    key = str(uuid.uuid4())
    first = api.post('/v1/webhook_endpoints', ALL, key=key)
    path = f'/v1/webhook_endpoints/{first.json()["id"]}'
    try:
        api.ok('POST', path, {'url': 'https://changed.example/'})
        again = api.post('/v1/webhook_endpoints', ALL, key=key)
        assert again.status_code == 200 and again.content == first.content
        assert again.headers['Idempotent-Replayed'] == 'true' and 'secret' in again.json()
        assert 'Idempotent-Replayed' not in first.headers
        other = api.post('/v1/webhook_endpoints', {**ALL, 'description': 'x'}, key=key)
        assert other.status_code == 400 and other.json()['error']['type'] == 'idempotency_error'
    finally:
        api('DELETE', path)


@pytest.mark.parametrize('url', [
    '', 'shop.example/hook', 'ftp://shop.example/', 'http://', 'https://user:pass@shop.example/', 'https://shop.example/#a',
    'http://10.0.0.1/', 'http://169.254.169.254/latest/meta-data', 'http://[fd00::1]/', 'http://[::ffff:192.168.0.1]/',
    'http://0.0.0.0:80/', 'http://[::]/', 'https://shop.example/' + 'x' * 2048, 'http://shop.example/\r\nX: y', 'javascript:1'])
def test_addresses_that_are_refused_at_once(api, url):
    answer = api.post('/v1/webhook_endpoints', {**ALL, 'url': url})
    assert answer.status_code == 400 and answer.json()['error']['param'] == 'url', answer.text


@pytest.mark.parametrize('url', ['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://localhost:1/', 'https://8.8.8.8/'])
def test_addresses_that_are_taken(hook, url):
    assert hook(url)['url'] == url


@pytest.mark.parametrize('data, param', [
    ({'enabled_events[0]': 'customer.exploded'}, 'enabled_events'), ({'enabled_events[0]': 'customer.*'}, 'enabled_events'),
    ({'enabled_events[0]': '*', 'url': None}, 'url'), ({}, 'enabled_events'),
    ({'enabled_events[0]': '*', 'connect': 'true'}, 'connect'), ({'enabled_events[0]': '*', 'secret': 'x'}, 'secret')])
def test_parameters_that_are_refused(api, data, param):
    given = {'url': ALL['url'], **data}
    answer = api.post('/v1/webhook_endpoints', {name: value for name, value in given.items() if value is not None})
    assert answer.status_code == 400 and answer.json()['error']['param'] == param, answer.text


def test_sixteen_and_no_more(sandbox):
    from calls import Client
    api = Client(sandbox, sandbox.merchant('Many').secret_key)
    made = [api.ok('POST', '/v1/webhook_endpoints', ALL) for _ in range(16)]
    assert len({one['secret'] for one in made}) == 16
    assert api.post('/v1/webhook_endpoints', ALL).status_code == 400
    api.ok('DELETE', f'/v1/webhook_endpoints/{made[0]["id"]}')
    api.ok('POST', '/v1/webhook_endpoints', ALL)


def test_another_merchants_endpoint_is_not_there(other, endpoint):
    path = f'/v1/webhook_endpoints/{endpoint["id"]}'
    for method in ('GET', 'POST', 'DELETE'):
        answer = other(method, path)
        assert answer.status_code == 404 and answer.json()['error']['code'] == 'resource_missing'
    assert endpoint['id'] not in json.dumps(other.ok('GET', '/v1/webhook_endpoints'))


def test_every_name_of_the_clients_types_is_taken(api, hook):
    import pathlib
    import re
    listed = pathlib.Path(__file__).parents[2] / 'src/lib/api/event_names.def'
    names = re.findall(r'^EVENT_NAME\("([^"]+)"\)', listed.read_text(), re.MULTILINE)
    assert len(names) > 250
    endpoint = hook(ALL['url'], *names)
    assert endpoint['enabled_events'] == names
