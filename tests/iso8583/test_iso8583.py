"""The ISO 8583 driver as vault starts it: against the sandbox bank, and against a bank of a few lines of Python that does
what no bank should. Real sockets on loopback. Run by `meson test --suite integration`."""

import base64
import json
import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

BUILD = os.environ.get("BUILD", "build")
GOOD = "4242424242424242"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Bank:
    def __init__(self, line="dialect=1987-bcd", port=None, ledger=None, late_ms=900):
        self.port = port or free_port()
        more = ["--ledger", str(ledger)] if ledger else []
        self.process = subprocess.Popen(
            [f"{BUILD}/bank/bank", "--iso-port", str(self.port), "--http-port", str(free_port()), "--iso-line", line,
             "--late-ms", str(late_ms), *more], stderr=subprocess.PIPE, text=True)
        for text in self.process.stderr:
            if "event=ready" in text:
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0


class Driver:
    """driver-iso8583 behind its pipes; answers by id, lines of its own in a list."""

    def __init__(self, port, **more):
        parameters = {"host": "127.0.0.1", "port": port, "acquirer": "400123", **more}
        self.process = subprocess.Popen([f"{BUILD}/src/drivers/iso8583/driver-iso8583"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.answers = {}
        self.own = []
        self.log = []
        self.last = 0
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
        original = {"mti": "0100", "stan": request["stan"], "sent_at": request["sent_at"], "amount": request["amount"]}
        if answer.get("approval_code"):
            original["approval_code"] = answer["approval_code"]
        return self.ask(op, request["card"]["number"],
                        **{"amount": request["amount"], "rrn": request["rrn"], "original": original, **members})

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(15) == 0


LINES = {
    "bcd": ({"dialect": "1987-bcd"}, "dialect=1987-bcd"),
    "ascii": ({"dialect": "1987-ascii", "length_header": "ascii4", "length_inclusive": True},
              "dialect=1987-ascii,header=ascii4,inclusive=yes"),
    "tpdu": ({"tpdu": "6000030001", "length_header": "bcd2"}, "tpdu=yes,header=bcd2"),
}


@pytest.fixture(scope="module", params=LINES)
def each_line(request):
    parameters, line = LINES[request.param]
    bank = Bank(line)
    driver = Driver(bank.port, **parameters).up()
    yield driver
    driver.stop()
    bank.stop()


@pytest.fixture(scope="module")
def line():
    bank = Bank()
    driver = Driver(bank.port).up()
    yield driver
    driver.stop()
    bank.stop()


def test_a_link_a_payment_a_capture(each_line):
    driver = each_line
    link = driver.verify()
    assert link["outcome"] == "approved" and link["cvc_check"] == "pass" and link["response_code"] == "00"
    assert re.fullmatch(r"\d{15}", link["network_transaction_id"])
    request, answer = driver.pay(amount=123456)
    assert answer["outcome"] == "approved" and answer["amount"] == 123456 and answer["currency"] == "643"
    assert answer["cvc_check"] == "unchecked" and re.fullmatch(r"\d{6}", answer["approval_code"])
    assert answer["rrn"] == request["rrn"] and answer["stan"] == request["stan"]
    assert driver.advise("capture", request, answer)["outcome"] == "approved"
    assert driver.ask("test")["outcome"] == "approved"


def test_19_digits_and_amex(each_line):
    assert each_line.verify("6205500000000000004")["cvc_check"] == "pass"
    assert each_line.verify("378282246310005", cvc="1234")["cvc_check"] == "pass"
    assert each_line.verify("378282246310005", cvc="123")["decline_code"] == "incorrect_cvc"


@pytest.mark.parametrize("number, code, decline_code", [
    ("4000000000000002", "05", "do_not_honor"), ("4000000000009987", "41", "lost_card"),
    ("4000000000009979", "43", "stolen_card"), ("4000000000000069", "54", "expired_card"),
    ("4000000000000127", "N7", "incorrect_cvc"), ("4000000000000119", "96", "processing_error"),
    ("4111111111111111", "14", "incorrect_number"),
])
def test_refused_links(line, number, code, decline_code):
    answer = line.verify(number)
    assert answer["outcome"] == "declined"
    assert answer["response_code"] == code and answer["decline_code"] == decline_code
    assert "approval_code" not in answer and "network_transaction_id" not in answer


def test_codes_on_the_back(line):
    assert line.verify(cvc="124")["decline_code"] == "incorrect_cvc"
    assert line.verify(cvc="124")["cvc_check"] == "fail"
    assert line.verify(cvc=None)["cvc_check"] == "unchecked"
    only_at_the_bank = line.verify("4000000000000101")
    assert only_at_the_bank["outcome"] == "approved" and only_at_the_bank["cvc_check"] == "fail"


def test_expired_date(line):
    card = {"number": GOOD, "exp_month": 1, "exp_year": 2020, "cvc": "123"}
    assert line.ask("verify", card=card)["decline_code"] == "expired_card"


def test_refused_payments(line):
    assert line.pay("4000000000000341")[1]["decline_code"] == "do_not_honor"
    assert line.pay("4000000000009995")[1]["decline_code"] == "insufficient_funds"
    assert line.pay(amount=100000001)[1]["decline_code"] == "card_velocity_exceeded"


def test_a_card_that_wants_proof(line):
    _, answer = line.pay("4000002760003184")
    assert answer["outcome"] == "declined" and answer["authentication_required"] is True
    assert answer["decline_code"] == "authentication_required"
    invented = {"version": "2.2.0", "eci": "05", "value": base64.b64encode(bytes(20)).decode(),
                "ds_transaction": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}
    assert line.pay("4000002760003184", authentication=invented)[1]["decline_code"] == "do_not_honor"


def test_marks_of_stored_credentials(line):
    request, answer = line.pay(initiator="merchant")
    assert answer["outcome"] == "approved"
    other = line.verify("5555555555554444")["network_transaction_id"]
    for members in ({}, {"network_transaction_id": "000000000000000"}, {"network_transaction_id": other}):
        refused = line.ask("authorize", amount=1000, credential="stored", **members)
        assert refused["decline_code"] == "do_not_honor", members
    assert line.ask("authorize", amount=1000, initiator="merchant", credential="first")["outcome"] == "declined"
    assert line.ask("authorize", amount=1000, credential="first", cvc="123")["outcome"] == "approved"


def test_a_reversal_and_its_repeat(line):
    request, answer = line.pay()
    assert line.advise("reverse", request, answer)["outcome"] == "approved"
    assert line.advise("reverse", request, answer, repeat=True)["outcome"] == "approved"
    refused = line.advise("capture", request, answer)
    assert refused["outcome"] == "declined" and "no_original" not in refused


def test_a_reversal_in_part(line):
    request, answer = line.pay(amount=1000)
    assert line.advise("reverse", request, answer, amount=400)["outcome"] == "approved"
    assert line.advise("capture", request, answer, amount=601)["outcome"] == "declined"
    assert line.advise("capture", request, answer, amount=600)["outcome"] == "approved"
    assert line.advise("capture", request, answer, amount=600, repeat=True)["outcome"] == "approved"
    assert line.advise("capture", request, answer, amount=600)["outcome"] == "declined"


def test_a_reversal_that_overtakes_its_original(line):
    link = line.verify()
    numbers = {"stan": "900001", "sent_at": time.strftime("%m%d%H%M%S", time.gmtime()), "amount": 500}
    answer = line.advise("reverse", {**numbers, "card": {"number": GOOD}, "rrn": "632815900001"}, {})
    assert answer["outcome"] == "declined" and answer["no_original"] is True and answer["response_code"] == "25"
    late = line.ask("authorize", credential="stored", network_transaction_id=link["network_transaction_id"], **numbers)
    assert late["outcome"] == "declined"


def test_silence_is_unknown_and_can_be_reversed(line):
    request, answer = line.pay("4000000000005209", seconds=1)
    assert answer["outcome"] == "unknown" and "deadline" in answer["detail"]
    assert line.advise("reverse", request, answer)["outcome"] == "approved"


def test_a_late_answer_is_reported(line):
    request, answer = line.pay("4000000000005217", seconds=0.5)
    assert answer["outcome"] == "unknown"
    late = line.wait_own(lambda own: own.get("late", {}).get("request") == request["id"])["late"]
    assert late["outcome"] == "approved" and late["amount"] == 1000 and late["stan"] == request["stan"]


def test_an_answer_that_comes_twice_counts_once(line):
    _, answer = line.pay("4000000000005225")
    assert answer["outcome"] == "approved"
    assert line.ask("test")["outcome"] == "approved"
    assert not [own for own in line.own if own.get("late", {}).get("request") == answer["id"]]


def test_a_wrong_stan_is_nobodys(line):
    _, answer = line.pay("4000000000005233", seconds=1)
    assert answer["outcome"] == "unknown"


def test_garbage_is_not_a_time_out(line):
    _, answer = line.pay("4000000000005266", seconds=1)
    assert answer["outcome"] == "unknown" and "cannot be read" in answer["detail"]


@pytest.mark.parametrize("number, words", [("4000000000005241", "within a message"), ("4000000000005258", "closed")])
def test_a_line_that_breaks_is_unknown_and_comes_back(number, words):
    bank = Bank()
    driver = Driver(bank.port).up()
    request, answer = driver.pay(number)
    assert answer["outcome"] == "unknown" and words in answer["detail"]
    with driver.news:
        assert driver.news.wait_for(lambda: [own.get("state") for own in driver.own] == ["up", "down", "up"], 8)
    assert driver.advise("reverse", request, answer)["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_no_bank_nothing_sent_then_it_comes():
    port = free_port()
    driver = Driver(port)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "refused" in down["detail"]
    answer = driver.verify()
    assert answer["outcome"] == "not_sent" and "down" in answer["detail"]
    bank = Bank(port=port)
    driver.up()
    assert driver.verify()["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_a_deadline_that_is_over(line):
    answer = line.verify(seconds=-0.1)
    assert answer["outcome"] == "not_sent" and "deadline" in answer["detail"]


def test_numbers_are_used_once(line):
    first = line.send("verify", "4000000000005126", seconds=0.7)
    second = line.send("verify", "4000000000005126", stan=first["stan"], sent_at=first["sent_at"])
    answer = line.wait(second)
    assert answer["outcome"] == "not_sent" and "stan" in answer["detail"]
    assert line.wait(first)["outcome"] == "unknown"
    other = line.ask("verify", stan=first["stan"], sent_at=first["sent_at"], terminal="TERM0002")
    assert other["outcome"] == "approved"


@pytest.mark.parametrize("members, word", [
    ({"stan": "12345"}, "stan"), ({"stan": 123456}, "stan"), ({"sent_at": "11231200"}, "sent_at"),
    ({"amount": 5}, "amount"), ({"amount": -1}, "amount"), ({"currency": "RUB"}, "currency"),
    ({"card": {"number": "42424242x4242424", "exp_month": 12, "exp_year": 2030}}, "card"),
    ({"card": {"number": GOOD, "exp_month": 13, "exp_year": 2030}}, "card"),
    ({"card": {"number": GOOD, "exp_month": 12, "exp_year": 2030, "cvc": "12"}}, "cvc"), ({"rrn": "1"}, "rrn"),
    ({"initiator": "robot"}, "initiator"), ({"credential": None}, "credential"), ({"op": "refund"}, "operation"),
    ({"terminal": "TOO LONG A NAME"}, "terminal"), ({"deadline_ms": "soon"}, "deadline_ms"),
])
def test_requests_that_cannot_be_read_are_not_sent(line, members, word):
    answer = line.ask("verify", **members)
    assert answer["outcome"] == "not_sent" and word in answer["detail"]
    assert GOOD not in answer["detail"]


def test_lines_that_are_no_requests_are_left_alone(line):
    for raw in (b"\n", b"{}\n", b"nonsense\n", b'{"id":0,"op":"verify"}\n', b'{"id":1,"id":2}\n'):
        line.process.stdin.write(raw)
    assert line.verify()["outcome"] == "approved"


def test_many_at_once(line):
    requests = [line.send("verify", f"41000000{i:07d}"[:15] + luhn(f"41000000{i:07d}"[:15]), cvc="123", seconds=20)
                for i in range(2000)]
    answers = [line.wait(request, 20) for request in requests]
    assert all(answer["outcome"] == "approved" for answer in answers)
    assert [answer["stan"] for answer in answers] == [request["stan"] for request in requests]


def luhn(digits):
    total = 0
    for i, character in enumerate(reversed(digits)):
        digit = int(character) * (2 if i % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return str(-total % 10)


@pytest.mark.parametrize("parameters, words", [
    ({"host": "bank.example.com"}, "TLS"), ({"host": "192.0.2.1"}, "TLS"), ({"acquirer": "ACME"}, "acquirer"),
    ({"port": 0}, "port"), ({"dialect": "1993"}, "dialect"), ({"tpdu": "60"}, "tpdu"), ({"mcc": "12"}, "mcc"),
    ({"sign_on": "perhaps"}, "sign_on"),
])
def test_parameters_that_cannot_be_used(parameters, words):
    driver = Driver(**{"port": 1, **parameters})
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert words in down["detail"]
    assert driver.process.wait(5) == 2


def test_describe():
    text = subprocess.run([f"{BUILD}/src/drivers/iso8583/driver-iso8583", "--describe"], capture_output=True, check=True)
    described = json.loads(text.stdout)
    assert described["contract"] == 1 and described["name"] == "iso8583" and described["kind"] == "bank"
    assert described["operations"] == ["verify", "authorize", "capture", "reverse", "test"]
    for parameter in described["parameters"]:
        assert parameter["help"]["en"] and re.search("[а-я]", parameter["help"]["ru"])
        assert parameter["type"] in ("text", "number", "flag", "choice")
        if parameter["type"] == "number":
            assert parameter["min"] <= parameter["max"]
        if parameter["type"] == "choice":
            assert parameter["default"] in parameter["choices"]


def test_the_ledger_survives_the_bank(tmp_path):
    ledger = tmp_path / "ledger"
    bank = Bank(ledger=ledger)
    driver = Driver(bank.port).up()
    request, answer = driver.pay()
    bank.process.kill()
    bank.process.wait(5)
    with open(ledger, "a") as file:
        file.write("E\tcut off by the cra")
    driver.wait_own(lambda own: own.get("state") == "down")
    bank = Bank(ledger=ledger, port=bank.port)
    with driver.news:
        assert driver.news.wait_for(lambda: driver.own[-1].get("state") == "up", 8)
    assert driver.advise("capture", request, answer)["outcome"] == "approved"
    driver.stop()
    bank.stop()
    assert "cut off" not in ledger.read_text()


# A bank of a few lines, in the ASCII dialect, with a codec of its own: enough to see every byte that the driver sends,
# and to answer what no bank should.

FIXED = {3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 18: 4, 19: 3, 22: 3, 25: 2, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15,
         43: 40, 49: 3, 70: 3, 90: 42, 95: 42}
VARIABLE = {2: 2, 32: 2, 48: 3}


def unpack(text):
    mti, bits, at = text[:4], text[4:20], 20
    if int(bits[0], 16) & 8:
        bits, at = text[4:36], 36
    fields = {}
    for number in range(2, len(bits) * 4 + 1):
        if int(bits, 16) >> (len(bits) * 4 - number) & 1:
            length = FIXED.get(number)
            if length is None:
                length = int(text[at:at + VARIABLE[number]])
                at += VARIABLE[number]
            fields[number] = text[at:at + length]
            at += length
    assert at == len(text)
    return mti, fields


def pack(mti, fields):
    bits, body = 0, ""
    for number in sorted(fields):
        bits |= 1 << (128 - number)
        if number in VARIABLE:
            body += f"{len(fields[number]):0{VARIABLE[number]}d}"
        body += fields[number]
    return f"{mti}{bits | 1 << 127:032X}{body}" if bits % (1 << 64) else f"{mti}{bits >> 64:016X}{body}"


def answer_to(mti, fields, **more):
    keep = {number: value for number, value in fields.items() if number in (3, 4, 7, 11, 37, 41, 42, 49, 70)}
    return pack(mti[:2] + str(int(mti[2]) + 1) + "0", {**keep, 39: "00", **{int(k[2:]): v for k, v in more.items()}})


class Rogue:
    """Answers sign-on and echo; all else goes to `queue` for the test to answer."""

    def __init__(self, sign_on="00", echo=True):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.sign_on, self.echo = sign_on, echo
        self.queue = queue.Queue()
        self.network = []
        self.connections = 0
        threading.Thread(target=self.serve, daemon=True).start()

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
                if mti != "0800":
                    self.queue.put((mti, fields))
                    continue
                self.network.append(fields[70])
                if fields[70] == "001" and self.sign_on or fields[70] == "301" and self.echo or fields[70] == "002":
                    self.send(answer_to(mti, fields, de39=self.sign_on or "00"), line)
        except (OSError, ValueError):
            pass

    def send(self, text, line=None):
        (line or self.line).sendall(f"{len(text):04d}{text}".encode())

    def next(self):
        return self.queue.get(timeout=8)

    def hang_up(self):
        self.line.shutdown(socket.SHUT_RDWR)
        self.line.close()


@pytest.fixture
def rogue():
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", country="643", mcc="5411").up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.server.close()


def test_every_field_of_a_verification(rogue):
    request = rogue.send("verify", cvc="123")
    mti, fields = rogue.bank.next()
    assert mti == "0100"
    assert fields == {2: GOOD, 3: "000000", 4: "0" * 12, 7: request["sent_at"], 11: request["stan"],
                      12: request["local_at"][6:], 13: request["local_at"][2:6], 14: "3012", 18: "5411", 19: "643",
                      22: "812", 25: "51", 32: "400123", 37: request["rrn"], 41: "TERM0001", 42: "MERCHANT0000001",
                      43: "?????, ??????".ljust(40), 48: "2003123" + "0101C" + "0201F", 49: "643"}
    rogue.bank.send(answer_to(mti, fields, de38="AB12  ", de48="2101M0315123456789012345"))
    answer = rogue.wait(request)
    assert answer == {"id": request["id"], "outcome": "approved", "response_code": "00", "cvc_check": "pass",
                      "approval_code": "AB12", "network_transaction_id": "123456789012345", "rrn": request["rrn"],
                      "stan": request["stan"]}


def test_every_field_of_a_payment_with_proof(rogue):
    proof = {"version": "2.2.0", "eci": "05", "value": base64.b64encode(bytes(range(20))).decode(),
             "ds_transaction": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}
    request = rogue.send("authorize", amount=15000, credential="stored", initiator="merchant",
                         network_transaction_id="123456789012345", authentication=proof)
    mti, fields = rogue.bank.next()
    assert mti == "0100" and fields[4] == "000000015000" and fields[22] == "102" and fields[25] == "08"
    assert fields[48] == ("0101M0201S0315123456789012345" + "10052.2.0" + "110205" + f"1228{proof['value']}"
                          + f"1336{proof['ds_transaction']}")
    rogue.bank.send(answer_to(mti, fields, de39="10", de4="000000005000"))
    answer = rogue.wait(request)
    assert answer["outcome"] == "approved" and answer["amount"] == 5000 and answer["response_code"] == "10"


def test_every_field_of_a_reversal(rogue):
    original = {"mti": "0100", "stan": "000007", "sent_at": "1123101500", "amount": 1000, "approval_code": "AB12"}
    request = rogue.send("reverse", amount=400, original=original, repeat=True)
    mti, fields = rogue.bank.next()
    assert mti == "0421" and fields[4] == "000000001000" and fields[95] == "000000000600" + "0" * 30
    assert fields[90] == "0100" + "000007" + "1123101500" + "00000400123" + "00000000000"
    assert fields[38] == "AB12  "
    rogue.bank.send(answer_to(mti, fields, de39="25"))
    answer = rogue.wait(request)
    assert answer["outcome"] == "declined" and answer["no_original"] is True


def test_an_unreadable_answer_tells_where(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    good = answer_to(mti, fields)
    rogue.bank.send(good[:-2])  # breaks off in DE49; DE7 and DE11 have been read
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "field 49" in answer["detail"] and "cannot be read" in answer["detail"]
    rogue.bank.send(good)  # and now it comes as it should have
    assert rogue.wait_own(lambda own: "late" in own)["late"]["request"] == request["id"]


def test_answers_that_cannot_be_meant(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    rogue.bank.send(answer_to("0800", fields))  # another class: nobody's
    rogue.bank.send(answer_to(mti, {**fields, 41: "TERM0002"}))  # another terminal: nobody's
    rogue.bank.send(answer_to("0120", fields))
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "message type" in answer["detail"]
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    unsaid = answer_to(mti, fields)
    _, parts = unpack(unsaid)
    del parts[39]
    rogue.bank.send(pack("0110", parts))
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "no response code" in answer["detail"]


def test_a_header_that_lies_ends_the_line(rogue):
    request = rogue.send("verify", seconds=20)
    rogue.bank.next()
    rogue.bank.line.sendall(b"9999")
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown"
    with rogue.news:
        assert rogue.news.wait_for(lambda: rogue.own[-1].get("state") == "up" and rogue.bank.connections == 2, 8)


def test_a_late_answer_on_the_next_connection(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    rogue.bank.hang_up()
    assert rogue.wait(request)["outcome"] == "unknown"
    with rogue.news:
        assert rogue.news.wait_for(lambda: rogue.own[-1].get("state") == "up" and rogue.bank.connections == 2, 8)
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait_own(lambda own: "late" in own)["late"]["outcome"] == "approved"


def test_the_bank_may_ask_for_an_echo(rogue):
    rogue.bank.send(pack("0800", {7: "1123101500", 11: "000042", 70: "301"}))
    mti, fields = rogue.bank.next()
    assert mti == "0810" and fields == {7: "1123101500", 11: "000042", 39: "00", 70: "301"}
    rogue.bank.send("")  # a keep-alive
    request = rogue.send("verify")
    mti, fields = rogue.bank.next()
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait(request)["outcome"] == "approved"


def test_sign_on_comes_first_and_sign_off_last():
    bank = Rogue(sign_on="")
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", sign_on_timeout_ms=300)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "sign-on" in down["detail"] and driver.verify()["outcome"] == "not_sent"
    bank.sign_on = "91"
    driver.wait_own(lambda own: "refused the sign-on" in own.get("detail", ""))
    bank.sign_on = "00"
    driver.up()
    driver.stop()
    assert bank.network[-1] == "002"
    bank.server.close()


def test_echoes_keep_the_line_and_end_a_dead_one():
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", echo_interval_s=1, echo_timeout_ms=300).up()
    deadline = time.time() + 8
    while "301" not in bank.network and time.time() < deadline:
        threading.Event().wait(0.02)
    assert "301" in bank.network and [own["state"] for own in driver.own] == ["up"]
    bank.echo = False
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "echo" in down["detail"]
    driver.stop()
    bank.server.close()


def test_a_bank_that_does_not_read_gets_nothing_after_the_deadline():
    """The line's buffers are full: what has not left by its deadline was not sent, and does not leave later."""
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    driver = Driver(server.getsockname()[1], dialect="1987-ascii", length_header="ascii4", sign_on=False, echo_interval_s=0)
    line, _ = server.accept()
    driver.up()
    requests = [driver.send("verify", seconds=3) for _ in range(8000)]
    answers = [driver.wait(request, 20) for request in requests]
    outcomes = [answer["outcome"] for answer in answers]
    assert outcomes.count("not_sent") > 0 and outcomes.count("unknown") > 0
    assert outcomes == sorted(outcomes, reverse=True), "first the sent ones, then those that were not"
    line.settimeout(2)
    got = b""
    try:
        while part := line.recv(1 << 20):
            got += part
    except (TimeoutError, ConnectionError):
        pass
    seen, at = set(), 0
    while at + 4 <= len(got) and at + 4 + int(got[at:at + 4]) <= len(got):
        length = int(got[at:at + 4])
        seen.add(unpack(got[at + 4:at + 4 + length].decode())[1][11])
        at += 4 + length
    assert seen <= {r["stan"] for r, a in zip(requests, answers) if a["outcome"] == "unknown"}
    driver.process.kill()
    line.close()
    server.close()


def memory_of(process):
    found = []
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb") as memory:
        for text in maps:
            span, rights = text.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if "r" in rights and "[v" not in text:
                try:
                    memory.seek(start)
                    found.append(memory.read(end - start))
                except (OSError, ValueError):
                    pass
    return found


def shapes_of(number):
    """What a card number may look like in memory."""
    ascii_ = number.encode()
    packed = bytes.fromhex(number + ("0" if len(number) % 2 else ""))
    shapes = {"text": ascii_, "packed": packed, "utf-16": number.encode("utf-16-le"), "utf-32": number.encode("utf-32-le")}
    for shift in range(3):  # wherever it stands in a base64 text, these are its inner characters
        encoded = base64.b64encode(bytes(shift) + ascii_)
        shapes[f"base64 {shift}"] = encoded[4 if shift else 0:-4]
    # Part of it is too much as well: what a register or a vector may have left.
    shapes |= {"first 12": ascii_[:12], "last 12": ascii_[-12:], "middle 8": ascii_[4:12]}
    return shapes


def is_sanitized():
    with open(f"{BUILD}/src/drivers/iso8583/driver-iso8583", "rb") as program:
        return b"__asan_init" in program.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the driver, which is not dumpable")
@pytest.mark.skipif(is_sanitized(), reason="the sanitizer keeps what was freed")
@pytest.mark.parametrize("name", LINES)
def test_no_card_stays_in_memory(name):
    parameters, text = LINES[name]
    bank = Bank(text)
    driver = Driver(bank.port, **parameters).up()
    number = "4100009274186353"[:15]
    number += luhn(number)
    silent = "4000000000005209"
    link = driver.verify(number)
    assert link["outcome"] == "approved"
    request = driver.send("authorize", number, amount=777, credential="stored",
                          network_transaction_id=link["network_transaction_id"])
    answer = driver.wait(request)
    assert answer["outcome"] == "approved"
    assert driver.advise("capture", request, answer)["outcome"] == "approved"
    driver.verify(number, currency="RUB")  # refused before it was sent
    driver.verify(number, cvc="9182")
    driver.pay(silent, seconds=0.3)
    many = [driver.send("verify", number, cvc="123", seconds=20) for _ in range(300)]
    for one in many:
        driver.wait(one, 20)
    threading.Event().wait(1)  # the promise is: one second after the answer
    memory = memory_of(driver.process)
    assert sum(map(len, memory)) > 1 << 20
    assert any(b"MERCHANT" in part or b"line_up" in part for part in memory), "the hunt sees nothing at all"
    for hunted in (number, silent):
        for shape, wanted in shapes_of(hunted).items():
            if hunted == silent and len(wanted) < 16 and shape != "packed":
                continue  # its parts are zeros
            for part in memory:
                at = part.find(wanted)
                assert at < 0, f"{shape} of a card number is in memory: {part[max(0, at - 60):at + 60]}"
    for wanted in (b'"cvc"', b"2003123", b"20049182", b'"9182"'):
        for part in memory:
            at = part.find(wanted)
            assert at < 0, f"{wanted} is in memory: {part[max(0, at - 60):at + 60]}"
    for log in driver.log:
        assert number.encode() not in log
    driver.stop()
    bank.stop()
