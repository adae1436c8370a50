"""The running system for tests: the sandbox bank, onfile and the shop on free ports in
a folder of their own, an operator at the command line, a merchant with keys, a shopper's browser
without a browser.

    /usr/bin/python3 -m pytest tests/api          (Debian's Python: it has python3-stripe)

ONFILE_BUILD names the build folder ("build" unless set)."""

import json
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.parse
from html import unescape

import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('ONFILE_BUILD', ROOT / 'build')).resolve()

LIFTED = """guard.refused_per_customer = 0
guard.cards_per_day = 0
guard.cards_stored = 0
guard.refused_per_address_hour = 0
guard.refused_per_network_day = 0
guard.refused_per_card_day = 0
guard.refused_per_card_month = 0
guard.fraud_block_days = 0
guard.proof_percent = 0
guard.slow_percent = 0
bank.deadline_ms = 3000"""

DRIVER = """set -u
. tools/sandbox
sandbox_ports "$1"
if sandbox_start "$2" "$3"; then echo started; else echo failed; fi
read -r _
sandbox_stop
"""


marks = []  # of the ports that were chosen, kept until the process ends


def free_ports(count):
    """The first of `count` ports in a row that nobody listens on, and that no other test has been given: who is given
    some begins to listen later."""
    while True:
        base = random.randrange(20000, 30000, 10)
        sockets = []
        try:
            mark = socket.socket(socket.AF_UNIX)
            sockets.append(mark)
            mark.bind(f'\0onfile-ports-{base}')  # a name without a file: it goes with the process
            for port in range(base, base + count):
                one = socket.socket()
                sockets.append(one)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(('127.0.0.1', port))
            marks.append(sockets.pop(0))
            return base
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()


class Merchant:
    def __init__(self, output):
        keys = dict(line.split(' ', 1) for line in output.splitlines())
        self.secret_key = keys['secret_key'].strip()
        self.publishable_key = keys['publishable_key'].strip()


class Sandbox:
    """The programs, and the ways to reach them."""

    driver = DRIVER

    def __init__(self, conf=LIFTED, bank_options=''):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='onfile-test-'))
        self.folder.chmod(0o711)
        base = free_ports(6)
        self.shop, self.public, self.results, self.metrics, self.bank, self.iso = range(base, base + 6)
        self.api = f'http://127.0.0.1:{self.public}'
        env = dict(os.environ, ONFILE_EXTRA_CONF=conf, BANK_OPTIONS=bank_options)
        self.process = subprocess.Popen(
            ['bash', '-c', self.driver, 'sandbox', str(base), str(BUILD), str(self.folder)],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != 'started':
            self.stop(keep=True)
            raise RuntimeError(f'the sandbox did not start; logs are in {self.folder}/log')

    def stop(self, keep=bool(os.environ.get('ONFILE_KEEP'))):
        """ONFILE_KEEP=1 keeps the folder with the logs and the store."""
        self.process.stdin.close()
        self.process.wait(timeout=30)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def onfile(self, *words, check=True):
        """Runs the `onfile` command and returns what it prints."""
        done = subprocess.run(
            [self.folder / 'programs/onfile', *words, '--config', self.folder / 'onfile.conf'],
            capture_output=True, text=True, timeout=30)
        if check and done.returncode != 0:
            raise RuntimeError(f'onfile {" ".join(words)}: {done.stderr}')
        return done.stdout

    def merchant(self, name='Test'):
        return Merchant(self.onfile('merchant', 'add', '--name', name, '--url', 'https://shop.example',
                                    '--support', 'help@shop.example'))

    def pid(self, program):
        """The process of one of our programs (they show the configuration in their title)."""
        rows = subprocess.run(['ps', '-eo', 'pid=,args='], capture_output=True, text=True).stdout
        words = [row.split() for row in rows.splitlines()]
        return next(int(row[0]) for row in words
                    if row[1:3] == [program, str(self.folder / 'onfile.conf')])

    def log(self):
        return (self.folder / 'log/onfile.log').read_text(errors='replace')


def form_of(html):
    """The address and the fields of the first form of a page."""
    action = re.search(r'<form[^>]*\baction="([^"]*)"', html)
    assert action, html
    fields = {}
    for field in re.findall(r'<input[^>]*>', html):
        name = re.search(r'\bname="([^"]*)"', field)
        value = re.search(r'\bvalue="([^"]*)"', field)
        if name:
            fields[name[1]] = unescape(value[1]) if value else ''
    return unescape(action[1]), fields


class Shopper:
    """What a shopper's browser does on the hosted card page, without a browser."""

    BROWSER = {
        'browser[java]': 'false', 'browser[language]': 'en', 'browser[color_depth]': '24',
        'browser[screen_height]': '800', 'browser[screen_width]': '360',
        'browser[time_zone]': '-180', 'browser[window]': '05',
    }

    def __init__(self, sandbox, token):
        self.sandbox = sandbox
        self.page = f'{sandbox.api}/c/{token}'
        self.http = requests.Session()
        self.http.headers['User-Agent'] = 'Mozilla/5.0 (test)'

    def state(self, after=None):
        answer = self.http.get(f'{self.page}/state', params={} if after is None else {'after': after})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, *steps):
        """Waits (the server holds the question) until the page shows one of these steps."""
        state = self.state()
        for _ in range(20):
            if state['step'] in steps:
                return state
            state = self.state(after=state['revision'])
        raise AssertionError(f'the page shows {state["step"]}, not {steps}: {state}')

    def bring_browser(self):
        """What the page does when a link was started by the API: tells of the browser, and runs the
        bank's method frame."""
        answer = self.http.post(f'{self.page}/browser', data=self.BROWSER,
                                headers={'Origin': f'http://pay.localhost:{self.sandbox.public}'})
        assert answer.status_code == 200, answer.text
        state = self.until('preparing', 'authenticating', 'challenge', 'waiting', 'done', 'enter')
        if state['step'] == 'preparing' and state['method']:
            self.run_method(state['method'])

    def run_method(self, method):
        page = self.post(method['url'], {'threeDSMethodData': method['data']})
        action, fields = form_of(page.text)
        assert self.post(action, fields).status_code == 200

    def post(self, url, data, **headers):
        """Posts a form to one of the sites, which are names for this machine."""
        parts = urllib.parse.urlsplit(url)
        there = parts._replace(netloc=f'127.0.0.1:{parts.port}').geturl()
        return self.http.post(there, data=data, headers=dict(headers, Host=parts.netloc))

    def answer_challenge(self):
        """Opens the bank's question, reads the code on the phone, types it, comes back."""
        state = self.until('challenge')
        fields = {'creq': state['challenge']['creq'], 'threeDSSessionData': state['challenge']['session'] or ''}
        page = self.post(state['challenge']['url'], fields)
        _, fields = form_of(page.text)
        phone = f'http://127.0.0.1:{self.sandbox.bank}/phone/messages'
        messages = self.http.get(phone).json()
        messages = messages if isinstance(messages, list) else messages['messages']
        code = next(m[1] for m in (re.search(r'#(\d{6})', one['text']) for one in reversed(messages)) if m)
        page = self.post(f'http://bank.localhost:{self.sandbox.bank}/acs/answer',
                         {'id': fields['id'], 'token': fields['token'], 'code': code, 'action': 'code'})
        action, fields = form_of(page.text)
        back = self.post(action, fields, Origin=f'http://bank.localhost:{self.sandbox.bank}')
        assert back.status_code == 200, back.text

    def cancel(self):
        return self.http.post(f'{self.page}/cancel',
                              headers={'Origin': f'http://pay.localhost:{self.sandbox.public}'})


def seal(keys, plain):
    """A compact JWE for the first of the keys, made by the project's own client code."""
    key = keys['keys'][0]
    done = subprocess.run([BUILD / 'tests/api/seal', key['kid'], key['x'], key['y']],
                          input=plain if isinstance(plain, bytes) else json.dumps(plain).encode(),
                          capture_output=True, check=True)
    return done.stdout.decode().strip()
