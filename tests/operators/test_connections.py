"""`onfile connection …`: values from everywhere, secrets that nobody sees, changes, routing, what is refused."""

import os
import re
import subprocess
import time

import pytest

from calls import BY_SMS
from conftest import pay, wait_for
from running import Shopper
from terminal import Terminal

DRIVER = '''#!/usr/bin/python3
import json, sys
P = [{'name': 'host', 'type': 'text', 'required': True, 'max': 20, 'help': {'en': 'Host of the bank', 'ru': 'Адрес банка'}},
     {'name': 'port', 'type': 'number', 'min': 1, 'max': 65535, 'default': 7001},
     {'name': 'secret_key', 'type': 'text', 'required': True, 'secret': True},
     {'name': 'flag', 'type': 'flag'}, {'name': 'how', 'type': 'choice', 'choices': ['fast', 'well'], 'default': 'well'},
     {'name': 'certificate', 'type': 'file'}, {'name': 'least', 'type': 'number', 'min': 3}, {'name': 'most', 'type': 'number', 'max': 5}]
if sys.argv[1:] == ['--describe']:
    print(json.dumps({'contract': 1, 'name': 'asks', 'version': '1', 'kind': 'bank', 'operations': ['test'], 'parameters': P,
                      'sandbox': {'connect': ['port']}}))
    sys.exit()
parameters = json.loads(sys.stdin.readline())['parameters']
print('{"id":0,"state":"up"}', flush=True)
for line in sys.stdin:
    request = json.loads(line)
    try:
        said = 'file ' + open(parameters['certificate']).read() if 'certificate' in parameters else 'no file'
    except OSError as error:
        said = str(error)
    # A digest of the secret, so that the test can tell that it came.
    print(json.dumps({'id': request['id'], 'outcome': 'approved', 'steps': [
        {'step': 'values', 'detail': ' '.join(f'{k}={sum(v.encode()) if k == "secret_key" else v}' for k, v in parameters.items())},
        {'step': 'file', 'detail': said}]}), flush=True)
'''
SECRET = 'p@ss-wörd'


@pytest.fixture(scope='module', autouse=True)
def driver(operator, tmp_path_factory):
    path = tmp_path_factory.mktemp('driver') / 'asks.py'
    path.write_text(DRIVER)
    path.chmod(0o755)
    operator.ok('driver', 'install', path)
    yield
    operator.ok('driver', 'remove', 'asks')


@pytest.fixture
def name(operator):
    yield 'asked'
    operator.run('connection', 'remove', 'asked')


def values(operator, name):
    return operator.ok('connection', 'test', name)


def add(operator, name, *sets, **more):
    return operator.ok('connection', 'add', name, '--driver', 'asks', '--policy', 'priority=900', *sets, **more)


def test_a_person_is_asked_for_what_is_missing_and_a_secret_is_not_echoed(operator, name):
    terminal = Terminal(operator.words('connection', 'add', name, '--driver', 'asks', '--policy', 'priority=900'))
    terminal.read('Host of the bank\r\nhost: ')
    terminal.type('a-name-that-is-much-too-long')
    terminal.read('host should be a text of 1 to 20 bytes')
    terminal.type('bank.example')
    terminal.read('secret_key: ')
    terminal.type(SECRET)
    terminal.read('added')
    assert terminal.status() == 0
    assert 'bank.example' in terminal.seen and SECRET not in terminal.seen
    operator.await_up(name)
    assert f'host=bank.example secret_key={sum(SECRET.encode())}' in values(operator, name)


def test_ctrl_c_gives_the_echo_back(operator, name):
    terminal = Terminal(operator.words('connection', 'add', name, '--driver', 'asks', '--set', 'host=a'))
    terminal.read('secret_key: ')
    os.write(terminal.fd, b'\x03')
    assert terminal.status() == 130
    assert name not in operator.ok('connection', 'list')


def test_values_come_from_files_and_from_standard_input(operator, name, tmp_path):
    file = tmp_path / 'host'
    file.write_text('from-a-file\n')
    add(operator, name, '--set', f'host=@{file}', '--set', 'secret_key=-', input=SECRET + '\n')
    operator.await_up(name)
    assert f'host=from-a-file secret_key={sum(SECRET.encode())}' in values(operator, name)


def test_a_secret_is_never_shown(operator, name, sandbox):
    done = operator.run('connection', 'add', name, '--driver', 'asks', '--policy', 'priority=900', '--set', 'host=a', '--set',
                        f'secret_key={SECRET}', '--set', 'flag=yes')
    assert done.returncode == 0 and 'everybody on this machine could see it' in done.stderr
    shown = operator.ok('connection', 'show', name)
    assert re.search(r'host +a\n', shown) and re.search(r'flag +yes\n', shown)
    assert re.search(r'secret_key +\(set, not shown\)', shown)
    assert '  connect\n  port 7001\n' in shown
    everything = shown + done.stdout + done.stderr + sandbox.log()
    assert SECRET not in everything
    for file in (sandbox.folder / 'data').iterdir():
        assert SECRET.encode() not in file.read_bytes(), file


def test_bad_values_are_refused_with_what_would_fit(operator, name):
    for bad, sentence in {'port=0': 'whole number from 1 to 65535', 'port=x': 'whole number', 'least=2': 'whole number from 3', 'most=6': 'whole number to 5', 'flag=perhaps': 'yes or no',
                          'how=badly': 'one of: fast well', 'nothing=1': 'no parameter of driver asks', 'host': 'wants KEY=VALUE',
                          'certificate=relative': 'absolute path', 'certificate=/not/there': 'absolute path',
                          'host=@/not/there': 'cannot be read'}.items():
        said = operator.refused('connection', 'add', name, '--driver', 'asks', '--set', 'secret_key=-', '--set', bad, input='x')
        assert sentence in said, (bad, said)
    assert 'is set twice' in operator.refused('connection', 'add', name, '--driver', 'asks', '--set', 'host=a', '--set', 'host=b')
    assert 'secret_key is missing' in operator.refused('connection', 'add', name, '--driver', 'asks', '--set', 'host=a')
    assert 'only one' in operator.refused('connection', 'add', name, '--driver', 'asks', '--set', 'host=-', '--set', 'secret_key=-')
    for policy in ('brands=plastic', 'currencies=gold', 'merchants=999', 'priority=high', 'colour=red', 'hold_days=0'):
        said = operator.refused('connection', 'add', name, '--driver', 'asks', '--set', 'host=a', '--set', 'secret_key=-', '--policy',
                                policy, input='x')
        assert 'polic' in said, (policy, said)
    assert name not in operator.ok('connection', 'list')


def test_a_change_keeps_what_it_does_not_name(operator, name):
    add(operator, name, '--set', 'host=a', '--set', 'secret_key=-', '--set', 'how=fast', '--set', 'port=7002', input=SECRET)
    operator.ok('connection', 'set', name, '--set', 'host=b', '--set', 'how=')
    operator.await_up(name)
    said = values(operator, name)
    assert 'host=b' in said and f'secret_key={sum(SECRET.encode())}' in said and 'port=7002' in said and 'how=' not in said
    assert 'port 7002' in operator.ok('connection', 'show', name)
    assert 'secret_key is missing' in operator.refused('connection', 'set', name, '--set', 'secret_key=')
    assert 'no connection' in operator.refused('connection', 'set', 'nobody', '--set', 'host=b')
    operator.ok('connection', 'set', name, '--policy', 'brands=mir', '--policy', 'hold_days=30')
    assert 'brands=mir' in operator.ok('connection', 'show', name)


def test_a_file_that_was_declared_can_be_read_and_no_other(operator, name, tmp_path):
    folder = operator.sandbox.folder / 'certificates'
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for file in ('mine', 'other'):
        (folder / file).write_text(f'certificate {file}')
        (folder / file).chmod(0o644)
    add(operator, name, '--set', 'host=a', '--set', 'secret_key=-', '--set', f'certificate={folder}/mine', input='x')
    operator.await_up(name)
    assert 'file certificate mine' in values(operator, name)


def test_payments_go_where_the_policies_say(operator):
    """Two connections of the same bank; brand and merchant decide, then priority, then whether they are enabled."""
    iso = re.search(r'port +(\d+)', operator.ok('connection', 'show', 'bank'))[1]
    operator.ok('connection', 'add', 'second', '--driver', 'iso8583', '--set', 'host=127.0.0.1', '--set', f'port={iso}', '--set',
                'acquirer=40012345678')
    operator.await_up('second')
    number, api = operator.merchant('Routed')
    customer = api.customer()
    card = api.link(customer)['payment_method']

    def used():
        assert pay(api, customer, card).json()['status'] == 'succeeded'
        return operator.store('SELECT connections.name FROM attempts JOIN connections ON number = connection '
                              'ORDER BY attempts.id DESC LIMIT 1')[0][0]

    for policy, name in (('priority=900', 'bank'), ('priority=2', 'second'), ('brands=mir', 'bank'), ('brands=visa,mir', 'second'),
                         ('currencies=eur', 'bank'), ('currencies=', 'second'), (f'merchants={number}', 'second')):
        operator.ok('connection', 'set', 'second', '--policy', policy)
        assert used() == name, policy
    operator.ok('connection', 'disable', 'second')
    assert 'disabled' in operator.state('second') and used() == 'bank'
    operator.ok('connection', 'enable', 'second')
    assert used() == 'second'
    wait_for(lambda: operator.run('connection', 'remove', 'second').returncode == 0)  # its captures are acknowledged
    assert used() == 'bank'


def test_the_time_of_a_test_is_its_own(operator):
    """Core's clock is read when a command comes; the time since whatever came before it is not the bank's."""
    operator.await_up('bank')
    for _ in range(3):
        quiet = time.monotonic()
        while time.monotonic() - quiet < 0.6:
            operator.ok('driver', 'describe', 'asks')  # core hears nothing of it
        began = time.monotonic()
        said = operator.ok('connection', 'test', 'bank')
        took_ms = (time.monotonic() - began) * 1000
        assert int(re.search(r'the bank answered in (\d+) ms', said)[1]) <= took_ms


def test_the_configuration_may_stand_before_the_verb(operator):
    program, *words, config, file = operator.words('driver', 'list')
    lists = [subprocess.run(one, capture_output=True, text=True) for one in (
        [program, *words, config, file], [program, config, file, *words], [program, f'{config}={file}', *words])]
    assert all(one.returncode == 0 and one.stdout == lists[0].stdout and 'asks' in one.stdout for one in lists)
    for wrong, said in (([config], 'wants a value'), ([config, file], 'no such verb'), ([config, file, *words, config, file], 'twice')):
        done = subprocess.run([program, *wrong], capture_output=True, text=True)
        assert done.returncode == 2 and said in done.stderr


def test_what_was_paid_over_a_connection_that_is_gone_is_not_refunded(operator):
    """It is refused at once, rather than waiting for a bank that nobody can ask."""
    iso = re.search(r'port +(\d+)', operator.ok('connection', 'show', 'bank'))[1]
    number, api = operator.merchant('Gone')
    operator.ok('connection', 'add', 'gone', '--driver', 'iso8583', '--set', 'host=127.0.0.1', '--set', f'port={iso}', '--set',
                'acquirer=40012345678', '--policy', f'merchants={number}', '--policy', 'priority=1')
    operator.await_up('gone')
    customer = api.customer()
    intent = pay(api, customer, api.link(customer)['payment_method']).json()
    assert api.post('/v1/refunds', {'payment_intent': intent['id'], 'amount': 100}).status_code == 200
    wait_for(lambda: operator.run('connection', 'remove', 'gone').returncode == 0)
    for what in ('payment_intent', 'charge'):
        answer = api.post('/v1/refunds', {what: intent['id'] if what == 'payment_intent' else intent['latest_charge']})
        error = answer.json()['error']
        assert (answer.status_code, error['code']) == (400, 'charge_not_refundable') and 'was removed' in error['message'], error


def test_a_name_is_taken_once_and_a_number_is_never_given_again(operator, name):
    add(operator, name, '--set', 'host=a', '--set', 'secret_key=-', input='x')
    assert 'there is a connection of this name' in operator.refused(
        'connection', 'add', name, '--driver', 'asks', '--set', 'host=a', '--set', 'secret_key=-', input='x')
    numbers = []
    for _ in range(2):
        numbers.append(int(re.search(r'number (\d+)', operator.ok('connection', 'show', name))[1]))
        operator.ok('connection', 'remove', name)
        add(operator, name, '--set', 'host=a', '--set', 'secret_key=-', input='x')
    assert numbers[1] == numbers[0] + 1


@pytest.mark.skipif(os.getuid() != 0, reason='needs root: users of their own')
def test_somebody_else_may_not_add_a_connection(operator):
    said = operator.refused('connection', 'list', user=61299)
    assert 'may not use' in said or 'cannot be' in said
    said = operator.refused('connection', 'show', 'bank', user=61299)
    assert 'may not use' in said or 'cannot be' in said


def test_a_connection_is_not_removed_while_an_authentication_is_under_way_on_it(operator):
    _, api = operator.merchant('Asked')
    intent = api.setup_intent(api.customer())
    assert api.confirm(intent, BY_SMS, return_url='https://shop.example/back').json()['status'] == 'requires_action'
    shopper = Shopper(operator.sandbox, intent['client_secret'])
    shopper.bring_browser()
    shopper.until('challenge')
    assert 'authentications' in operator.refused('connection', 'remove', '3ds')
    shopper.answer_challenge()
    assert shopper.until('done')
    assert api.ok('GET', f'/v1/setup_intents/{intent["id"]}')['status'] == 'succeeded'
