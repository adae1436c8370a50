"""A host of a few lines for the jPOS CMF, with a codec of its own that was written from the public specification and the
packager's forms, not from the dialect's file."""

import queue
import socket
import struct
import threading

DIGITS = {4: 16, 7: 10, 11: 12, 12: 14, 14: 4, 19: 3, 24: 3, 25: 4, 26: 4, 30: 32, 39: 4}
LONG_DIGITS = (2, 32, 56)
TEXT = {3: 6, 37: 12, 38: 6, 41: 16}
BYTES = {21: 19, 22: 16, 64: 4, 128: 4}


def digits(text):
    return bytes.fromhex(text + "0" * (len(text) % 2))


def length(count, size):
    return bytes.fromhex(f"{count:0{2 * size}d}")


def pack(mti, fields):
    bits, body = 0, b""
    for number in sorted(fields):
        bits |= 1 << (128 - number)
        value = fields[number]
        if number in DIGITS:
            assert len(value) == DIGITS[number]
            body += digits(value)
        elif number in LONG_DIGITS:
            body += length(len(value), 1) + digits(value)
        elif number in TEXT:
            body += value.ljust(TEXT[number]).encode()
        elif number == 42:
            body += length(len(value), 1) + value.encode()
        else:
            body += value if number in BYTES else length(len(value), 2) + value
    second = bits & (1 << 64) - 1
    return digits(mti) + (bits >> 64 | (1 << 63 if second else 0)).to_bytes(8, "big") + (second.to_bytes(8, "big") if second else b"") + body


def unpack(wire):
    at = 0

    def take(count):
        nonlocal at
        at += count
        assert at <= len(wire)
        return wire[at - count:at]

    def take_digits(count):
        text = take((count + 1) // 2).hex()
        assert len(text) == count or text[-1] == "0"
        return text[:count]

    mti, bits = take_digits(4), int.from_bytes(take(8), "big")
    numbers = [n for n in range(2, 65) if bits >> (64 - n) & 1]
    if bits >> 63:
        bits = int.from_bytes(take(8), "big")
        numbers += [64 + n for n in range(1, 65) if bits >> (64 - n) & 1]
    fields = {}
    for number in numbers:
        if number in DIGITS:
            fields[number] = take_digits(DIGITS[number])
        elif number in LONG_DIGITS:
            fields[number] = take_digits(int(take(1).hex()))
        elif number in TEXT:
            fields[number] = take(TEXT[number]).decode()
        elif number == 42:
            fields[number] = take(int(take(1).hex())).decode()
        else:
            fields[number] = take(BYTES[number] if number in BYTES else int(take(2).hex()))
    assert at == len(wire)
    return mti, fields


def dataset(identifier, *elements):
    """Elements of up to the 23rd bit: (bit, bytes)."""
    bits = sum(1 << (24 - bit) for bit, _ in elements)
    bitmap = bits.to_bytes(3, "big") if bits & 0xff else (bits >> 8).to_bytes(2, "big")
    if bits & 0xff:
        bitmap = bytes([bitmap[0] | 0x80]) + bitmap[1:]
    content = bitmap + b"".join(value for _, value in elements)
    return struct.pack(">BH", identifier, len(content)) + content


def with_length(text):
    return length(len(text), 1) + text.encode()


def answer_to(mti, fields, **more):
    keep = {n: v for n, v in fields.items() if n in (2, 3, 4, 7, 11, 12, 32, 37, 41, 42)}
    return pack(mti[:2] + str(int(mti[2]) + 1) + str(int(mti[3]) & ~1),
                {**keep, 39: "0000", **{int(k[2:]): v for k, v in more.items()}})


class Host:
    """Answers sign-on, echo and sign-off; all else goes to `queue` for the test to answer."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.queue = queue.Queue()
        self.network = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            while True:
                self.line, _ = self.server.accept()
                threading.Thread(target=self.talk, args=(self.line,), daemon=True).start()
        except OSError:
            return

    def talk(self, line):
        stream = line.makefile("rb")
        try:
            while header := stream.read(2):
                mti, fields = unpack(stream.read(int.from_bytes(header, "big")))
                if mti != "2804":
                    self.queue.put((mti, fields))
                    continue
                self.network.append(fields)
                self.send(answer_to(mti, fields))
        except OSError:
            pass

    def send(self, wire):
        self.line.sendall(struct.pack(">H", len(wire)) + wire)

    def next(self):
        return self.queue.get(timeout=8)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join(8)
        self.server.close()
