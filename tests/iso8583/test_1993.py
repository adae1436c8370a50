"""ISO 8583:1993: every field that the driver sends, seen by a bank with a codec of its own; action codes; dialects that the
driver cannot build messages for."""

import base64
import re

import pytest

from parts import GOOD, ROOT, Bank, Driver, Rogue, answer_to, pack

TEXT = (ROOT / "src/lib/iso8583/dialects/1993-bcd.dialect").read_text()
# The same fields in characters, which the bank of a few lines can read.
ASCII = re.sub(r"(?m)^default .*\n", "", TEXT).replace("mti bcd", "mti ascii").replace("bitmap binary", "bitmap hex").replace(
    "dialect 1993-bcd", "dialect mine")


@pytest.fixture
def rogue():
    bank = Rogue()
    driver = Driver(bank.port, dialect=ASCII, length_header="ascii4", country="643", mcc="5411").up()
    driver.bank = bank
    yield driver
    driver.stop()
    assert bank.network[0] == "801" and bank.network[-1] == "802"
    bank.close()


def common(request):
    return {2: GOOD, 3: "000000", 7: request["sent_at"], 11: request["stan"], 12: request["local_at"], 14: "3012", 19: "643",
            26: "5411", 32: "400123", 37: request["rrn"], 41: "TERM0001", 42: "MERCHANT0000001", 43: "?????, ??????",
            49: "643"}


def test_every_field_of_a_verification(rogue):
    request = rogue.send("verify", cvc="123")
    mti, fields = rogue.bank.next()
    assert mti == "1100"
    assert fields == {**common(request), 4: "0" * 12, 22: "100550100000", 24: "108", 48: "0101C" + "0201F" + "2003123"}
    rogue.bank.send(answer_to(mti, fields, de38="AB12  ", de48="2101M0315123456789012345"))
    answer = rogue.wait(request)
    assert answer == {"id": request["id"], "outcome": "approved", "response_code": "000", "cvc_check": "pass",
                      "approval_code": "AB12", "network_transaction_id": "123456789012345", "rrn": request["rrn"],
                      "stan": request["stan"]}


def test_every_field_of_a_payment_with_proof(rogue):
    proof = {"version": "2.2.0", "eci": "05", "value": base64.b64encode(bytes(range(20))).decode(),
             "ds_transaction": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}
    for single in (False, True):
        request = rogue.send("authorize", amount=15000, credential="stored", initiator="merchant", single_message=single,
                             network_transaction_id="123456789012345", authentication=proof)
        mti, fields = rogue.bank.next()
        assert mti == ("1200" if single else "1100")
        assert fields == {**common(request), 4: "000000015000", 22: "100040A00000", 24: "200" if single else "100",
                          48: "0101M0201S0315123456789012345" + "10052.2.0" + "110205" + f"1228{proof['value']}"
                              + f"1336{proof['ds_transaction']}"}
        rogue.bank.send(answer_to(mti, fields, de39="002", de4="000000005000"))
        answer = rogue.wait(request)
        assert answer["outcome"] == "approved" and answer["amount"] == 5000 and answer["response_code"] == "002"


ORIGINAL = {"mti": "0100", "stan": "000007", "sent_at": "1123101500", "local_at": "261123131500", "amount": 1000,
            "approval_code": "AB12"}
NAMED = "1100" + "000007" + "261123131500" + "06400123"


@pytest.mark.parametrize("op, members, type_, more", [
    ("capture", {"amount": 1000}, "1220", {4: "000000001000", 24: "201", 38: "AB12  "}),
    ("capture", {"amount": 900}, "1220", {4: "000000000900", 24: "202", 30: "000000001000" + "0" * 12, 38: "AB12  "}),
    ("reverse", {"amount": 1000}, "1420", {4: "000000001000", 24: "400", 25: "4000", 38: "AB12  "}),
    ("reverse", {"amount": 400, "repeat": True}, "1421",
     {4: "000000000400", 24: "401", 25: "4000", 30: "000000001000" + "0" * 12, 38: "AB12  "}),
    ("reverse", {"amount": 1000, "original": {**ORIGINAL, "approval_code": None}}, "1420",
     {4: "000000001000", 24: "400", 25: "4021"}),
    ("refund", {"amount": 400}, "1200", {3: "200000", 4: "000000000400", 24: "200", 38: "AB12  "}),
])
def test_every_field_of_what_follows(rogue, op, members, type_, more):
    request = rogue.send(op, **{"original": ORIGINAL, **members})
    mti, fields = rogue.bank.next()
    assert mti == type_ and fields == {**common(request), 56: NAMED, **more}
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait(request)["outcome"] == "approved"


def test_an_original_without_its_local_time_is_not_sent(rogue):
    request = rogue.send("reverse", amount=1, original={**ORIGINAL, "local_at": None})
    answer = rogue.wait(request)
    assert answer["outcome"] == "not_sent" and "local_at" in answer["detail"]


@pytest.mark.parametrize("code, outcome, decline_code", [
    ("000", "approved", None), ("116", "declined", "insufficient_funds"), ("180", "declined", "authentication_required"),
    ("208", "declined", "lost_card"), ("777", "declined", "generic_decline"), ("00 ", "unknown", None),
    ("400", "unknown", None), ("800", "unknown", None), ("900", "unknown", None),
])
def test_action_codes(rogue, code, outcome, decline_code):
    request = rogue.send("authorize", amount=100)
    mti, fields = rogue.bank.next()
    rogue.bank.send(answer_to(mti, fields, de39=code))
    answer = rogue.wait(request)
    assert answer["outcome"] == outcome and answer.get("decline_code") == decline_code


def test_an_answer_of_another_edition_is_not_taken(rogue):
    request = rogue.send("authorize", amount=100, seconds=0.7)
    mti, fields = rogue.bank.next()
    rogue.bank.send("0" + answer_to(mti, fields)[1:])
    assert rogue.wait(request)["outcome"] == "unknown"


def test_the_bank_asks(rogue):
    for code, said in (("821", "800"), ("831", "800"), ("811", "902")):
        rogue.bank.send(pack("1804", {7: "1127120000", 11: "000001", 12: "261127120000", 24: code}))
        # Its own network message is answered; the answer comes where messages of the driver come.
        mti, fields = rogue.bank.next()
        assert mti == "1814" and fields[39] == said and fields[24] == code


def test_cut_over_and_sign_off_of_the_sandbox_bank():
    bank = Bank("dialect=1993-bcd")
    driver = Driver(bank.port, dialect="1993-bcd").up()
    for code in ("201", "301"):
        bank.post("line", say=code)
        assert driver.verify()["outcome"] == "approved"
    bank.post("line", say="002")
    driver.wait_own(lambda line: line.get("state") == "down")
    driver.up()
    driver.stop()
    bank.stop()


def test_a_dialect_that_no_message_can_be_built_of_keeps_the_line_down():
    driver = Driver(1, dialect=re.sub(r"(?m)^edition .*\n", "", ASCII))
    down = driver.wait_own(lambda line: line.get("state") == "down")
    assert "cannot build messages of the dialect mine" in down["detail"] and driver.process.wait(5) == 2
