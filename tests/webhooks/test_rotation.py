"""`onfile webhooks rotate`: for a while both secrets sign, then the new one alone."""

import base64
import hashlib
import hmac
import os
import pathlib
import subprocess

import pytest
import stripe

CLIENT = pathlib.Path(__file__).resolve().parents[1] / 'clients/node_modules/stripe'

# The official JavaScript client: says the type of the event, or that the signature is none.
NODE = '''
const Stripe = require(process.env.CLIENT);
try { console.log(Stripe.webhooks.constructEvent(process.env.BODY, process.env.SIGNATURE, process.env.SECRET).type); }
catch (error) { console.log(error.type); }
'''


def rotate(sandbox, endpoint, *more):
    said = sandbox.onfile('webhooks', 'rotate', endpoint['id'], *more).splitlines()
    assert said[0].startswith('secret whsec_') and len(said) == 2
    return said[0].removeprefix('secret '), said[1]


def python_takes(post, secret):
    try:
        return bool(stripe.Webhook.construct_event(post.body.decode(), post.headers['Stripe-Signature'], secret))
    except stripe.error.SignatureVerificationError:
        return False


def javascript_takes(post, secret):
    env = {**os.environ, 'CLIENT': str(CLIENT / 'cjs/stripe.cjs.node.js'), 'BODY': post.body.decode(), 'SIGNATURE': post.headers['Stripe-Signature'], 'SECRET': secret}
    said = subprocess.run(['node', '-e', NODE], env=env, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    assert said in (post.type, 'StripeSignatureVerificationError'), said
    return said == post.type


def standard_takes(post, secret):
    """As Standard Webhooks say: any one of the signatures, which stand behind each other."""
    signed = f'{post.headers["webhook-id"]}.{post.headers["webhook-timestamp"]}.'.encode() + post.body
    mac = hmac.new(base64.b64decode(secret.removeprefix('whsec_')), signed, hashlib.sha256).digest()
    return f'v1,{base64.b64encode(mac).decode()}' in post.headers['webhook-signature'].split(' ')


def takes(post, secret):
    verdicts = {check(post, secret) for check in (python_takes, javascript_takes, standard_takes)}
    assert len(verdicts) == 1, 'one client takes what another refuses'
    return verdicts.pop()


def next_post(api, receiver):
    return receiver.wait(object=api.customer())[0]


def test_both_secrets_are_good_for_a_while(sandbox, api, receivers, hook):
    receiver = receivers()
    endpoint = hook(receiver.url(), 'customer.created', description='Mine')
    old = endpoint['secret']
    assert takes(next_post(api, receiver), old)
    new, said = rotate(sandbox, endpoint)
    assert new != old and 'signs too, until' in said
    post = next_post(api, receiver)
    assert post.headers['Stripe-Signature'].count('v1=') == 2 and ' ' not in post.headers['Stripe-Signature']
    assert takes(post, old) and takes(post, new) and not takes(post, 'whsec_' + base64.b64encode(b'x' * 32).decode())
    seen = api.ok('GET', f'/v1/webhook_endpoints/{endpoint["id"]}')
    assert {**seen, 'secret': old} == endpoint, 'the endpoint is what it was, and shows no secret'
    api.ok('POST', f'/v1/webhook_endpoints/{endpoint["id"]}', {'description': 'Changed'})
    assert takes(next_post(api, receiver), old), 'a change of the endpoint ends no overlap'
    newest, _ = rotate(sandbox, endpoint)
    post = next_post(api, receiver)
    assert takes(post, newest) and takes(post, new) and not takes(post, old)


def test_a_secret_that_leaked_ends_at_once(sandbox, api, receivers, hook):
    receiver = receivers()
    endpoint = hook(receiver.url(), 'customer.created')
    new, said = rotate(sandbox, endpoint, '--overlap', '0')
    assert 'is over' in said
    post = next_post(api, receiver)
    assert post.headers['Stripe-Signature'].count('v1=') == 1
    assert takes(post, new) and not takes(post, endpoint['secret'])


def test_what_waits_is_signed_with_the_secrets_of_its_try(sandbox, api, receivers, hook):
    answers = [500]
    receiver = receivers(answer=lambda post: answers.pop() if answers else 200)
    endpoint = hook(receiver.url(), 'customer.created')
    customer = api.customer()
    [first] = receiver.wait(object=customer)
    new, _ = rotate(sandbox, endpoint, '--overlap', '0')
    second = receiver.wait(2, object=customer)[1]
    assert takes(first, endpoint['secret']) and takes(second, new) and not takes(second, endpoint['secret'])


def test_a_restart_forgets_no_rotation(sandbox, api, receivers, hook):
    receiver = receivers()
    endpoint = hook(receiver.url(), 'customer.created')
    new, _ = rotate(sandbox, endpoint, '--overlap', '1')
    os.kill(sandbox.pid('core'), 9)
    answer = api.get('/v1/customers', limit=1)
    while answer.status_code == 503:
        answer = api.get('/v1/customers', limit=1)
    post = next_post(api, receiver)
    assert takes(post, new) and takes(post, endpoint['secret'])


def test_the_answer_to_create_stays_what_it_was(sandbox, api, receivers):
    """Byte for byte, with the secret of its time: the new one was shown to the operator alone."""
    form = {'url': receivers().url(), 'enabled_events[]': 'customer.created'}
    first = api.post('/v1/webhook_endpoints', form, key='rotated')
    new, _ = rotate(sandbox, first.json())
    assert api.post('/v1/webhook_endpoints', form, key='rotated').content == first.content and new not in first.text
    api('DELETE', f'/v1/webhook_endpoints/{first.json()["id"]}')


@pytest.mark.parametrize('words, said', [
    (['we_nobody'], 'no such endpoint'), (['ENDPOINT', '--overlap', '73'], '0 (the old secret ends now) to 72'), (['ENDPOINT', '--overlap', 'x'], 'hours')])
def test_what_cannot_be_rotated(sandbox, receivers, hook, words, said):
    endpoint = hook(receivers().url())['id']
    with pytest.raises(RuntimeError, match=said.replace('(', r'\(').replace(')', r'\)')):
        sandbox.onfile('webhooks', 'rotate', *[endpoint if word == 'ENDPOINT' else word for word in words])


def test_a_deleted_endpoint_has_no_secret(sandbox, api, receivers):
    endpoint = api.ok('POST', '/v1/webhook_endpoints', {'url': receivers().url(), 'enabled_events[]': '*'})
    api('DELETE', f'/v1/webhook_endpoints/{endpoint["id"]}')
    with pytest.raises(RuntimeError, match='no such endpoint'):
        sandbox.onfile('webhooks', 'rotate', endpoint['id'])
