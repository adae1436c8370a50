"""What goes wrong between driver and bank, against the sandbox bank's fault cards and a bank that comes and goes."""

import urllib.error

import pytest

from parts import Bank, Driver, free_port


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


@pytest.mark.parametrize("dialect, own, told", [("1987-bcd", None, "51"), ("1993-bcd", "208", "116"), ("cmf", "2008", "1016")])
def test_the_bank_refuses_with_any_code_of_its_edition(dialect, own, told):
    """Two characters of 1987 are told in the edition's own code; three or four digits leave as they are."""
    bank = Bank(f"dialect={dialect}")
    driver = Driver(bank.port, dialect=dialect).up()
    for code, on_the_wire, decline_code in (("51", told, "insufficient_funds"), (own, own, "lost_card")):
        if code:
            bank.post("line", next_count=1, next_code=code)
            answer = driver.verify()
            assert (answer["outcome"], answer["response_code"], answer["decline_code"]) == ("declined", on_the_wire, decline_code)
    for bad in ("000", "0000", "12345", "2X8", "20 8") + (("208",) if dialect != "1993-bcd" else ("2008",)):
        with pytest.raises(urllib.error.HTTPError):
            bank.post("line", next_code=bad)
    driver.stop()
    bank.stop()
