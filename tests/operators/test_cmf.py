"""A whole way over a bank that speaks the jPOS CMF: a card is linked, paid with, captured in part, cancelled, refunded; the bank's
settlement file and the books are equal."""

import subprocess
import threading

import pytest
import requests

from conftest import pay, wait_for
from running import BUILD, ROOT, free_ports


@pytest.fixture(scope='module')
def bank(operator):
    port = free_ports(2)
    process = subprocess.Popen(
        [BUILD / 'bank/bank', '--iso-port', str(port), '--http-port', str(port + 1), '--iso-line', 'dialect=cmf', '--pages',
         ROOT / 'bank/pages', '--tokens', ROOT / 'web/static/tokens.css'], stderr=subprocess.PIPE, text=True)
    next(line for line in process.stderr if 'event=ready' in line)
    threading.Thread(target=process.stderr.read, daemon=True).start()
    number, api = operator.merchant('CMF')
    operator.ok('connection', 'add', 'cmf', '--driver', 'iso8583', '--set', 'host=127.0.0.1', '--set', f'port={port}', '--set',
                'acquirer=400123', '--set', 'dialect=cmf', '--set', 'country=643', '--policy', f'merchants={number}', '--policy',
                'priority=1')
    operator.await_up('cmf')
    api.control = f'http://127.0.0.1:{port + 1}/control'
    yield api
    wait_for(lambda: operator.run('connection', 'remove', 'cmf').returncode == 0)
    process.terminate()
    process.wait(10)


def totals(bank):
    return requests.get(f'{bank.control}/ledger?last=1', timeout=8).json()['totals']


def test_the_whole_way(operator, bank, tmp_path):
    customer = bank.customer(email='cmf@example.com')
    card = bank.link(customer)['payment_method']
    assert totals(bank)['verifications'] == 1
    intent = pay(bank, customer, card, 4200).json()
    assert intent['status'] == 'succeeded', intent
    held = pay(bank, customer, card, 3000, capture_method='manual').json()
    assert held['status'] == 'requires_capture', held
    part = bank.ok('POST', f'/v1/payment_intents/{held["id"]}/capture', {'amount_to_capture': 1000})
    assert part['status'] == 'succeeded' and part['amount_received'] == 1000
    other = pay(bank, customer, card, 500, capture_method='manual').json()
    assert bank.ok('POST', f'/v1/payment_intents/{other["id"]}/cancel')['status'] == 'canceled'
    refund = bank.ok('POST', '/v1/refunds', {'payment_intent': intent['id'], 'amount': 200})
    wait_for(lambda: bank.ok('GET', f'/v1/refunds/{refund["id"]}')['status'] == 'succeeded')
    wait_for(lambda: totals(bank)['captured'] == 5200 and totals(bank)['held'] == 0, 40)
    assert totals(bank)['refunded'] == 200
    file = tmp_path / 'settlement.csv'
    file.write_text(requests.get(f'{bank.control}/settlement.csv', timeout=8).text)
    said = operator.ok('reconcile', file)
    assert 'net 5000' in said, said


def test_refusals_have_their_reasons(bank):
    customer = bank.customer()
    for number, code in (('4000000000009995', 'insufficient_funds'), ('4000000000009987', 'lost_card'),
                         ('4000000000000127', 'incorrect_cvc')):
        if code == 'insufficient_funds':
            answer = pay(bank, customer, bank.link(customer, number)['payment_method'])
            error = answer.json()['error']
        else:
            error = bank.confirm(bank.setup_intent(customer), number).json()['error']
        assert code in (error.get('decline_code'), error['code']), error
