"""Lines on standard input: good ones, many at once, and those that cannot be meant; parameters and --describe."""

import json
import re
import subprocess

import pytest

from parts import BUILD, GOOD, Driver, luhn


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
    ({"initiator": "robot"}, "initiator"), ({"credential": None}, "credential"), ({"op": "collect"}, "operation"),
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
    assert described["operations"] == ["verify", "authorize", "capture", "reverse", "refund", "test"]
    for parameter in described["parameters"]:
        assert parameter["help"]["en"] and re.search("[а-я]", parameter["help"]["ru"])
        assert parameter["type"] in ("text", "number", "flag", "choice", "file")
        if parameter["type"] == "number":
            assert parameter["min"] <= parameter["max"]
        if parameter["type"] == "choice":
            assert parameter["default"] in parameter["choices"]
