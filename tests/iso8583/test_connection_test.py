"""The test of a connection: each step done on a line of its own, told with its time, and what to change when one fails."""

import socket

import pytest

from parts import GOOD, Bank, Driver, Rogue, free_port

ALL = ["dialect", "resolve", "connect", "tls", "sign_on", "echo", "verify", "sign_off"]


@pytest.fixture(scope="module")
def bank():
    one = Bank()
    yield one
    one.stop()


def steps_of(answer):
    names = [step["step"] for step in answer["steps"]]
    assert names == ALL[:len(names)], "every step is told, in order"
    for step in answer["steps"]:
        assert step["ms"] >= 0 and step["detail"]
        assert ("advice" in step) == step.get("failed", False)
    assert not any(step.get("failed") for step in answer["steps"][:-1]), "nothing is tried after a failure"
    return {step["step"]: step for step in answer["steps"]}


def test_every_step_with_a_card_for_tests(bank):
    driver = Driver(bank.port, host="localhost", test_card=f"{GOOD} 12/39").up()
    before = bank.get("ledger")["totals"]["verifications"]
    answer = driver.ask("test")
    steps = steps_of(answer)
    assert answer["outcome"] == "approved" and list(steps) == ALL and steps["dialect"]["detail"] == "1987-bcd, edition 1987"
    assert "127.0.0.1" in steps["resolve"]["detail"] and str(bank.port) in steps["connect"]["detail"]
    assert steps["tls"]["skipped"] and "zero" in steps["verify"]["detail"]
    assert bank.get("ledger")["totals"]["verifications"] == before + 1
    assert driver.verify()["outcome"] == "approved", "the connection's own line is not touched"
    assert [own["state"] for own in driver.own] == ["up"]
    driver.stop()


def test_what_the_dialect_has_no_place_for_is_told():
    bank = Bank("dialect=cmf")
    driver = Driver(bank.port, dialect="cmf").up()
    told = steps_of(driver.ask("test"))["dialect"]
    assert told["detail"].startswith("cmf, edition 2003; no place for eci: it is not sent") and "warning" not in told
    driver.stop()
    bank.stop()


def test_without_a_card_and_without_sign_on(bank):
    driver = Driver(bank.port, sign_on=False).up()
    steps = steps_of(driver.ask("test"))
    assert steps["verify"]["skipped"] and steps["sign_on"]["skipped"] and steps["sign_off"]["skipped"]
    assert not steps["echo"].get("skipped")
    driver.stop()


def test_a_card_that_is_refused(bank):
    driver = Driver(bank.port, test_card="4000000000000002 12/39").up()
    answer = driver.ask("test", stan="000777")
    assert answer["outcome"] == "declined" and "05" in answer["detail"]
    assert "test_card" in steps_of(answer)["verify"]["advice"]
    assert GOOD not in str(answer) and "4000000000000002" not in str(answer)
    driver.stop()


def test_nobody_listens():
    driver = Driver(free_port())
    driver.wait_own(lambda own: own.get("state") == "down")
    answer = driver.ask("test")
    steps = steps_of(answer)
    assert answer["outcome"] == "not_sent" and "refused" in answer["detail"]
    assert list(steps) == ["dialect", "resolve", "connect"] and "host and port" in steps["connect"]["advice"]
    driver.stop()


def test_a_name_that_does_not_exist():
    driver = Driver(1, host="bank.invalid", plain_network="accepted", connect_timeout_ms=20000)
    answer = driver.wait(driver.send("test", seconds=25), 30)
    steps = steps_of(answer)
    assert answer["outcome"] == "not_sent" and list(steps) == ["dialect", "resolve"] and "host" in steps["resolve"]["advice"]
    driver.process.kill()


@pytest.mark.parametrize("sign_on, echo, outcome, step, words, advice", [
    ("", True, "unknown", "sign_on", "did not answer", "length_header"),
    ("58", True, "declined", "sign_on", "58", "ask it what its code means"),
    ("00", False, "unknown", "echo", "did not answer", "answers echoes"),
])
def test_a_bank_that_does_not_take_us(sign_on, echo, outcome, step, words, advice):
    bank = Rogue(sign_on=sign_on, echo=echo)
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", sign_on_timeout_ms=300, echo_timeout_ms=300)
    answer = driver.ask("test")
    last = list(steps_of(answer).values())[-1]
    assert answer["outcome"] == outcome and last["step"] == step and words in last["detail"] and advice in last["advice"]
    driver.process.kill()
    bank.close()


def test_the_deadline_of_a_test():
    server = socket.create_server(("127.0.0.1", 0))  # takes connections and never says a word
    driver = Driver(server.getsockname()[1], sign_on_timeout_ms=20000)
    answer = driver.ask("test", seconds=0.5)
    assert answer["outcome"] == "unknown" and "time" in steps_of(answer)["sign_on"]["detail"]
    driver.process.kill()
    server.close()


def test_one_at_a_time(bank):
    server = socket.create_server(("127.0.0.1", 0))
    driver = Driver(server.getsockname()[1])
    first = driver.send("test", seconds=1)
    assert driver.ask("test")["outcome"] == "not_sent"
    driver.wait(first)
    driver.process.kill()
    server.close()
