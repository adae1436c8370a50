"""What the tests of core share: a shopper at the hosted page without a browser, the operator, the
bank's control page and its books, a directory server that can be in the way, programs that die."""

import base64
import hashlib
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request

import requests

from calls import Client
from running import LIFTED, Sandbox, Shopper, seal

OWN = {  # cards of the bank, by what they do (bank/cards.c)
    'good': '4242424242424242', 'refused': '4000000000000002', 'lost': '4000000000009987',
    'stolen': '4000000000009979', 'wrong_code': '4000000000000127', 'code': '4000002500003155',
    'app': '4000000000003246', 'proof': '4000002760003184', 'silent': '4000000000005126',
}


def luhn(digits):
    """The number with its check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def plain_card(number):
    """One of the many cards that are simply good, without the bank's method frame."""
    return luhn(f'41000000{number:07d}')


def wait_for(condition, seconds=15):
    """What the condition says once it says something true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, 'it did not come true in time'
        pause.wait(0.01)


def all_but(*keys, **more):
    """A configuration that lifts every guard but these, which keep their default numbers."""
    lines = [line for line in LIFTED.splitlines() if line.split(' ')[0] not in keys]
    return '\n'.join(lines + [f'{key.replace("__", ".")} = {value}' for key, value in more.items()])


def solve(task, wrong=False):
    """The proof of work that a state asks for."""
    number = 0
    while True:
        proof = f'{task["nonce"]}:{number}'
        digest = int.from_bytes(hashlib.sha256(proof.encode()).digest(), 'big')
        good = digest >> (256 - task['bits']) == 0
        if good != wrong:
            return proof
        number += 1


class From(requests.adapters.HTTPAdapter):
    """Requests that come from another address of this machine (all of 127.0.0.0/8 is it)."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *words, **more):
        super().init_poolmanager(*words, source_address=(self.address, 0), **more)


class PageShopper(Shopper):
    """A shopper at the card page: posts cards as its script does."""

    def __init__(self, world, token, address=None, intent=None):
        super().__init__(world.sandbox, token)
        self.world = world
        self.token = token
        self.own = {'Origin': f'http://pay.localhost:{world.sandbox.public}'}
        if address:
            self.http.mount('http://', From(address))
        self.intent = intent or self.state()['intent']

    def encrypt(self, number, **more):
        return self.world.api.encrypt(self.intent, number, **more)

    def send(self, what, data=None, **headers):
        return self.http.post(f'{self.page}/{what}', data=data or {}, headers=dict(self.own, **headers))

    def post_card(self, number=OWN['good'], jwe=None, proof=None, headers=None, **more):
        data = dict(self.BROWSER, encrypted=self.encrypt(number, **more) if jwe is None else jwe)
        if proof:
            data['proof'] = proof
        return self.send('card', data, **(headers or {}))

    def start(self, number=OWN['good'], **more):
        """Posts a card that is taken; the state that comes then, the bank's method frame run."""
        answer = self.post_card(number, **more)
        assert answer.status_code == 200, answer.text
        state = answer.json()
        if state['step'] == 'preparing' and state['method']:
            self.run_method(state['method'])
            state = self.until('challenge', 'waiting', 'done', 'enter')
        return state

    def link(self, number=OWN['good'], **more):
        state = self.start(number, **more)
        assert state['step'] == 'done', state
        return state


def refusal(answer, status, code=None):
    """The error of the page's refusal, and the state that comes with it."""
    assert answer.status_code == status, f'{answer.status_code}: {answer.text}'
    body = answer.json()
    assert set(body) == {'error', 'state'}
    assert body['error']['message'] and body['error']['title'] and '{' not in body['error']['message']
    assert body['state']['step'] == 'enter' or status == 409
    if code:
        assert body['error']['code'] == code, body['error']
    return body['error'], body['state']


def refused(answer, code=None):
    """The error of a card that was not taken: by the bank (the state says so) or before it was asked."""
    if answer.status_code == 200:
        state = answer.json()
        assert state['step'] == 'enter' and state['error'], state
        error = state['error']
    else:
        error, _ = refusal(answer, 402)
    assert code is None or error['code'] == code, error
    assert error['reference']
    return error


class World:
    def __init__(self, conf=LIFTED, deadline_ms=900, bank_options=''):
        lines = [line for line in conf.splitlines() if not line.startswith('bank.deadline_ms')]
        self.sandbox = Sandbox(conf='\n'.join(lines + [f'bank.deadline_ms = {deadline_ms}']),
                               bank_options=bank_options)
        self.merchant = self.sandbox.merchant('Сойка')
        self.api = Client(self.sandbox, self.merchant.secret_key)
        self.bank_url = f'http://127.0.0.1:{self.sandbox.bank}'
        self.restarted = []

    def stop(self):
        self.sandbox.stop()
        for process in self.restarted:
            process.terminate()
            process.wait(timeout=10)

    # --- the shop and its shoppers

    def page(self, customer=None, address=None, **more):
        """A checkout session and the shopper whom it is for."""
        data = {'mode': 'setup', 'success_url': 'http://shop.example/back', 'currency': 'rub',
                'cancel_url': 'http://shop.example/away', 'customer': customer or self.api.customer()}
        data.update(more)
        session = self.api.ok('POST', '/v1/checkout/sessions', data)
        return PageShopper(self, session['id'], address)

    def linked(self, number=OWN['good']):
        """A customer with this card."""
        customer = self.api.customer()
        shopper = self.page(customer)
        if shopper.start(number)['step'] == 'challenge':
            shopper.answer_challenge()
            shopper.until('done')
        card = self.cards(customer)[0]
        return {'customer': customer, 'card': card['id']}

    def cards(self, customer):
        return self.api.ok('GET', f'/v1/customers/{customer}/payment_methods')['data']

    def pay(self, linked, amount=1500, **more):
        data = {'amount': amount, 'currency': 'rub', 'customer': linked['customer'],
                'payment_method': linked['card'], 'confirm': 'true'}
        data.update(more)
        return self.api.post('/v1/payment_intents', data)

    def payment(self, intent):
        return self.api.ok('GET', f'/v1/payment_intents/{intent}')

    # --- the operator

    def trace(self, code):
        return self.sandbox.onfile('trace', code)

    def metrics(self):
        text = requests.get(f'http://127.0.0.1:{self.sandbox.metrics}/metrics').text
        return {line.split(' ')[0]: int(line.split(' ')[1]) for line in text.splitlines()
                if not line.startswith('#') and line.split(' ')[1].lstrip('-').isdigit()}

    def is_ready(self):
        try:
            return requests.get(f'http://127.0.0.1:{self.sandbox.metrics}/readyz', timeout=2).status_code == 200
        except requests.RequestException:
            return False

    # --- the bank

    def control(self, what, **members):
        answer = requests.post(f'{self.bank_url}/control/{what}', json=members)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ledger(self):
        return requests.get(f'{self.bank_url}/control/ledger').json()

    def held(self, number):
        """What the bank holds, and has taken, of a card."""
        entries = [e for e in self.ledger()['entries'] if e['number'] == number]
        return (sum(e['amount'] - e['captured'] - e['reversed'] for e in entries if e['state'] == 'held'),
                sum(e['captured'] for e in entries))

    # --- who dies

    def kill(self, program):
        pid = self.sandbox.pid(program)
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_core(self):
        """Core dies; returns when the parent's new one serves."""
        self.kill('core')
        wait_for(self.is_ready)

    def parent_pid(self):
        with open(f'/proc/{self.sandbox.pid("core")}/stat') as file:
            return int(file.read().rsplit(')', 1)[1].split()[1])

    def children(self):
        """Every program that the parent has started: name and process."""
        rows = subprocess.run(['ps', '--ppid', str(self.parent_pid()), '-o', 'pid=,comm='],
                              capture_output=True, text=True).stdout.split()
        return list(zip(rows[1::2], map(int, rows[::2])))

    def kill_driver(self, name='driver-iso8583'):
        os.kill(self.driver_pid(name), signal.SIGKILL)

    def driver_pid(self, name='driver-iso8583'):
        """None while it does not run."""
        return next((pid for comm, pid in self.children() if comm == name[:15]), None)

    def kill_all(self):
        """All of onfile at once, as when the power goes."""
        pids = [self.parent_pid()] + [pid for _, pid in self.children()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)  # nobody sees another die
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(self.lives(pid) for pid in pids))

    @staticmethod
    def lives(pid):
        try:
            with open(f'/proc/{pid}/stat') as file:
                return file.read().rsplit(')', 1)[1].split()[0] != 'Z'
        except OSError:
            return False

    def stop_onfile(self):
        """Tells onfile to stop, and waits until all of it has."""
        pids = [self.parent_pid()] + [pid for _, pid in self.children()]
        os.kill(pids[0], signal.SIGTERM)
        wait_for(lambda: not any(self.lives(pid) for pid in pids), 40)

    def start_onfile(self, conf=None):
        """Starts it on the same folders, with other values of these keys."""
        file = self.sandbox.folder / 'onfile.conf'
        lines = [line for line in file.read_text().splitlines() if line.split(' ')[0] not in (conf or {})]
        file.write_text('\n'.join(lines + [f'{key} = {value}' for key, value in (conf or {}).items()]) + '\n')
        log = open(self.sandbox.folder / 'log/onfile.log', 'ab')
        self.restarted.append(subprocess.Popen(
            [self.sandbox.folder / 'programs/onfile', 'serve', '--config', file], stderr=log))
        wait_for(self.is_ready, 30)

    def bank_pid(self):
        rows = subprocess.run(['ps', '-eo', 'pid=,args='], capture_output=True, text=True).stdout.splitlines()
        return next(int(row.split()[0]) for row in rows
                    if row.split()[1].endswith('/bank') and f'--iso-port {self.sandbox.iso} ' in row)

    def kill_bank(self):
        """Kills the bank; what starts it again is returned."""
        pid = self.bank_pid()
        with open(f'/proc/{pid}/cmdline', 'rb') as file:
            words = file.read().split(b'\0')[:-1]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.connection_is_up())

        def again():
            log = open(self.sandbox.folder / 'log/bank.log', 'ab')
            self.restarted.append(subprocess.Popen(words, stderr=log, cwd=os.getcwd()))
            wait_for(self.is_ready, 30)
        return again

    def connection_is_up(self, name='bank'):
        return self.metrics()[f'onfile_connection_up{{connection="{name}"}}'] == 1


class Directory(http.server.ThreadingHTTPServer):
    """Between onfile and the bank's directory server: keeps what goes by, can be away or slow. Who
    stands here knows all the ids of a transaction."""

    daemon_threads = True

    def __init__(self, world):
        self.world = world
        self.requests, self.answers = {}, {}  # AReq and ARes by threeDSServerTransID
        self.newest = None
        self.away = False
        self.gate = threading.Event()  # closed: an AReq waits
        self.gate.set()
        super().__init__(('127.0.0.1', 0), DirectoryHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        onfile = world.sandbox.onfile
        onfile('connection', 'remove', '3ds')
        onfile('connection', 'add', '3ds', '--driver', 'emv3ds', *sum((['--set', one] for one in [
            f'url=http://127.0.0.1:{self.server_port}/ds', 'requestor_id=soyka', 'requestor_name=Soyka',
            'server_reference=3DS_LOA_SER_ONFILE', 'acquirer_bin=400123', 'merchant_id=SOYKA0000000001',
            'mcc=5399', 'country=643']), []))
        wait_for(world.is_ready, 20)

    def result(self, transaction, **members):
        """A sound result message for a transaction, but for these members."""
        asked, answered = self.requests[transaction], self.answers[transaction]
        message = {'messageType': 'RReq', 'messageVersion': '2.2.0', 'threeDSServerTransID': transaction,
                   'dsTransID': answered['dsTransID'], 'acsTransID': answered['acsTransID'],
                   'messageCategory': asked['messageCategory'], 'transStatus': 'Y', 'eci': '05',
                   'authenticationMethod': '02', 'authenticationType': '02', 'interactionCounter': '01',
                   'authenticationValue': base64.b64encode(bytes(20)).decode()}
        message.update(members)
        return {name: value for name, value in message.items() if value is not None}

    def send(self, transaction, message):
        """Posts a result to where this transaction's belongs."""
        return requests.post(self.requests[transaction]['threeDSServerURL'], json=message)


class DirectoryHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        directory = self.server
        body = self.rfile.read(int(self.headers['Content-Length']))
        message = json.loads(body)
        if directory.away:
            self.close_connection = True
            return
        if message['messageType'] == 'AReq':
            directory.gate.wait(30)
        asked = urllib.request.Request(f'{directory.world.bank_url}/ds', body,
                                       {'Content-Type': 'application/json; charset=utf-8'})
        with urllib.request.urlopen(asked) as answer:
            text = answer.read()
        if message['messageType'] == 'AReq':
            directory.newest = message['threeDSServerTransID']
            directory.requests[directory.newest] = message
            directory.answers[directory.newest] = json.loads(text)
        self.send_response(200)
        self.send_header('Content-Type', 'application/json; charset=utf-8')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


__all__ = ['World', 'Directory', 'PageShopper', 'OWN', 'LIFTED', 'all_but', 'plain_card', 'luhn', 'refusal', 'refused', 'seal',
           'solve', 'wait_for']
