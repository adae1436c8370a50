"""A machine that crashes: the sandbox bank runs all the time, onfile is started and killed by the test,
and strace puts faults in front of chosen system calls of chosen programs."""

import errno
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import tempfile
import threading
import time

import requests

from calls import Client
from running import BUILD, LIFTED, Sandbox, Shopper

DEADLINE_MS = 700
CONF = '\n'.join(line for line in LIFTED.splitlines() if not line.startswith('bank.')) + f'\nbank.deadline_ms = {DEADLINE_MS}'

CALL = re.compile(r'^(?:(\d+) +)?([a-z0-9_]+)\(')
ENDED = re.compile(r'\+\+\+ (killed by|exited with)')


def wait_for(condition, what, seconds=30):
    """What the condition says once it says something true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f'{what}: it did not come true in {seconds} s'
        pause.wait(0.01)


def luhn(digits):
    """The number with its check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def children(pid):
    """{name: pid} of what a process has started."""
    found = {}
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            text = path.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, rest = text[text.index('(') + 1:text.rindex(')')], text[text.rindex(')') + 2:].split()
        if int(rest[1]) == pid and rest[0] not in 'ZX':
            found[name] = int(path.parent.name)
    return found


class Trace:
    """strace on a process that runs, with its threads: writes its calls down, and puts a fault before one of them."""

    def __init__(self, pid, *options):
        self.path = pathlib.Path(tempfile.mkstemp(prefix='onfile-trace-')[1])
        threads = ['-f'] if len(os.listdir(f'/proc/{pid}/task')) > 1 else []  # it would follow children too
        self.process = subprocess.Popen(['strace', *threads, '-qq', '-s', '0', '-o', self.path, *options, '-p', str(pid)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def attached():
            if self.process.poll() is not None:
                assert not (words := self.process.stderr.read()), words
                return True  # the process was killed at its very next call
            try:
                status = pathlib.Path(f'/proc/{pid}/status').read_text()
            except (FileNotFoundError, ProcessLookupError):
                return False  # just killed: strace says so in a moment
            return re.search(r'^TracerPid:\t(\d+)$', status, re.M)[1] != '0'
        wait_for(attached, 'strace')

    def saw(self, text):
        return text in self.path.read_text(errors='replace')

    def stop(self):
        """Detaches; what it saw, a line for each call."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            # Asked while a program of several threads died, strace waits for its first thread, which cannot end before
            # strace has taken the others; and as long the program's parent does not hear of the death.
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        text = self.path.read_text(errors='replace')
        self.path.unlink()
        return text.splitlines()


def calls_of(lines):
    """[(name, which one of this name)] in the order of the calls; strace counts for each thread."""
    count, calls = {}, []
    for line in lines:
        found = CALL.match(line)
        if found and found[2] not in ('exit_group', 'restart_syscall'):
            thread, name = found.groups()
            count[thread, name] = count.get((thread, name), 0) + 1
            calls.append((name, count[thread, name]))
    return calls


def joined(lines):
    """The same lines, each call where it ended: what it was called with, and what came of it."""
    begun = {}
    for line in lines:
        thread, call = re.match(r'(\d+ +)?(.*)', line).groups()
        if call.endswith('<unfinished ...>'):
            begun[thread] = call.removesuffix('<unfinished ...>').rstrip()
        elif call.startswith('<... '):
            yield begun.pop(thread, '') + call.partition('resumed>')[2]
        else:
            yield call


class Disk:
    """The disk of a machine's core, which can be told to fail (faults.c)."""

    CALLS = ('write', 'sync', 'truncate')
    MODES = {'fail': 1, 'half': 2, 'lose': 3, 'power': 4}
    ROOM = struct.Struct('=7i3i')

    def __init__(self, machine):
        self.machine = machine
        self.path = machine.folder / 'faults'
        self.path.write_bytes(bytes(self.ROOM.size))
        self.path.chmod(0o666)

    def hold(self):
        """The next start of core is with this disk."""
        self.machine.put_before('core', 'env', f'LD_PRELOAD={BUILD}/tests/crash/faults.so', f'FAULTS={self.path}')

    def arm(self, call, which, error, mode, stays=False, at_start=False):
        fault = (2 if at_start else 1, self.CALLS.index(call), which, getattr(errno, error), self.MODES[mode], stays, 0)
        with self.path.open('r+b') as file:
            file.write(self.ROOM.pack(*fault, 0, 0, 0))

    def fired(self):
        return self.ROOM.unpack(self.path.read_bytes())[6]

    def counts(self):
        return dict(zip(self.CALLS, self.ROOM.unpack(self.path.read_bytes())[7:]))


class Bank(Sandbox):
    """The sandbox with its bank, its connections and its merchant, but onfile and shop have been ended."""

    driver = """set -u
. tools/sandbox
sandbox_ports "$1"
sandbox_start "$2" "$3" || { echo failed; exit 1; }
kill "$shop_pid"; wait "$shop_pid"; shop_pid=
kill "$onfile_pid"; wait "$onfile_pid"; onfile_pid=
echo started
read -r _
sandbox_stop
"""


class Machine:
    """Start, kill, look. One thread at a time."""

    def __init__(self, place):
        self.sandbox = Bank(conf=CONF, bank_options='--late-ms 1200')
        self.folder = self.sandbox.folder
        self.real = {name: os.readlink(self.folder / 'programs' / name) for name in ('web', 'core', 'vault')}
        secret = re.search(r'^secret_key = (.*)$', (self.folder / 'shop.conf').read_text(), re.M)[1]
        self.secret = secret
        self.serial = place * 100000  # makes cards and amounts of this machine its own
        self.parent = None
        self.lock = threading.Lock()

    def close(self):
        self.stop()
        self.sandbox.stop()

    # --- onfile

    def start(self, ready=True):
        log = open(self.folder / 'log/onfile.log', 'ab')
        self.parent = subprocess.Popen([self.folder / 'programs/onfile', 'serve', '--config', self.folder / 'onfile.conf'],
                                       stderr=log, stdout=log)
        log.close()
        if ready:
            wait_for(self.is_ready, f'onfile in {self.folder} is ready')

    def revive(self):
        """Starts onfile again when it has died, as an operator's supervisor would."""
        with self.lock:
            if self.parent and self.parent.poll() is not None:
                self.start(ready=False)

    def is_ready(self):
        self.revive()
        try:
            answer = requests.get(f'http://127.0.0.1:{self.sandbox.metrics}/readyz', timeout=2)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def stop(self):
        with self.lock:
            parent, self.parent = self.parent, None
        if parent:
            parent.terminate()
            parent.wait(timeout=30)
        for name in self.real:
            self.swap(self.folder / 'programs' / name, self.real[name])

    def kill_all(self):
        """As if the power were gone for all of onfile."""
        parent = self.parent
        names = children(parent.pid)
        parent.kill()
        parent.wait()
        wait_for(lambda: not any(pathlib.Path(f'/proc/{pid}').exists() for pid in names.values()), 'all have gone')

    def kill(self, name):
        os.kill(self.pid(name), signal.SIGKILL)

    def pid(self, name):
        if name == 'onfile':
            return self.parent.pid
        return wait_for(lambda: children(self.parent.pid).get(name), f'{name} runs')

    def state(self, name):
        """Of the process, as ps writes it: T when it is stopped."""
        return pathlib.Path(f'/proc/{self.pid(name)}/stat').read_text().rpartition(')')[2].split()[0]

    def log_size(self):
        return (self.folder / 'log/onfile.log').stat().st_size

    def log_since(self, size):
        return (self.folder / 'log/onfile.log').read_bytes()[size:].decode(errors='replace')

    def running(self):
        return children(self.parent.pid)

    def wrap(self, name, options):
        """The next start of this program is under strace, with these options; then as ever. What is seen
        is in the file that is returned."""
        out = self.folder / f'trace-{name}'
        out.write_text('')
        self.put_before(name, 'strace', '-DDD', '-f', '-qq', '-o', str(out), *options)
        return out

    def put_before(self, name, *words):
        (self.folder / f'wrap-{name}').write_text('\n'.join([self.real[name], *words]))
        self.swap(self.folder / 'programs' / name, BUILD / 'tests/crash/wrap')

    @staticmethod
    def swap(link, target):
        fresh = link.with_name(f'{link.name}.new')
        os.symlink(target, fresh)
        os.replace(fresh, link)

    # --- the bank's books

    def control(self, what, **members):
        answer = requests.post(f'http://127.0.0.1:{self.sandbox.bank}/control/{what}', json=members)
        assert answer.status_code == 200, answer.text

    def entries(self, number):
        answer = requests.get(f'http://127.0.0.1:{self.sandbox.bank}/control/ledger', params={'last': 1000000})
        return [entry for entry in answer.json()['entries'] if entry['number'] == number]

    # --- a merchant and a shopper

    def client(self):
        return Client(self.sandbox, self.secret)

    def fresh_number(self):
        self.serial += 1
        return luhn(f'41000000{self.serial:07d}')

    def link(self, number):
        """A customer with this card, while nothing is killed."""
        client = self.client()
        customer = client.customer()
        page = Page(self, client.setup_intent(customer))
        page.type(number)
        page.send()
        assert page.settle() == 'done'
        card = client.ok('GET', f'/v1/customers/{customer}/payment_methods')['data'][0]
        return {'customer': customer, 'card': card['id'], 'number': number}


class Page(Shopper):
    """The card page of a SetupIntent: sends the card once, then looks until the link has ended, as its script
    does, whatever dies meanwhile."""

    def __init__(self, machine, intent):
        super().__init__(machine.sandbox, intent['client_secret'])
        self.machine, self.intent = machine, intent
        self.told = []  # what was answered with 200, in order

    def type(self, number):
        self.data = dict(self.BROWSER, encrypted=self.machine.client().encrypt(self.intent['id'], number))

    def send(self):
        own = {'Origin': f'http://pay.localhost:{self.sandbox.public}'}
        try:
            self.note(self.http.post(f'{self.page}/card', data=self.data, headers=own, timeout=20))
        except requests.RequestException:
            pass

    def note(self, answer):
        if answer.status_code == 200:
            self.told.append(answer.json()['step'])
        return answer

    def look(self):
        try:
            answer = self.note(self.http.get(f'{self.page}/state', timeout=5))
        except requests.RequestException:
            self.machine.revive()
            return None
        step = answer.json()['step'] if answer.status_code == 200 else None
        return step if step in ('done', 'enter') else None

    def settle(self):
        return wait_for(self.look, 'the link ends')


class Payment:
    """A merchant's server that pays once: the same request with the same key until it is answered for good,
    as the official libraries do it."""

    def __init__(self, machine, linked, key):
        self.machine, self.key = machine, key
        self.data = {'amount': 1000 + machine.serial % 90000, 'currency': 'rub', 'customer': linked['customer'],
                     'payment_method': linked['card'], 'confirm': 'true'}
        self.number = linked['number']
        self.client = machine.client()
        self.answers = []  # (status, body) of all that is an answer for good

    def once(self):
        try:
            answer = self.client.post('/v1/payment_intents', self.data, key=self.key, timeout=20)
        except requests.RequestException:
            self.machine.revive()
            return None
        if answer.status_code >= 500 or answer.status_code in (409, 429):
            return None
        self.answers.append((answer.status_code, answer.content))
        return self.answers[-1]

    def settle(self):
        """The last word: 'succeeded' or 'requires_payment_method'."""
        status, content = wait_for(self.once, 'the payment is answered')
        body = json.loads(content)
        assert status in (200, 402), content
        self.intent = body['id'] if status == 200 else body['error']['payment_intent']['id']

        def final():
            try:
                now = self.client('GET', f'/v1/payment_intents/{self.intent}', timeout=5)
            except requests.RequestException:
                self.machine.revive()
                return None
            assert now.status_code == 200 or now.status_code >= 500, now.text
            word = now.json()['status'] if now.status_code == 200 else None
            return word if word in ('succeeded', 'requires_payment_method') else None
        word = wait_for(final, 'the payment ends')
        if status == 200 and body['status'] == 'succeeded':
            assert word == 'succeeded', 'a payment that was told to be paid is not'
        if status == 402:
            assert word == 'requires_payment_method', 'a payment that was told to have failed is paid'
        return word

    def check(self):
        """The books of both are equal: at most one approval that lasts; answers given stay true."""
        word = self.settle()
        wanted = self.data['amount'] if word == 'succeeded' else 0

        def equal():
            held = taken = 0
            for entry in self.machine.entries(self.number):
                assert entry['captured'] in (0, self.data['amount'])
                taken += entry['captured']
                held += entry['amount'] - entry['captured'] - entry['reversed'] if entry['state'] == 'held' else 0
            assert taken <= self.data['amount'], 'charged twice'
            return (held, taken) == (0, wanted)
        wait_for(equal, f'the bank agrees that {wanted} was taken for a payment that {word}', 60)
        self.client = self.machine.client()
        again = wait_for(self.once, 'the same request once more')
        assert again == self.answers[0], 'another answer for the same key'
        found = self.client.ok('GET', '/v1/payment_intents', {'customer': self.data['customer']})['data']
        assert [intent['id'] for intent in found] == [self.intent], 'one key, one PaymentIntent'


def check_link(page, customer):
    """A card is saved if and only if the page says so, and once; what was told stays true."""
    machine = page.machine
    end = page.settle()
    assert end == 'done' or 'done' not in page.told, 'a link that was told to be done is not'
    cards = machine.client().ok('GET', f'/v1/customers/{customer}/payment_methods')['data']
    assert len(cards) == (1 if end == 'done' else 0)
    intent = machine.client().ok('GET', f'/v1/setup_intents/{page.intent["id"]}')
    assert intent['status'] == ('succeeded' if end == 'done' else 'requires_payment_method'), intent
    return end


class Flow:
    """One payment, or one link, on its way: prepared while all is well, then done under fire."""

    def __init__(self, machine, kind):
        self.kind, number = kind, machine.fresh_number()
        if kind == 'payment':
            self.payment = Payment(machine, machine.link(number), f'crash-{machine.folder.name}-{machine.serial}')
            return
        self.customer = machine.client().customer()
        self.page = Page(machine, machine.client().setup_intent(self.customer))
        self.page.type(number)

    def go(self):
        if self.kind == 'payment':
            return self.payment.settle()
        self.page.send()
        return self.page.settle()

    def check(self):
        if self.kind == 'payment':
            self.payment.check()
        else:
            check_link(self.page, self.customer)


def record(machines, program, begin):
    """The system calls that the program makes for what begin(machine) begins, from when it is attached to."""
    def deed(machine):
        flow = begin(machine)
        trace = Trace(machine.pid(program))
        word = flow.go()
        calls = calls_of(trace.stop())
        assert word in ('succeeded', 'done')
        flow.check()
        return calls
    return machines.alone(deed)
