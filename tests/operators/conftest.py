"""What the operators' tests share: a sandbox of their own, the command with everything that it says, evil drivers."""

import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'api'), str(HERE.parent / 'fakes')]

from calls import Client  # noqa: E402
from running import LIFTED, ROOT, Sandbox  # noqa: E402


def wait_for(condition, seconds=20):
    """What the condition says once it says something true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, 'it did not come true in time'
        pause.wait(0.02)


class Operator:
    """Somebody at the command line of a running onfile."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.drivers = sandbox.folder / 'drivers'

    def words(self, *words):
        return [self.sandbox.folder / 'programs/onfile', *words, '--config', self.sandbox.folder / 'onfile.conf']

    def run(self, *words, **more):
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=60, **more)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == 0, f'{words}: {done.stdout}{done.stderr}'
        return done.stdout

    def refused(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode != 0, f'{words} went well: {done.stdout}'
        return done.stderr

    def state(self, name):
        """up, down, … and the sentence."""
        line = next(one for one in self.ok('connection', 'list').splitlines() if one.split()[0] == name)
        return ' '.join(line.split()[3:])

    def await_up(self, name):
        wait_for(lambda: self.state(name).startswith('up'))

    def merchant(self, name):
        """The number of a new merchant, and its API."""
        output = self.ok('merchant', 'add', '--name', name, '--url', 'https://shop.example', '--support', 'a@b.example')
        facts = dict(line.split(' ', 1) for line in output.splitlines())
        return facts['merchant'].split()[0], Client(self.sandbox, facts['secret_key'].strip())

    def store(self, question, *values):
        """Asks a copy of the books: core keeps the file for itself."""
        with tempfile.TemporaryDirectory() as folder:
            for file in (self.sandbox.folder / 'data').glob('onfile.db*'):
                if not file.name.endswith('-shm'):
                    shutil.copy(file, folder)
            database = sqlite3.connect(f'{folder}/onfile.db')
            try:
                return database.execute(question, values).fetchall()
            finally:
                database.close()


def pay(api, customer, card, amount=1990, **more):
    """A payment with a stored card; the raw answer."""
    return api.post('/v1/payment_intents', dict({
        'amount': amount, 'currency': 'rub', 'customer': customer, 'payment_method': card, 'confirm': 'true',
        'off_session': 'true'}, **more))


@pytest.fixture(scope='session')
def sandbox():
    one = Sandbox(LIFTED.replace('bank.deadline_ms = 3000', 'bank.deadline_ms = 2500'))
    yield one
    one.stop()


@pytest.fixture(scope='session')
def operator(sandbox):
    return Operator(sandbox)


@pytest.fixture(scope='session')
def example():
    return ROOT / 'examples/drivers/driver-webpay.py'
