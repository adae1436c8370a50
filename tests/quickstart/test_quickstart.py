"""docs/quickstart.md works as written: its blocks are taken out of the page, put into files and run against a sandbox, in each of
the four languages. The test is the shopper on the page, and sets the environment that the page asks for."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import pytest

from calls import GOOD
from receiver import wait_for
from running import Shopper, seal

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / 'docs/quickstart.md').read_text()
BLOCKS = dict(re.findall(r'^```[a-z]+ (\S+)\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
CLIENTS = ROOT / 'tests/clients/node_modules'

COMMANDS = {'mjs': ['node'], 'py': ['/usr/bin/python3'], 'php': ['php'], 'sh': ['sh']}


class Typist(Shopper):
    """A shopper on the page of a checkout session."""

    def __init__(self, sandbox, url):
        super().__init__(sandbox, url.rpartition('/c/')[2])

    def form(self, verb, **fields):
        return self.http.post(f'{self.page}/{verb}', data=fields, headers={'Origin': f'http://pay.localhost:{self.sandbox.public}'})

    def link(self, number):
        state = self.state()
        plain = {'number': number, 'exp_month': 12, 'exp_year': 2031, 'cvc': '123', 'intent': state['intent'], 'issued': state['now']}
        assert self.form('card', encrypted=seal(state['keys'], plain), **self.BROWSER).status_code == 200
        while (state := self.until('preparing', 'done', 'enter', 'challenge'))['step'] == 'preparing':
            if state['browser_wanted']:
                self.form('browser', **self.BROWSER)
            elif state['method']:
                self.run_method(state['method'])
        assert state['step'] == 'done', state


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


class Desk:
    """A folder with the page's files, and the environment that the page sets."""

    def __init__(self, sandbox, merchant):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='onfile-quickstart-'))
        for name, text in BLOCKS.items():
            (self.folder / name).write_text(text)
        if CLIENTS.exists():
            (self.folder / 'node_modules').symlink_to(CLIENTS)
        self.port = free_port()
        self.env = dict(os.environ, ONFILE=sandbox.api, ONFILE_KEY=merchant.secret_key, HOOK_PORT=str(self.port))
        self.server = None

    def run(self, name, *words):
        done = subprocess.run([*COMMANDS[name.rpartition('.')[2]], name, *words], cwd=self.folder, env=self.env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.split('\n')

    def register(self):
        endpoint = json.loads('\n'.join(self.run('endpoint.sh')))
        self.env['HOOK_SECRET'] = endpoint['secret']

    def serve(self, name):
        command = ['php', '-S', f'127.0.0.1:{self.port}', name] if name.endswith('.php') else [*COMMANDS[name[5:]], name]
        self.log = self.folder / 'hook.log'
        self.server = subprocess.Popen(command, cwd=self.folder, env=self.env, stdout=self.log.open('w'), stderr=subprocess.STDOUT)

        def listens():
            with socket.socket() as one:
                return one.connect_ex(('127.0.0.1', self.port)) == 0
        wait_for(listens)

    def close(self):
        if self.server:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.folder)


@pytest.fixture
def desk(sandbox):
    one = Desk(sandbox, sandbox.merchant('Quickstart'))
    yield one
    one.close()


@pytest.mark.parametrize('language', ['mjs', 'py', 'php', 'sh'])
def test_the_quickstart_works_as_written(sandbox, desk, language):
    if language == 'mjs' and not CLIENTS.exists():
        pytest.skip('tests/clients is not installed: npm ci --prefix tests/clients')
    desk.register()
    if language != 'sh':
        desk.serve(f'hook.{language}')
    customer, url, _ = desk.run(f'link.{language}')
    assert customer.startswith('cus_') and '/c/cs_test_' in url
    Typist(sandbox, url).link(GOOD)
    payment, refund, _ = desk.run(f'pay.{language}', customer)
    assert re.fullmatch(r'pi_\S+ succeeded', payment), payment
    assert re.fullmatch(r're_\S+ (succeeded|pending)', refund), refund

    def heard():
        text = '\n'.join(desk.run('events.sh')) if language == 'sh' else desk.log.read_text()
        types = set(re.findall(r'(?:"type":")?([a-z_.]+\.[a-z_]+)', text))
        return {'customer.created', 'payment_method.attached', 'payment_intent.succeeded', 'refund.created'} <= types
    wait_for(heard)
    if language != 'sh':
        assert payment.split()[0] in desk.log.read_text()


@pytest.mark.parametrize('language', ['mjs', 'py', 'sh'])
def test_tests_need_no_shopper(desk, language):
    if language == 'mjs' and not CLIENTS.exists():
        pytest.skip('tests/clients is not installed: npm ci --prefix tests/clients')
    assert desk.run(f'try.{language}') == ['succeeded', 'insufficient_funds', '']


@pytest.mark.parametrize('language', ['mjs', 'py', 'php'])
def test_a_hook_believes_nobody_else(desk, language):
    if language == 'mjs' and not CLIENTS.exists():
        pytest.skip('tests/clients is not installed: npm ci --prefix tests/clients')
    desk.env['HOOK_SECRET'] = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
    desk.serve(f'hook.{language}')
    done = subprocess.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '-d', '{"type":"x.y","data":{"object":{"id":"1"}}}',
                           '-H', 'Stripe-Signature: t=1,v1=00', f'http://127.0.0.1:{desk.port}/'], capture_output=True, text=True)
    assert done.stdout == '400'
    assert 'x.y' not in desk.log.read_text()


def test_the_page_has_all_its_blocks():
    for step in ('hook', 'link', 'pay'):
        for language in ('mjs', 'py', 'php'):
            assert f'{step}.{language}' in BLOCKS
    assert {'endpoint.sh', 'link.sh', 'pay.sh', 'events.sh', 'onfile.php', 'try.mjs', 'try.py', 'try.sh'} <= set(BLOCKS)
