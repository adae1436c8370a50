#!/usr/bin/python3
"""A driver for onfile in one file: an acquirer that takes JSON over HTTP. docs/writing-a-driver.md walks through it."""
import concurrent.futures, http.client, json, sys, threading, time, urllib.parse

DECLINES = {'51': 'insufficient_funds', '54': 'expired_card', 'N7': 'incorrect_cvc', '41': 'lost_card', '43': 'stolen_card'}
PATHS = {'verify': 'verifications', 'authorize': 'authorizations', 'capture': 'captures', 'reverse': 'reversals', 'refund': 'refunds'}
DESCRIPTION = {
    'contract': 1, 'name': 'webpay', 'version': '1.0', 'kind': 'bank', 'operations': [*PATHS, 'test'],
    'sandbox': {'connect': ['url']},
    'parameters': [
        {'name': 'url', 'type': 'text', 'required': True, 'help': {'en': 'Address of the acquirer', 'ru': 'Адрес эквайера'}},
        {'name': 'key', 'type': 'text', 'required': True, 'secret': True, 'help': {'en': 'Our key there', 'ru': 'Наш ключ'}}]}
output = threading.Lock()


def say(answer):
    with output:
        print(json.dumps(answer), flush=True)


class Acquirer:
    def __init__(self, parameters):
        self.url, self.key = urllib.parse.urlsplit(parameters['url']), parameters['key']

        self.kind = http.client.HTTPSConnection if self.url.scheme == 'https' else http.client.HTTPConnection

    def call(self, method, path, body, deadline_ms):
        """(outcome, answer or sentence): not_sent as long as no byte of the request left, then unknown until it was read."""
        connection = self.kind(self.url.hostname, self.url.port, timeout=max(deadline_ms / 1000 - time.time(), 0.001))
        try:
            connection.connect()
        except OSError as error:
            return 'not_sent', f'the acquirer cannot be reached: {error}'
        left = deadline_ms / 1000 - time.time()
        if left <= 0:
            return 'not_sent', 'the deadline is over'
        try:
            connection.sock.settimeout(left)
            connection.request(method, f'{self.url.path}/{path}', json.dumps(body), {'Authorization': f'Bearer {self.key}'})
            response = connection.getresponse()
            return 'answered', dict(json.loads(response.read(65536)), status=response.status)
        except (OSError, ValueError, TypeError, http.client.HTTPException) as error:
            return 'unknown', f'no answer that can be read: {type(error).__name__}'
        finally:
            connection.close()


def bank(acquirer, op, request):
    """What a payment's operation comes to. The reference makes a repeat one and the same for the acquirer."""
    echo = {name: request[name] for name in ('stan', 'rrn', 'amount', 'currency')}
    body = dict(echo, card=request['card'], original=request.get('original'), initiator=request.get('initiator'),
                reference=f'{request["terminal"]}-{request["stan"]}-{request["rrn"]}-{op}')
    outcome, answer = acquirer.call('POST', PATHS[op], body, request['deadline_ms'])
    if outcome != 'answered':
        return {'outcome': outcome, 'detail': answer}
    if answer.get('result') == 'approved':
        return dict(echo, outcome='approved', approval_code=answer.get('approval', ''),
                    cvc_check=answer.get('cvc', 'unchecked'), network_transaction_id=answer.get('network_id', ''))
    if answer.get('result') != 'refused':
        return {'outcome': 'unknown', 'detail': f'the acquirer answered with status {answer["status"]}'}
    return {'outcome': 'declined', 'decline_code': DECLINES.get(answer.get('code'), 'generic_decline'),
            'response_code': str(answer.get('code', '')), 'no_original': answer.get('code') == '25'}


def test(acquirer, request):
    began = time.monotonic()
    outcome, answer = acquirer.call('GET', 'status', {}, request['deadline_ms'])
    step = {'step': 'status', 'ms': (time.monotonic() - began) * 1000, 'detail': str(answer)}
    if outcome == 'answered' and answer['status'] == 200:
        return {'outcome': 'approved', 'steps': [dict(step, detail='the acquirer knows our key')]}
    advice = 'Ask the acquirer for a new key.' if outcome == 'answered' else 'Is the url right, and does a firewall let us out?'
    return {'outcome': 'declined' if outcome == 'answered' else outcome, 'detail': step['detail'],
            'steps': [dict(step, failed=True, advice=advice)]}


def watch(acquirer):
    while True:
        outcome, answer = acquirer.call('GET', 'status', {}, (time.time() + 5) * 1000)
        up = outcome == 'answered' and answer['status'] == 200
        say({'id': 0, 'state': 'up'} if up else {'id': 0, 'state': 'down', 'detail': str(answer)[:200]})
        time.sleep(10)


def handle(acquirer, request):
    try:
        answer = test(acquirer, request) if request['op'] == 'test' else bank(acquirer, request['op'], request)
    except KeyError as missing:  # before anything was sent
        answer = {'outcome': 'not_sent', 'detail': f'this driver does not have {missing}'}
    say({'id': request['id'], **answer})


if sys.argv[1:] == ['--describe']:
    print(json.dumps(DESCRIPTION, ensure_ascii=False))
    sys.exit()
acquirer = Acquirer(json.loads(sys.stdin.readline())['parameters'])
threading.Thread(target=watch, args=(acquirer,), daemon=True).start()
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    for line in sys.stdin:
        pool.submit(handle, acquirer, json.loads(line))
