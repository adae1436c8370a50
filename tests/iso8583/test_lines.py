"""Several connections, terminals, numbers, keys of matching, headers, and what the bank says on its own."""

import time

import pytest

from parts import Bank, Driver, Rogue, answer_to, pack, unpack

ASCII = {"dialect": "1987-ascii", "length_header": "ascii4"}


def wait_until(condition, seconds=8):
    end = time.time() + seconds
    while not condition() and time.time() < end:
        time.sleep(0.01)
    assert condition()


def test_several_lines_share_the_work_and_one_that_breaks_is_made_anew():
    bank = Bank()
    driver = Driver(bank.port, lines=4).up()
    wait_until(lambda: bank.get("line")["connections"] == 4)
    many = [driver.send("verify", cvc="123", seconds=20) for _ in range(400)]
    assert all(driver.wait(one, 20)["outcome"] == "approved" for one in many)
    _, answer = driver.pay("4000000000005258")  # hangs up this one line
    assert answer["outcome"] == "unknown"
    assert driver.verify()["outcome"] == "approved"
    wait_until(lambda: bank.get("line")["connections"] == 4)
    assert [own["state"] for own in driver.own] == ["up"], "the connection was up all the time"
    bank.post("line", hang_up=True)
    with driver.news:
        assert driver.news.wait_for(lambda: [own["state"] for own in driver.own] == ["up", "down", "up"], 8)
    driver.stop()
    bank.stop()


def test_a_line_that_breaks_takes_only_its_own_requests_along():
    bank = Bank(late_ms=1500)
    driver = Driver(bank.port, lines=2).up()
    wait_until(lambda: bank.get("line")["connections"] == 2)
    cards = {number: driver.verify(number)["network_transaction_id"] for number in ("4000000000005217", "4000000000005258")}
    late, breaks = (driver.send("authorize", number, amount=100, credential="stored", network_transaction_id=cards[number])
                    for number in cards)  # lines take turns
    assert driver.wait(breaks)["outcome"] == "unknown"
    assert driver.wait(late)["outcome"] == "approved"
    driver.stop()
    bank.stop()


@pytest.fixture
def own_line(request):
    bank = Rogue()
    driver = Driver(bank.port, **{**ASCII, **request.param}).up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.close()


@pytest.mark.parametrize("own_line", [{"terminals": "SHOP0007-SHOP0009,KIOSK"}], indirect=True)
def test_a_payment_keeps_its_terminal(own_line):
    seen = set()
    for number in range(40):
        rrn = f"6328150{number:05d}"
        terminals = []
        for op, members in (("authorize", {"credential": "first"}),
                            ("reverse", {"original": {"mti": "0100", "stan": "000001", "sent_at": "1123101500"}}),
                            ("refund", {"original": {"mti": "0100", "stan": "000001", "sent_at": "1123101500"}})):
            request = own_line.send(op, amount=100, rrn=rrn, **members)
            mti, fields = own_line.bank.next()
            terminals.append(fields[41])
            own_line.bank.send(answer_to(mti, fields))
            assert own_line.wait(request)["outcome"] == "approved"
        assert len(set(terminals)) == 1
        seen.add(terminals[0])
    assert seen == {"SHOP0007", "SHOP0008", "SHOP0009", "KIOSK   "}


@pytest.mark.parametrize("own_line", [{"advice_stan": "original", "original_data": False, "reversal": "request"}], indirect=True)
def test_numbers_by_the_banks_rules(own_line):
    original = {"mti": "0100", "stan": "000777", "sent_at": "1123101500", "amount": 100}
    request = own_line.send("reverse", amount=100, original=original)
    mti, fields = own_line.bank.next()
    assert mti == "0400" and fields[11] == "000777" and 90 not in fields
    own_line.bank.send(answer_to(mti, fields))
    answer = own_line.wait(request)
    assert answer["outcome"] == "approved" and answer["stan"] == request["stan"], "onfile hears its own number"
    request = own_line.send("reverse", amount=100, original=original, repeat=True)
    assert own_line.bank.next()[0] == "0401"


@pytest.mark.parametrize("own_line, kept", [({"match": "37"}, (37,)), ({"match": "11,41"}, (11, 41)), ({"match": "11"}, (11,)),
                                            ({"match": "37,7"}, (7, 37))], indirect=["own_line"])
def test_answers_are_matched_by_the_keys_of_the_bank(own_line, kept):
    requests, messages = [], []
    for _ in range(5):
        requests.append(own_line.send("verify", seconds=20))
        messages.append(own_line.bank.next())
    for mti, fields in reversed(messages):
        own_line.bank.send(pack("0110", {**{number: fields[number] for number in kept}, 39: "00", 38: f"A{fields[11][1:]}"}))
    for request in requests:
        assert own_line.wait(request)["approval_code"] == f"A{request['stan'][1:]}"
    # A second one with the same key is refused.
    first = own_line.send("verify", seconds=20)
    second = own_line.ask("verify", stan=first["stan"], sent_at=first["sent_at"], rrn=first["rrn"])
    assert second["outcome"] == "not_sent" and "under way" in second["detail"]
    mti, fields = own_line.bank.next()
    own_line.bank.send(answer_to(mti, fields))
    own_line.wait(first)


@pytest.mark.parametrize("own_line", [{}], indirect=True)
@pytest.mark.parametrize("code, answer", [("001", "00"), ("201", "00"), ("202", "00"), ("301", "00"), ("161", "40"), ("999", "40")])
def test_what_the_bank_may_ask(own_line, code, answer):
    own_line.bank.send(pack("0800", {7: "1123101500", 11: "000042", 70: code}))
    mti, fields = own_line.bank.next()
    assert mti == "0810" and fields[39] == answer and fields[70] == code
    request = own_line.send("verify")
    mti, fields = own_line.bank.next()
    own_line.bank.send(answer_to(mti, fields))
    assert own_line.wait(request)["outcome"] == "approved"


@pytest.mark.parametrize("own_line", [{}], indirect=True)
def test_a_bank_that_signs_off_is_left_and_found_again(own_line):
    own_line.bank.send(pack("0800", {7: "1123101500", 11: "000042", 70: "002"}))
    assert own_line.bank.next()[1][39] == "00"
    assert "signed off" in own_line.wait_own(lambda own: own.get("state") == "down")["detail"]
    with own_line.news:
        assert own_line.news.wait_for(lambda: own_line.own[-1].get("state") == "up" and own_line.bank.connections == 2, 8)


@pytest.mark.parametrize("own_line", [{}], indirect=True)
def test_advices_and_requests_of_the_bank_are_left_alone(own_line):
    for mti in ("0120", "0100", "0420", "0600"):
        own_line.bank.send(pack(mti, {7: "1123101500", 11: "000042", 41: "TERM0001"}))
    request = own_line.send("verify")
    mti, fields = own_line.bank.next()
    assert mti == "0100" and fields[11] == request["stan"], "nothing was answered"
    own_line.bank.send(answer_to(mti, fields))
    assert own_line.wait(request)["outcome"] == "approved"


def test_the_sandbox_bank_cuts_over_and_leaves(tmp_path):
    ledger = tmp_path / "ledger"
    bank = Bank(ledger=ledger)
    driver = Driver(bank.port).up()
    driver.paid(amount=1000)
    bank.post("line", say="201")
    assert "1000,643" in (tmp_path / "ledger.settlement.csv").read_text()
    wait_until(lambda: any(b"cut_over" in line for line in driver.log))
    assert driver.verify()["outcome"] == "approved"
    bank.post("line", say="002")
    driver.wait_own(lambda own: own.get("state") == "down")
    with driver.news:
        assert driver.news.wait_for(lambda: driver.own[-1].get("state") == "up", 8)
    driver.stop()
    bank.stop()


def test_a_fixed_header_on_both_sides():
    bank = Bank("header=binary4,inclusive=yes,tpdu=yes,fixed=49534f303236303030303130")
    driver = Driver(bank.port, length_header="binary4", length_inclusive=True, tpdu="6000030001",
                    fixed_header="49534f303236303030303130").up()
    request, answer = driver.pay()
    assert answer["outcome"] == "approved"
    driver.stop()
    bank.stop()


@pytest.mark.parametrize("parameters, words", [
    ({"terminals": "TERM1-SHOP2"}, "terminals"), ({"terminals": ""}, "terminals"), ({"terminals": "TERM0009-TERM0001"}, "terminals"),
    ({"terminals": "A" * 9}, "terminals"), ({"match": "7,41"}, "match"), ({"match": "11,11"}, "match"), ({"match": "4"}, "match"),
    ({"lines": 0}, "lines"), ({"lines": 17}, "lines"), ({"fixed_header": "4"}, "fixed_header"), ({"test_card": "42 12/39"}, "test_card"),
    ({"reversal": "letter"}, "reversal"), ({"host": "bank.example.com", "plain_network": "refused"}, "tls"),
])
def test_rules_that_cannot_be_meant(parameters, words):
    driver = Driver(**{"port": 1, **parameters})
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert words in down["detail"]
    assert driver.process.wait(5) == 2
