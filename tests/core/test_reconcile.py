"""`onfile reconcile`: the bank's settlement file against the books, equal and with planted differences."""

import subprocess

import pytest
import requests
from world import World, plain_card, wait_for


@pytest.fixture(scope='module')
def own():
    """Payments, captures in full and in part, refunds, a hold that was given back, one that nobody knows of."""
    one = World(deadline_ms=1500)
    ok = one.api.ok
    one.paid = []
    for n in range(6):
        linked = one.linked(plain_card(100 + n))
        one.paid.append(one.pay(linked, 1000 + n).json())
    held = one.pay(linked, 900, capture_method='manual').json()
    ok('POST', f'/v1/payment_intents/{held["id"]}/capture', {'amount_to_capture': 650})
    gone = one.pay(linked, 800, capture_method='manual').json()
    ok('POST', f'/v1/payment_intents/{gone["id"]}/cancel')
    euros = one.pay(linked, 77, currency='eur').json()
    ok('POST', '/v1/refunds', {'payment_intent': one.paid[0]['id']})
    ok('POST', '/v1/refunds', {'payment_intent': one.paid[1]['id'], 'amount': 200})
    ok('POST', '/v1/refunds', {'payment_intent': one.paid[1]['id'], 'amount': 300})
    one.sandbox.onfile('connection', 'set', 'bank', '--policy', 'single_message=yes')
    assert one.pay(linked, 555).json()['status'] == 'succeeded'
    one.sandbox.onfile('connection', 'set', 'bank', '--policy', 'single_message=')
    one.control('line', next_count=1, next_fault='silent')
    assert one.pay(linked, 444).status_code == 402  # unknown, and reversed
    assert euros['status'] == 'succeeded'
    wait_for(lambda: one.ledger()['totals']['held'] == 0)
    yield one
    one.stop()


@pytest.fixture
def lines(own):
    text = requests.get(f'{own.bank_url}/control/settlement.csv').text
    return text.splitlines()


def reconcile(own, tmp_path, lines, *words, end='\n'):
    """Exit status and what was said."""
    file = tmp_path / 'settlement.csv'
    file.write_text(''.join(line + end for line in lines))
    folder = own.sandbox.folder
    done = subprocess.run([folder / 'programs/onfile', 'reconcile', str(file), *words, '--config', folder / 'onfile.conf'],
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def place(lines, kind, nth=0):
    """Where the nth line of this kind is."""
    return [n for n, line in enumerate(lines) if f',{kind},' in line][nth]


def change(line, column, value):
    words = line.split(',')
    words[column] = str(value)
    return ','.join(words)


def total_again(lines):
    """The totals that fit the lines."""
    sums = {}
    for line in lines[1:]:
        words = line.split(',')
        if words[0] != 'total':
            sums.setdefault(words[8], 0)
            sums[words[8]] += int(words[7]) * (-1 if words[2] == 'refund' else 1)
    return [line for line in lines if not line.startswith('total')] + [
        f'total,,,,,,,{net},{currency},' for currency, net in sums.items()]


def test_the_banks_file_equals_the_books(own, lines, tmp_path):
    status, said, wrong = reconcile(own, tmp_path, lines)
    assert (status, wrong) == (0, ''), said
    assert said.splitlines()[-1] == 'equal'
    captured = 6015 + 650 + 555
    assert f'    bank  8 captures {captured}, 3 refunds 1500, net {captured - 1500}\n' in said
    assert f'    books 8 captures {captured}, 3 refunds 1500, net {captured - 1500}\n' in said
    assert '978\n    bank  1 captures 77, 0 refunds 0, net 77\n' in said


def test_another_amount(own, lines, tmp_path):
    at = place(lines, 'capture')
    lines[at] = change(lines[at], 7, 5000)
    status, said, _ = reconcile(own, tmp_path, total_again(lines))
    assert status == 1
    assert said.startswith(f'line {at + 1}: capture ') and 'of 5000 643: the books have 1000 643\n' in said
    assert said.endswith('1 difference\n')


@pytest.mark.parametrize('kind, nth', [('capture', 0), ('refund', 1)])
def test_what_the_bank_does_not_have(own, lines, tmp_path, kind, nth):
    line = lines.pop(place(lines, kind, nth))
    words = line.split(',')
    status, said, _ = reconcile(own, tmp_path, total_again(lines))
    assert status == 1
    assert said.startswith(f'books: {kind} {words[3]} stan {words[4]} of {words[7]} 643, sent ')
    assert 'missing at the bank\n' in said and said.endswith('1 difference\n')


def test_what_the_books_do_not_have(own, lines, tmp_path):
    at = place(lines, 'refund')
    made_up = change(change(lines[at], 4, '999999'), 7, 1)
    strange = change(change(lines[place(lines, 'capture')], 3, '000101ZZZZZZ'), 7, 2)
    lines[at + 1:at + 1] = [made_up, strange]
    status, said, _ = reconcile(own, tmp_path, total_again(lines))
    assert status == 1 and said.endswith('2 differences\n')
    assert f'line {at + 2}: refund {made_up.split(",")[3]} of 1 643: missing in the books\n    its payment is paid, ' in said
    assert f'line {at + 3}: capture 000101ZZZZZZ of 2 643: missing in the books\n' \
           '    no payment of these books has this number\n' in said


def test_a_line_that_is_there_twice(own, lines, tmp_path):
    at = place(lines, 'capture')
    lines.insert(at, lines[at])
    status, said, _ = reconcile(own, tmp_path, total_again(lines))
    assert status == 1 and 'it is in the file twice\n' in said and said.endswith('1 difference\n')


def test_another_approval_code_and_another_currency(own, lines, tmp_path):
    first, second = place(lines, 'capture'), place(lines, 'capture', 1)
    lines[first] = change(lines[first], 6, 'ZZZZZZ')
    lines[second] = change(lines[second], 8, '840')
    status, said, _ = reconcile(own, tmp_path, total_again(lines))
    assert status == 1 and said.endswith('2 differences\n')
    assert 'approval code ZZZZZZ, the books have ' in said and 'the books have 1001 643\n' in said


def test_a_total_that_does_not_add_up(own, lines, tmp_path):
    at = next(n for n, line in enumerate(lines) if line.startswith('total') and ',643,' in line)
    lines[at] = change(lines[at], 7, 1)
    status, said, _ = reconcile(own, tmp_path, lines)
    assert status == 1 and f'line {at + 1}: the total of 643 is 1, its lines add up to ' in said


@pytest.mark.parametrize('break_it, sentence', [
    (lambda lines: lines[:5], 'line 5: the file ends without the total'),
    (lambda lines: lines[1:], 'line 1: the first line should name the ten columns'),
    (lambda lines: lines[:3] + [change(lines[3], 7, '12.50')] + lines[4:], 'line 4: the amount'),
    (lambda lines: lines[:3] + [lines[3][:20]] + lines[4:], 'line 4: there should be ten columns'),
    (lambda lines: [], 'line 0: the file is empty'),
])
def test_a_file_that_is_none(own, lines, tmp_path, break_it, sentence):
    status, said, wrong = reconcile(own, tmp_path, break_it(lines))
    assert (status, said) == (2, '') and sentence in wrong


def test_a_file_without_movements_says_its_days(own, lines, tmp_path):
    status, _, wrong = reconcile(own, tmp_path, lines[:1])
    assert status == 2 and '--from and --to' in wrong
    status, said, _ = reconcile(own, tmp_path, lines[:1], '--from', '2020-01-01', '--to', '2020-01-01')
    assert (status, said) == (0, 'equal\n')
    status, said, _ = reconcile(own, tmp_path, lines[:1], '--from', '2020-01-01', '--to', '2090-01-01')
    assert status == 1 and said.count('missing at the bank') == 12
    assert reconcile(own, tmp_path, lines, '--from', '2026-02-30')[0] == 2


def test_a_file_that_is_not_there(own):
    folder = own.sandbox.folder
    done = subprocess.run([folder / 'programs/onfile', 'reconcile', '/nowhere/file.csv', '--config', folder / 'onfile.conf'],
                          capture_output=True, text=True)
    assert done.returncode == 2 and 'cannot be opened' in done.stderr


def test_what_nobody_knows_of_is_found_in_the_file(own, lines, tmp_path):
    """A refund that the bank made and never answered: the file says so, and how to end it."""
    own.control('line', next_count=1, next_fault='silent')
    made = own.api.ok('POST', '/v1/refunds', {'payment_intent': own.paid[2]['id'], 'amount': 10})
    assert made['status'] == 'pending'
    row = wait_for(lambda: own.sandbox.onfile('attention', 'list')).split('  ')[0]
    now = requests.get(f'{own.bank_url}/control/settlement.csv').text.splitlines()
    status, said, _ = reconcile(own, tmp_path, now)
    assert status == 1 and 'the books do not know what became of it\n' in said
    assert f'onfile attention resolve {row} --as done ends it\n' in said
    own.sandbox.onfile('attention', 'resolve', row, '--as', 'done', '--note', 'it is in the settlement file')
    status, said, _ = reconcile(own, tmp_path, now)
    assert status == 0 and said.endswith('equal\n')
