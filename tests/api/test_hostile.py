"""Hostile requests by hand: odd bodies, slow senders, clients that hang up. Never a 500 or a hang, and the next client notices
nothing. What is made at random from the description is in test_random.py."""

import socket

import pytest

PATIENCE_S = 30  # after which an answer counts as a hang


def exchange(sandbox, data):
    """Sends bytes on a connection of their own; what comes until it is closed or silent for good."""
    with socket.create_connection(('127.0.0.1', sandbox.public), timeout=PATIENCE_S) as one:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        got = b''
        while part := one.recv(65536):
            got += part
        return got


def post(key, body, extra=''):
    return (f'POST /v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{extra}'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


BODIES = {
    'ten thousand parameters': '&'.join(f'k{i}' for i in range(10000)).encode(),
    'ten thousand of one name': b'&'.join([b'name'] * 10000),
    'deep nesting': b'metadata' + b'[a]' * 5000 + b'=x',
    'brackets that do not close': b'metadata' + b'[' * 5000 + b'=x',
    'the same name twice': b'name=a&name=b',
    'a name that is text and object': b'shipping=x&shipping[name]=y',
    'a zero byte': b'name=a%00b',
    'a raw zero byte': b'name=a\x00b',
    'bytes that are no UTF-8': b'name=%ff%fe',
    'raw bytes that are no UTF-8': b'name=\xff\xfe',
    'an overlong encoding': b'name=%c0%af',
    'half a surrogate': b'name=%ed%a0%80',
    'a percent sign and nothing': b'name=%',
    'JSON': b'{"name":"x"}',
    'only ampersands': b'&' * 60000,
    'only equal signs': b'=' * 60000,
}


@pytest.mark.parametrize('body', BODIES.values(), ids=BODIES)
def test_odd_bodies_are_refused_and_the_next_client_notices_nothing(sandbox, merchant, api, body):
    got = exchange(sandbox, post(merchant.secret_key, body))
    assert got.startswith((b'HTTP/1.1 400 ', b'HTTP/1.1 413 ', b'HTTP/1.1 200 ')), got[:200]
    if body not in (BODIES['only ampersands'], BODIES['only equal signs']):
        assert not got.startswith(b'HTTP/1.1 200 '), got[:300]
    assert api.get('/v1/customers', limit=1).status_code == 200


def test_a_slow_sender_holds_nobody_up(sandbox, merchant, api):
    """A request that comes byte by byte, and never ends, beside others that are answered."""
    whole = post(merchant.secret_key, b'name=slow')
    with socket.create_connection(('127.0.0.1', sandbox.public), timeout=PATIENCE_S) as slow:
        for at in range(len(whole) - 1):
            slow.sendall(whole[at:at + 1])
            if at % 20 == 0:
                assert api.get('/v1/customers', limit=1).status_code == 200
        slow.sendall(whole[-1:])
        assert slow.recv(65536).startswith(b'HTTP/1.1 200 ')


def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(sandbox, merchant, api):
    whole = post(merchant.secret_key, b'name=gone-in-the-middle')
    for length in (1, 40, len(whole) - 5, len(whole) - 1):
        assert exchange(sandbox, whole[:length])[:12] in (b'', b'HTTP/1.1 400', b'HTTP/1.1 408')
    assert not any(one['name'] == 'gone-in-the-middle' for one in api.ok('GET', '/v1/customers', {'limit': 100})['data'])
