"""The hunt for card numbers and card codes: in the memory of every program and in every file, over
everything that a shopper does with cards. The search is proven first: it finds what was planted.

Never in `web`, `core`, `shop` and the parent; one second after the answer not in `vault` and the
drivers; never in a file of onfile or of the shop. The sandbox bank has its ledger: numbers are its
business, and they prove that the search finds what is there."""

import base64
import random
import re
import subprocess
import threading
import time

import pytest
import requests

from memory import (BANKS_OWN, INSIDE, OUTSIDE, look_everywhere, pieces, programs, search_files,
                    search_process, unused_place, write)
from needles import Needles, four_digits, make_number, stands_alone, words

pytestmark = pytest.mark.needs_root

# The number with a code of four digits. The directory server lists it as a card range of its own, so
# the driver knows it without any card: it serves the hunt for codes, not the one for numbers.
AMEX = '378282246310005'


def many():
    return make_number('410000')


def all_forms(number):
    """Every form as bytes, written by hand here and not by the search's own code where that can be."""
    yield 'ASCII', number.encode()
    yield 'reversed', number[::-1].encode()
    yield 'hex', number.encode().hex().encode()
    yield 'UTF-16LE', number.encode('utf-16-le')
    yield 'UTF-16BE', number.encode('utf-16-be')
    yield 'BCD', bytes(int(number[i]) << 4 | int(number[i + 1]) for i in range(0, 16, 2))
    odd = '0' + number + '0'
    yield 'BCD, other alignment', bytes(int(odd[i]) << 4 | int(odd[i + 1]) for i in range(0, 18, 2))
    for shift in range(3):
        text = b'"' * shift + number.encode() + b'"}'
        yield f'base64, {shift}', base64.b64encode(text)
        yield f'base64url, {shift}', base64.urlsafe_b64encode(text).rstrip(b'=')
    yield 'first half', number[:12].encode() + b'****'
    yield 'last half', b'\0\0\0\0' + number[4:].encode()
    yield 'as SHA-256 has it', next(words(number))


class Holder:
    """A process of our own that holds bytes in its memory."""

    def __init__(self, data):
        self.process = subprocess.Popen(
            ['/usr/bin/python3', '-c', 'import sys; kept = sys.stdin.buffer.read(int(sys.argv[1])); '
             'print(1, flush=True); sys.stdin.buffer.read(1)', str(len(data))], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(data)
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self):
        return self.process.pid

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def test_the_search_finds_a_number_in_every_form(tmp_path):
    for name, data in all_forms(number := many()):
        needles = Needles([number])
        assert needles.search(b'..' + data + b'..'), name
        (tmp_path / 'some.log').write_bytes(b'line\n' * 1000 + data)
        assert search_files(tmp_path, needles), name
    assert not Needles([many()]).search(b'..' + b'..'.join(data for _, data in all_forms(number)))


def test_the_search_finds_what_a_process_holds():
    # Pieces of a number are found too: none shares the digits behind the issuer's with another.
    numbers = list({number[6:10]: number for number in (many() for _ in range(60))}.values())[:20]
    held = b'\xff'.join(data for number in numbers[:10] for _, data in all_forms(number))
    with Holder(held) as pid:
        for number in numbers[:10]:
            assert search_process(pid, Needles([number]))
        assert not search_process(pid, Needles(numbers[10:]))


def test_the_search_finds_codes():
    needles = Needles([], ['7391'])
    for held in (b'{"cvc":"7391"}', b'cvc=7391&', '"cvc":"7391"'.encode('utf-16-le'), b'0102..20047391'):
        assert needles.search(held), held
    assert not needles.search(b'{"cvc":"7392","time":17391}')
    assert four_digits(b'a 7391\0 12345 "1234"') == {'7391', '1234'}
    assert four_digits('x7391y'.encode('utf-16-le')) == {'7391'}
    for held in (b'7391', b'a17391 x7391x', '7391'.encode('utf-16-be')):
        assert stands_alone('7391', held), held
    assert not stands_alone('7391', b'17391 73912 739')


def test_the_search_finds_a_number_in_a_program_of_ours(running):
    """A card number is written into the memory of web as a debugger would: were it there by a
    mistake of ours, the hunt would tell."""
    number = many()
    for name in OUTSIDE + INSIDE:
        place = unused_place(running[name])
        before = write(running[name], place, number.encode() + b'\0007391\0')
        try:
            found = search_process(running[name], Needles([number]))
            assert any(stands_alone('7391', data) for _, data in pieces(running[name]))
        finally:
            write(running[name], place, before)
        assert any('ASCII' in what for what in found), name
        assert not search_process(running[name], Needles([number])), name


class Watch:
    """Looks at the programs outside again and again while cards are on their way; for speed at what
    they can write to."""

    def __init__(self, running, needles):
        self.running, self.needles = running, needles
        self.found, self.rounds, self.over = set(), 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.is_set():
            for name in OUTSIDE:
                found = search_process(self.running[name], self.needles, True)
                self.found.update(f'{name}: {what}' for what in found)
            self.rounds += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def test_no_number_is_left_anywhere(sandbox, journey, running):
    linked = [many() for _ in range(3)]
    asked = make_number('2200')
    refused = many()
    unpayable = many()
    silent = many()
    wrong = linked[0][:-1] + str((int(linked[0][-1]) + 1) % 10)
    everything = [*linked, asked, refused, unpayable, silent, wrong]
    needles = Needles(everything)
    assert look_everywhere(sandbox, needles) == []

    with Watch(running, needles) as watch:
        for number in linked:
            assert journey.link(number)['step'] == 'done'
            assert journey.pay(number[-4:]).json()['order']['state'] == 'paid'
        assert journey.link(asked, asks=True)['step'] == 'done'
        assert journey.pay(asked[-4:]).json()['order']['state'] == 'paid'
        journey.bank_does(refused, verify_code='05')
        assert journey.link(refused)['error']['who'] == 'bank'
        assert journey.link(linked[1])['step'] == 'done'  # the same card again
        assert journey.type_card(journey.open_page(), wrong, '123').status_code in (400, 402)
        journey.bank_does(unpayable, payment_code='51')
        assert journey.link(unpayable)['step'] == 'done'
        assert journey.pay(unpayable[-4:]).json()['order']['state'] != 'paid'
        journey.bank_does(silent, payment_fault='silent')
        assert journey.link(silent)['step'] == 'done'
        assert journey.pay(silent[-4:]).json()['order']['state'] != 'paid'
    assert watch.rounds >= 1
    assert watch.found == set()

    time.sleep(1)  # the promise is: gone one second after the answer
    assert look_everywhere(sandbox, needles) == []
    assert programs(sandbox) == running, 'a program ended on the way'
    at_the_bank = search_process(running['bank'], needles)
    for number in (*linked, asked, refused, unpayable, silent):
        assert any(number in what for what in at_the_bank), 'the hunt would not have found it'


def test_no_code_is_left_anywhere(sandbox, journey, running):
    """Four-digit codes that no program holds before; the bank refuses them. A code that stands alone
    in a program's memory after each of three links, each with a code of its own, is no accident."""
    known = set()
    for name in OUTSIDE + INSIDE:
        for _, data in pieces(running[name]):
            known |= four_digits(data)
    codes = random.sample(sorted({f'{n:04d}' for n in range(1000, 10000)} - known), 3)
    alone = {name: 0 for name in OUTSIDE + INSIDE}
    for code in codes:
        assert journey.link(AMEX, code)['error']['field'] == 'code'
        time.sleep(1)  # the promise is: gone one second after the answer
        for name in alone:
            alone[name] += any(stands_alone(code, data) for _, data in pieces(running[name]))
    assert [name for name, times in alone.items() if times == len(codes)] == []
    assert look_everywhere(sandbox, Needles([], codes)) == []
    assert programs(sandbox) == running, 'a program ended on the way'


def test_a_number_that_a_merchant_sends_in_clear_is_refused_and_kept_nowhere(sandbox, journey):
    """It has come into web and core by then, which nobody can undo; but no file has it."""
    number = many()
    settings = (sandbox.folder / 'shop.conf').read_text()
    http = requests.Session()
    http.auth = (re.search(r'^secret_key = (\S+)', settings, re.MULTILINE)[1], '')
    http.headers['Idempotency-Key'] = f'clear-{number[-6:]}'
    card = {'type': 'card', 'card[number]': number, 'card[exp_month]': '12', 'card[exp_year]': '2031'}
    assert http.post(f'{sandbox.api}/v1/payment_methods', data=card).status_code == 400
    intent = http.post(f'{sandbox.api}/v1/setup_intents', data={'usage': 'off_session'},
                       headers={'Idempotency-Key': None}).json()['id']
    confirm = {f'payment_method_data[{name.replace("[", "][", 1).rstrip("]")}]': value
               for name, value in card.items()}
    assert 'payment_method_data[card][number]' in confirm
    answer = http.post(f'{sandbox.api}/v1/setup_intents/{intent}/confirm', data=confirm)
    assert answer.status_code == 400 and number not in answer.text
    assert search_files(sandbox.folder, Needles([number]), BANKS_OWN) == set()
    journey.link(many())  # and after more has been written
    assert search_files(sandbox.folder, Needles([number]), BANKS_OWN) == set()
