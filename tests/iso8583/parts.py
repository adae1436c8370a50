"""What the tests of the ISO 8583 driver share: the sandbox bank, the driver behind its pipes, and a bank of a few lines of
Python that does what no bank should. Real sockets on loopback."""

import itertools
import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("BUILD", "build")
GOOD = "4242424242424242"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bank:
    def __init__(self, line="dialect=1987-bcd", port=None, ledger=None, late_ms=900):
        self.port = port or free_port()
        self.control = f"http://127.0.0.1:{(http := free_port())}/control"
        more = ["--ledger", str(ledger)] if ledger else []
        self.process = subprocess.Popen(
            [f"{BUILD}/bank/bank", "--iso-port", str(self.port), "--http-port", str(http), "--iso-line", line,
             "--pages", f"{ROOT}/bank/pages", "--tokens", f"{ROOT}/web/static/tokens.css", "--late-ms", str(late_ms),
             *more], stderr=subprocess.PIPE, text=True)
        for text in self.process.stderr:
            if "event=ready" in text:
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def get(self, what):
        with urllib.request.urlopen(f"{self.control}/{what}", timeout=8) as reply:
            text = reply.read().decode()
        return json.loads(text) if reply.headers.get_content_type() == "application/json" else text

    def post(self, what, **members):
        request = urllib.request.Request(f"{self.control}/{what}", json.dumps(members).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=8) as reply:
            return json.loads(reply.read())

    def entries(self):
        return self.get("ledger?last=100000")["entries"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0


class Driver:
    """driver-iso8583 behind its pipes; answers by id, lines of its own in a list. Each has numbers of its own, because one
    bank may see several in the same second."""

    numbers = itertools.count(0, 10000)

    def __init__(self, port, **more):
        parameters = {"host": "127.0.0.1", "port": port, "acquirer": "400123", **more}
        self.process = subprocess.Popen([f"{BUILD}/src/drivers/iso8583/driver-iso8583"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.answers = {}
        self.own = []
        self.log = []
        self.last = next(self.numbers) % 900000
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        self.write({"contract": 1, "parameters": parameters})

    def write(self, line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        for raw in self.process.stdout:
            assert raw.startswith(b'{"id":')
            line = json.loads(raw)
            with self.news:
                if line["id"]:
                    assert line["id"] not in self.answers, "answered twice"
                    self.answers[line["id"]] = line
                else:
                    self.own.append(line)
                self.news.notify_all()

    def wait_own(self, wanted, seconds=8):
        with self.news:
            assert self.news.wait_for(lambda: any(wanted(line) for line in self.own), seconds), self.own
            return [line for line in self.own if wanted(line)][-1]

    def up(self):
        self.wait_own(lambda line: line.get("state") == "up")
        return self

    def send(self, op, number=GOOD, /, seconds=6.0, cvc=None, **members):
        """Sends a request and returns its id and its numbers."""
        self.last += 1
        now = time.time()
        request = {"id": self.last, "op": op, "deadline_ms": int((now + seconds) * 1000), "stan": f"{self.last:06d}",
                   "sent_at": time.strftime("%m%d%H%M%S", time.gmtime(now)),
                   "local_at": time.strftime("%y%m%d%H%M%S", time.localtime(now)), "terminal": "TERM0001",
                   "merchant": "MERCHANT0000001"}
        if op != "test":
            card = {"number": number, "exp_month": 12, "exp_year": 2030, **({"cvc": cvc} if cvc else {})}
            request = {"card": card, **request, "amount": 0, "currency": "643", "rrn": f"632815{self.last:06d}",
                       "merchant_name": "Сойка, маркет"}
        if op in ("verify", "authorize"):
            request |= {"initiator": "customer", "credential": "first"}
        request |= members
        self.write(request)
        return request

    def wait(self, request, seconds=8):
        with self.news:
            assert self.news.wait_for(lambda: request["id"] in self.answers, seconds), "the driver does not answer"
            return self.answers[request["id"]]

    def ask(self, op, /, *positional, **members):
        return self.wait(self.send(op, *positional, **members))

    def verify(self, number=GOOD, cvc="123", **members):
        return self.ask("verify", number, cvc=cvc, **members)

    def pay(self, number=GOOD, amount=1000, **members):
        """Links the card, then pays with it as one on file; returns the payment's request and answer."""
        link = self.verify(number)
        assert link["outcome"] == "approved", link
        request = self.send("authorize", number, amount=amount, credential="stored",
                            network_transaction_id=link["network_transaction_id"], **members)
        return request, self.wait(request)

    def advise(self, op, request, answer, **members):
        mti = "0200" if request.get("single_message") else "0100"
        original = {"mti": mti, "stan": request["stan"], "sent_at": request["sent_at"], "local_at": request.get("local_at"),
                    "amount": request["amount"]}
        if answer.get("approval_code"):
            original["approval_code"] = answer["approval_code"]
        return self.ask(op, request["card"]["number"],
                        **{"amount": request["amount"], "rrn": request["rrn"], "original": original, **members})

    def paid(self, **members):
        """A payment that was captured: its request and its answer."""
        request, answer = self.pay(**members)
        assert self.advise("capture", request, answer)["outcome"] == "approved"
        return request, answer

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(15) == 0


LINES = {
    "bcd": ({"dialect": "1987-bcd"}, "dialect=1987-bcd"),
    "ascii": ({"dialect": "1987-ascii", "length_header": "ascii4", "length_inclusive": True},
              "dialect=1987-ascii,header=ascii4,inclusive=yes"),
    "1993": ({"dialect": "1993-bcd"}, "dialect=1993-bcd"),
    "cmf": ({"dialect": "cmf"}, "dialect=cmf"),
    "tpdu": ({"tpdu": "6000030001", "length_header": "bcd2"}, "tpdu=yes,header=bcd2"),
}


def luhn(digits):
    total = 0
    for i, character in enumerate(reversed(digits)):
        digit = int(character) * (2 if i % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


# A bank of a few lines, in the ASCII dialect, with a codec of its own: enough to see every byte that the driver sends,
# and to answer what no bank should.

FIXED = {3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 18: 4, 19: 3, 22: 3, 25: 2, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15,
         43: 40, 49: 3, 64: 16, 70: 3, 90: 42, 95: 42, 128: 16}
VARIABLE = {2: 2, 32: 2, 48: 3}
FIXED_1993 = {3: 6, 4: 12, 7: 10, 11: 6, 12: 12, 14: 4, 19: 3, 22: 12, 24: 3, 25: 4, 26: 4, 30: 24, 37: 12, 38: 6, 39: 3, 41: 8,
              42: 15, 49: 3}
VARIABLE_1993 = {2: 2, 32: 2, 43: 2, 48: 3, 56: 2}


def unpack(text):
    mti, bits, at = text[:4], text[4:20], 20
    fixed, variable = (FIXED_1993, VARIABLE_1993) if mti[0] == "1" else (FIXED, VARIABLE)
    if int(bits[0], 16) & 8:
        bits, at = text[4:36], 36
    fields = {}
    for number in range(2, len(bits) * 4 + 1):
        if int(bits, 16) >> (len(bits) * 4 - number) & 1:
            length = fixed.get(number)
            if length is None:
                length = int(text[at:at + variable[number]])
                at += variable[number]
            fields[number] = text[at:at + length]
            at += length
    assert at == len(text)
    return mti, fields


def pack(mti, fields):
    bits, body = 0, ""
    variable = VARIABLE_1993 if mti[0] == "1" else VARIABLE
    for number in sorted(fields):
        bits |= 1 << (128 - number)
        if number in variable:
            body += f"{len(fields[number]):0{variable[number]}d}"
        body += fields[number]
    return f"{mti}{bits | 1 << 127:032X}{body}" if bits % (1 << 64) else f"{mti}{bits >> 64:016X}{body}"


def answer_to(mti, fields, **more):
    keep = {number: value for number, value in fields.items() if number in (3, 4, 7, 11, 24, 37, 41, 42, 49, 70)}
    good = {"4": "400", "8": "800"}.get(mti[1], "000") if mti[0] == "1" else "00"
    return pack(mti[:2] + str(int(mti[2]) + 1) + str(int(mti[3]) & ~1), {**keep, 39: good, **{int(k[2:]): v for k, v in more.items()}})


class Rogue:
    """Answers sign-on and echo; all else goes to `queue` for the test to answer."""

    def __init__(self, sign_on="00", echo=True):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.sign_on, self.echo = sign_on, echo
        self.queue = queue.Queue()
        self.network = []
        self.connections = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        """Wakes the thread before the descriptor is free: it must not wait on the next socket that gets the same number."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join(8)
        self.server.close()

    def serve(self):
        while True:
            try:
                self.line, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.talk, args=(self.line,), daemon=True).start()

    def talk(self, line):
        stream = line.makefile("rb")
        try:
            while header := stream.read(4):
                mti, fields = unpack(stream.read(int(header)).decode())
                if mti not in ("0800", "1804"):
                    self.queue.put((mti, fields))
                    continue
                code = fields.get(70) or fields[24]
                self.network.append(code)
                if code in ("001", "801") and self.sign_on or code in ("301", "831") and self.echo or code in ("002", "802"):
                    said = {} if self.sign_on in ("00", "") else {"de39": self.sign_on}
                    self.send(answer_to(mti, fields, **said), line)
        except (OSError, ValueError):
            pass

    def send(self, text, line=None):
        (line or self.line).sendall(f"{len(text):04d}{text}".encode())

    def next(self):
        return self.queue.get(timeout=8)

    def hang_up(self):
        self.line.shutdown(socket.SHUT_RDWR)
        self.line.close()
