"""Rate limits, on a sandbox whose keys may do little in a second, and what other sites' pages may call."""

import pytest

from calls import Client, error_of
from running import LIFTED, Sandbox

QUOTA = 3
TRIES = 200  # far more than the quota gives in the time that they take


@pytest.fixture(scope='module')
def slow():
    one = Sandbox(conf=f'{LIFTED}\nlimit.secret = {QUOTA}\nlimit.publishable = {QUOTA}\nlisten.proxies = loopback')
    yield one
    one.stop()


@pytest.fixture(scope='module')
def shop(slow):
    return slow.merchant('Slow')


def until_refused(call):
    for _ in range(TRIES):
        answer = call()
        if answer.status_code == 429:
            return answer
        assert answer.status_code == 200, answer.text
    raise AssertionError('there is no limit')


def until_taken(call):
    """The answer when the bucket has something again."""
    for _ in range(100000):
        answer = call()
        if answer.status_code != 429:
            return answer
    raise AssertionError('the bucket is not filled')


def test_one_too_many_is_told_when_to_come_again(slow, shop):
    client = Client(slow, shop.secret_key)
    answer = until_refused(lambda: client.get('/v1/customers'))
    error = error_of(answer, 429, 'rate_limit')
    assert error['type'] == 'invalid_request_error'
    assert answer.headers['Retry-After'] == '1'
    assert answer.headers['RateLimit-Policy'] == f'"default";q={QUOTA};w=1'
    assert answer.headers['RateLimit'] == '"default";r=0;t=1'
    assert until_taken(lambda: client.get('/v1/customers')).status_code == 200


def test_one_keys_limit_is_not_anothers(slow, shop):
    clients = [Client(slow, key) for key in (shop.secret_key, shop.publishable_key,
                                            slow.merchant('Other').secret_key)]
    for busy in clients[:2]:
        until_refused(lambda busy=busy: busy.get('/v1/card_keys'))
        assert clients[2].get('/v1/card_keys').status_code == 200
        until_taken(lambda: clients[2].get('/v1/card_keys'))


def test_a_shopper_behind_a_proxy_has_an_address_of_their_own(slow, shop):
    client = Client(slow, shop.publishable_key)

    def call(address):
        return client('GET', '/v1/card_keys', headers={'X-Forwarded-For': f'198.51.100.1, {address}'})
    until_refused(lambda: call('192.0.2.1'))
    assert call('192.0.2.2').status_code == 200
    until_refused(lambda: call('2001:db8::1'))
    assert call('2001:db8::2').status_code == 429, 'a /64 is one home'
    assert call('2001:db8:0:1::1').status_code == 200
    assert 'X-Forwarded-For' in error_of(call('unknown'), 400)['message']


def test_nobody_else_may_say_whose_request_it_is(api):
    """Without a proxy in the configuration the field means nothing, whatever it holds."""
    answer = api('GET', '/v1/customers', headers={'X-Forwarded-For': 'unknown'})
    assert answer.status_code == 200


def test_a_refusal_for_the_rate_is_not_kept_for_its_idempotency_key(slow, shop):
    client = Client(slow, shop.secret_key)
    until_refused(lambda: client.get('/v1/customers'))
    first = client.post('/v1/customers', {'name': 'Once'}, key='at-the-limit')
    answer = until_taken(lambda: client.post('/v1/customers', {'name': 'Once'}, key='at-the-limit'))
    assert answer.status_code == 200 and answer.json()['name'] == 'Once'
    if first.status_code == 429:
        assert 'Idempotent-Replayed' not in answer.headers


def test_an_answer_says_what_is_left(api):
    answer = api.get('/v1/customers')
    assert answer.headers['RateLimit-Policy'] == '"default";q=10000;w=1'
    assert answer.headers['RateLimit'].startswith('"default";r=')
    assert answer.headers['RateLimit'].endswith(';t=1')


# --- other sites' pages

SHOPPERS = [('/v1/card_keys', 'GET'), ('/v1/setup_intents/seti_x', 'GET'),
            ('/v1/setup_intents/seti_x/confirm', 'POST'), ('/v1/payment_intents/pi_x', 'GET'),
            ('/v1/payment_intents/pi_x/confirm', 'POST')]
SERVERS = ['/v1/customers', '/v1/payment_methods/pm_x', '/v1/refunds', '/v1/setup_intents',
           '/v1/payment_intents/pi_x/capture', '/v1/events', '/v1/nothing']


def preflight(api, path, method):
    return api.http.options(api.sandbox.api + path,
                            headers={'Origin': 'https://shop.example',
                                     'Access-Control-Request-Method': method,
                                     'Access-Control-Request-Headers': 'authorization'})


@pytest.mark.parametrize('path,method', SHOPPERS)
def test_pages_of_other_sites_may_ask_what_a_publishable_key_may_ask(browser_api, path, method):
    answer = preflight(browser_api, path, method)
    assert answer.status_code == 204 and answer.text == ''
    assert answer.headers['Access-Control-Allow-Origin'] == '*'
    assert answer.headers['Access-Control-Allow-Methods'] == method
    assert 'Authorization' in answer.headers['Access-Control-Allow-Headers']
    assert 'Access-Control-Allow-Credentials' not in answer.headers
    answer = browser_api(method, path)
    assert answer.headers['Access-Control-Allow-Origin'] == '*'
    assert 'RateLimit' in answer.headers['Access-Control-Expose-Headers']


@pytest.mark.parametrize('path', SERVERS)
def test_and_nothing_else(api, path):
    answer = preflight(api, path, 'POST')
    assert answer.status_code in (404, 405)
    for answer in (answer, api('GET', path), api('POST', path)):
        assert not [name for name in answer.headers if name.lower().startswith('access-control')]
