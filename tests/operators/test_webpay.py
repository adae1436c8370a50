"""The example driver, installed and connected by the real commands, as docs/writing-a-driver.md walks it: a card is linked,
a payment goes through, is refused, is unknown and taken back, is given back."""

import acquirer
import pytest

from conftest import pay, wait_for


@pytest.fixture(scope='module')
def webpay(operator, example, tmp_path_factory):
    """The acquirer with a connection that gets everything of one merchant."""
    bank = acquirer.start('a-long-key')
    key = tmp_path_factory.mktemp('key') / 'key'
    key.write_text('a-long-key\n')
    number, api = operator.merchant('Webpay')
    assert 'driver webpay 1.0 (bank) installed' in operator.ok('driver', 'install', example)
    operator.ok('connection', 'add', 'webpay', '--driver', 'webpay', '--set', f'url={bank.url}', '--set', f'key=@{key}',
                '--policy', f'merchants={number}', '--policy', 'priority=1')
    operator.await_up('webpay')
    bank.api = api
    bank.customer = api.customer(email='webpay@example.com')
    bank.card = api.link(bank.customer)['payment_method']
    yield bank
    bank.shutdown()


def test_the_test_of_the_connection_says_that_the_key_is_right(operator, webpay):
    said = operator.ok('connection', 'test', 'webpay')
    assert '✓ status' in said and 'the acquirer knows our key' in said


def test_the_test_of_the_connection_says_what_to_do_about_a_wrong_key(operator, webpay):
    webpay.ledger.key = 'another-key'
    try:
        done = operator.run('connection', 'test', 'webpay')
    finally:
        webpay.ledger.key = 'a-long-key'
    assert done.returncode == 1
    assert '✗ status' in done.stdout and 'what to do: Ask the acquirer for a new key.' in done.stdout


def test_the_card_was_verified_with_its_code_at_the_acquirer(webpay):
    body, answer = webpay.ledger.of('verifications')[-1]
    assert body['amount'] == 0 and answer['cvc'] == 'pass'


def test_a_payment_is_authorized_and_captured(webpay):
    intent = pay(webpay.api, webpay.customer, webpay.card, 4200).json()
    assert intent['status'] == 'succeeded', intent
    body, _ = webpay.ledger.of('authorizations')[-1]
    assert body['amount'] == 4200 and body['currency'] == '643' and body['initiator'] == 'merchant'
    wait_for(lambda: [one for one, _ in webpay.ledger.of('captures') if one['rrn'] == body['rrn']])


def test_a_refusal_is_told_by_its_decline_code(webpay):
    customer = webpay.api.customer()
    intent = webpay.api.setup_intent(customer)
    answer = webpay.api.confirm(intent, '4000000000000002')
    state = answer.json()
    assert answer.status_code == 402 and state['error']['decline_code'] == 'insufficient_funds', state


def test_a_payment_without_an_answer_is_unknown_and_taken_back(webpay):
    webpay.ledger.silent.add('authorizations')
    try:
        answer = pay(webpay.api, webpay.customer, webpay.card, 777)
    finally:
        webpay.ledger.silent.clear()
    assert answer.status_code == 402, answer.text
    rrn = webpay.ledger.of('authorizations')[-1][0]['rrn']
    wait_for(lambda: [one for one, _ in webpay.ledger.of('reversals') if one['rrn'] == rrn])


def test_money_is_given_back(webpay):
    intent = pay(webpay.api, webpay.customer, webpay.card, 5000).json()
    assert intent['status'] == 'succeeded', intent
    refund = webpay.api.ok('POST', '/v1/refunds', {'payment_intent': intent['id'], 'amount': 1200})
    assert refund['status'] in ('pending', 'succeeded')
    wait_for(lambda: [one for one, _ in webpay.ledger.of('refunds') if one['amount'] == 1200])


def test_an_acquirer_that_is_down_costs_nothing_when_there_is_another_connection(operator, webpay):
    """Not one byte leaves, so the payment goes on over the next connection. (The card was linked there: that bank
    knows its own network transaction ids only.)"""
    operator.ok('connection', 'disable', 'webpay')
    customer = webpay.api.customer()
    card = webpay.api.link(customer)['payment_method']
    operator.ok('connection', 'enable', 'webpay')
    webpay.shutdown()
    webpay.server_close()
    before = len(webpay.ledger.of('authorizations'))
    answer = pay(webpay.api, customer, card, 3100)
    assert answer.status_code == 200, answer.text
    assert len(webpay.ledger.of('authorizations')) == before
    numbers = operator.store('SELECT connections.name FROM attempts JOIN connections ON number = connection '
                             'ORDER BY attempts.id DESC LIMIT 2')
    assert [name for name, in numbers] == ['bank', 'webpay']
    customer = webpay.api.customer()
    assert webpay.api.link(customer)['status'] == 'succeeded'
    wait_for(lambda: operator.state('webpay').startswith('down the acquirer cannot be reached'))
