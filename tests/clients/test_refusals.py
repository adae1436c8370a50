"""The official JavaScript client and a server that refuses: one request too many, a core that is away."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from running import LIFTED, Sandbox

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope='module')
def slow():
    one = Sandbox(conf=f'{LIFTED}\nlimit.secret = 3')
    yield one
    one.stop()


def client_says(sandbox, key, status, retries=0):
    env = {**os.environ, 'ONFILE_PORT': str(sandbox.public), 'ONFILE_KEY': key, 'ONFILE_OTHER_KEY': key, 'ONFILE_OPEN_KEY': key}
    done = subprocess.run(['node', HERE / 'refusals.mjs', str(status), str(retries)], env=env, cwd=HERE, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_one_request_too_many(slow):
    error = client_says(slow, slow.merchant('Slow').secret_key, 429, 2)
    assert error['type'] == 'StripeRateLimitError' and error['rawType'] == 'invalid_request_error' and error['code'] == 'rate_limit'
    assert error['requestId'].startswith('req_') and error['message']
    assert error['last'][-1] == [429, '1', None], 'the client is told when; it does not repeat a 429 by itself'


def test_core_is_away_and_comes_back(slow):
    key = slow.merchant('Away').secret_key
    core = slow.pid('core')
    parent = int(pathlib.Path(f'/proc/{core}/stat').read_text().rsplit(')', 1)[1].split()[1])
    os.kill(parent, signal.SIGSTOP)
    try:
        os.kill(core, signal.SIGKILL)
        error = client_says(slow, key, 503, 1)
        assert error['type'] == 'StripeAPIError' and error['rawType'] == 'api_error' and error['code'] == 'service_unavailable'
        assert error['requestId'].startswith('req_') and [one[0] for one in error['last']] == [503, 503], 'the client asks again by itself'
    finally:
        os.kill(parent, signal.SIGCONT)
    assert client_says(slow, key, 429)['statusCode'] == 429  # it answers again: made customers, then had made enough
