"""The contract, held against every driver of the repository by itself: its description, what it answers to what it does
not know, how it ends. docs/drivers.md."""

import json
import subprocess
import threading
import time

import pytest

from conftest import ROOT
from running import BUILD

DRIVERS = {
    'iso8583': (BUILD / 'src/drivers/iso8583/driver-iso8583', {'host': '127.0.0.1', 'port': 9, 'acquirer': '400123'}),
    'emv3ds': (BUILD / 'src/drivers/emv3ds/driver-emv3ds', {
        'url': 'http://127.0.0.1:9/ds', 'requestor_id': 'a', 'requestor_name': 'b', 'server_reference': 'c', 'acquirer_bin': '400123',
        'merchant_id': 'd', 'mcc': '5399', 'country': '643'}),
    'webpay': (ROOT / 'examples/drivers/driver-webpay.py', {'url': 'http://127.0.0.1:9/v1', 'key': 'k'}),
}
CARD = {'number': '4242424242424242', 'exp_month': 12, 'exp_year': 2031}
COMMON = {'amount': 100, 'currency': '643', 'stan': '000001', 'sent_at': '0101000000', 'local_at': '260101000000', 'rrn': '000000000001',
          'terminal': '00000001', 'merchant': 'M', 'merchant_name': 'M', 'initiator': 'customer', 'credential': 'stored',
          'transaction': '00000000-0000-4000-8000-000000000000'}


class Driver:
    def __init__(self, name):
        path, parameters = DRIVERS[name]
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.watch = threading.Timer(20, self.process.kill)
        self.watch.start()
        self.write({'contract': 1, 'parameters': parameters, 'something_new': [1]})

    def write(self, line):
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line)) + '\n')
        self.process.stdin.flush()

    def ask(self, number, op, **more):
        self.write({'card': CARD, 'id': number, 'op': op, 'deadline_ms': int((time.time() + 5) * 1000), **COMMON, **more})

    def answer(self):
        """The next line that is not about the line to the bank."""
        for line in self.process.stdout:
            assert line.startswith('{"id":') or line.startswith('{"id": '), line
            said = json.loads(line)
            if said['id']:
                return said
        raise AssertionError('it ended without an answer')

    def end(self):
        self.process.stdin.close()
        status = self.process.wait()
        self.watch.cancel()
        return status


@pytest.fixture(params=DRIVERS)
def driver(request):
    one = Driver(request.param)
    one.name = request.param
    yield one
    one.process.kill()
    one.process.wait()
    one.watch.cancel()


@pytest.mark.parametrize('name', DRIVERS)
def test_a_description_says_all_that_the_contract_wants(name):
    done = subprocess.run([DRIVERS[name][0], '--describe'], capture_output=True, text=True, timeout=20, check=True)
    said = json.loads(done.stdout)
    assert said['contract'] == 1 and said['name'] == name and said['version'] and said['kind'] in ('bank', 'authentication')
    assert 'test' in said['operations'] and said['sandbox']['connect']
    names = [one['name'] for one in said['parameters']]
    assert set(said['sandbox']['connect']) <= set(names) and len(names) == len(set(names))
    for one in said['parameters']:
        assert one['type'] in ('text', 'number', 'flag', 'choice', 'file') and one['help']['en'] and one['help']['ru'], one
        assert one['type'] != 'choice' or one['choices']


def test_an_unknown_operation_was_not_sent(driver):
    driver.ask(1, 'dance')
    said = driver.answer()
    assert said['id'] == 1 and said['outcome'] == 'not_sent' and said['detail']


def test_unknown_members_are_ignored(driver):
    driver.ask(2, 'versions' if driver.name == 'emv3ds' else 'authorize', colour='blue', more={'deep': [None]})
    said = driver.answer()  # nobody listens on the port
    assert said['id'] == 2 and said['outcome'] in ('not_sent', 'unknown')
    if driver.name != 'emv3ds':
        assert said['outcome'] == 'not_sent'


def test_after_the_deadline_nothing_is_sent(driver):
    driver.write({'card': CARD, 'id': 3, 'op': 'versions' if driver.name == 'emv3ds' else 'authorize', 'deadline_ms': 1, **COMMON})
    said = driver.answer()
    assert said['id'] == 3 and said['outcome'] == 'not_sent'


def test_the_end_of_input_is_the_end(driver):
    driver.ask(4, 'dance')
    assert driver.answer()['id'] == 4
    assert driver.end() == 0
