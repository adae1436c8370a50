"""What a card number or a card code may look like in memory or in a file, and the search for it.

A number is looked for by its first and by its last twelve digits, in every form below, so that one
half is found when the other was overwritten. Twelve digits are more than anybody may keep (six in
front, four behind) and enough not to be found by chance.

A code of four digits alone is no proof: other numbers have four digits. Codes are looked for where
nothing but a code can stand ("cvc":"7391" and its like), and standing alone between other
characters; whoever asks for the latter picks codes that were nowhere before (four_digits)."""

import base64
import random
import re

FRAGMENT = 12

TEXT_RUN = re.compile(rb'[A-Za-z0-9+/_-]{12,}')
# A pattern that begins with a class is looked for many times faster than one that begins with a group.
WIDE_RUN = re.compile(rb'[0-9]\x00(?:[0-9]\x00){10,}[0-9]')
DIGITS = re.compile(rb'[0-9]{4,}')
FOUR_WIDE = re.compile(rb'[0-9]\x00[0-9]\x00[0-9]\x00[0-9]')


def luhn_digit(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def make_number(prefix, length=16):
    """A number that nobody has used: random digits and a right check digit."""
    body = prefix + ''.join(random.choice('0123456789') for _ in range(length - 1 - len(prefix)))
    return body + luhn_digit(body)


def base64_parts(data):
    """The characters of base64 that depend on these bytes alone, for the three places in a group at
    which they may begin. Digits in ASCII and BCD give none of the two characters in which base64url
    differs only when they are ASCII, so both alphabets are made."""
    for shift in range(3):
        padded = b'x' * shift + data
        whole = len(padded) // 3 * 3
        first = 4 if shift else 0
        yield base64.b64encode(padded[:whole])[first:]
        yield base64.urlsafe_b64encode(padded[:whole])[first:]


def bcd(digits):
    return bytes.fromhex(digits[:len(digits) // 2 * 2])


def words(number):
    """As SHA-256 lays out its message: four bytes at a time, turned round."""
    for shift in range(4):
        rest = number[shift:]
        whole = rest[:len(rest) // 4 * 4]
        yield ''.join(whole[i:i + 4][::-1] for i in range(0, len(whole), 4)).encode()


def forms(number):
    """(name, where to look, bytes): 'text' in runs of letters and digits, 'wide' in runs of UTF-16
    digits, 'raw' everywhere."""
    for part in (number[:FRAGMENT], number[-FRAGMENT:]):
        plain = part.encode()
        yield 'ASCII', 'text', plain
        yield 'reversed', 'text', plain[::-1]
        yield 'hex', 'text', plain.hex().encode()
        yield 'UTF-16', 'wide', plain
        yield 'UTF-16 reversed', 'wide', plain[::-1]
        for piece in base64_parts(plain):
            yield 'base64', 'text', piece
    # Packed, both alignments. The front of a number has zeros enough to be like a small integer, so
    # more of it is asked for.
    for part in (number[:16], number[-FRAGMENT:], number[1:15], number[-FRAGMENT - 1:-1]):
        yield 'BCD', 'raw', bcd(part)
        for piece in base64_parts(bcd(part)):
            if len(piece) >= FRAGMENT:
                yield 'base64 of BCD', 'text', piece
    for piece in words(number):
        yield 'words', 'text', piece


class Needles:
    """A set of numbers and codes, ready to be searched for."""

    def __init__(self, numbers=(), codes=()):
        self.forms = {'text': {}, 'wide': {}, 'raw': {}}
        for number in numbers:
            for name, where, piece in forms(number):
                self.forms[where][piece] = f'{name} of {number}'
        self.contexts = {}
        for code in codes:
            # The last is the subfield of DE48 in which the driver sends it.
            for before in ('cvc":"', 'cvc": "', 'cvc" : "', 'cvc=', 'cvc:', 'cvc: ', f'20{len(code):02d}'):
                text = before + code
                for way, piece in (('ASCII', text.encode()), ('UTF-16LE', text.encode('utf-16-le')),
                                   ('UTF-16BE', text.encode('utf-16-be')), ('reversed', text[::-1].encode())):
                    self.contexts[piece] = f'{way} of the code {code} in {text}'
                for piece in base64_parts(text.encode()):
                    self.contexts[piece] = f'base64 of the code {code} in {text}'

    def search(self, data):
        """What is in these bytes: a set of sentences."""
        found = set()
        self._search_runs(data, found)
        for piece, what in self.forms['raw'].items():
            if piece in data:
                found.add(what)
        for piece, what in self.contexts.items():
            if piece in data:
                found.add(what)
        return found

    def _search_runs(self, data, found):
        text = b'\n'.join(TEXT_RUN.findall(data))
        wide = b'\n'.join(run.replace(b'\0', b'') for run in WIDE_RUN.findall(data))
        for where, runs in (('text', text), ('wide', wide)):
            for piece, what in self.forms[where].items():
                if piece in runs:
                    found.add(what)


def four_digits(data):
    """All numbers of exactly four digits in these bytes, in ASCII, and all in UTF-16."""
    found = {run for run in DIGITS.findall(data) if len(run) == 4}
    found.update(run.replace(b'\0', b'') for run in FOUR_WIDE.findall(data))
    return {one.decode() for one in found}


def stands_alone(code, data):
    """Whether the code is there with no other digit beside it, in ASCII, or in UTF-16."""
    if code.encode('utf-16-le') in data or code.encode('utf-16-be') in data:
        return True
    piece = code.encode()
    at = data.find(piece)
    while at >= 0:
        around = data[max(at - 1, 0):at] + data[at + len(piece):at + len(piece) + 1]
        if not any(0x30 <= byte <= 0x39 for byte in around):
            return True
        at = data.find(piece, at + 1)
    return False
