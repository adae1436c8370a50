"""The jPOS CMF (ISO 8583:2003): every field that the driver sends, seen by a host with a codec of its own; result codes."""

import base64

import pytest

from cmf import Host, answer_to, dataset, pack, with_length
from parts import GOOD, Bank, Driver

TYPED = bytes.fromhex("04000000020000001000000001000000")
ON_FILE = bytes.fromhex("40000000020000009000000001000000")
ALONE = bytes.fromhex("40000000020000008000000001000000")
TRACE = "123456789012345"
LIFE_CYCLE = b"1" + TRACE.encode() + bytes(3)
NAME = bytes.fromhex("4000000000000000") + with_length("?????, ??????")


@pytest.fixture
def host():
    host = Host()
    driver = Driver(host.port, dialect="cmf", country="643", mcc="5411").up()
    driver.bank = host
    yield driver
    driver.stop()
    host.close()
    assert host.network[0][24] == "801" and host.network[-1][24] == "802"
    assert set(host.network[0]) == {7, 11, 12, 24} and host.network[0][12].startswith("20")


def common(request):
    return {2: GOOD, 3: "000000", 4: f"6432{request['amount']:012d}", 7: request["sent_at"], 11: "000000" + request["stan"],
            12: "20" + request["local_at"], 14: "3012", 19: "643", 26: "5411", 32: "400123", 37: request["rrn"],
            41: "TERM0001".ljust(16), 42: "MERCHANT0000001", 43: NAME}


def test_every_field_of_a_verification(host):
    request = host.send("verify", cvc="123")
    mti, fields = host.bank.next()
    assert mti == "2100"
    assert fields == {**common(request), 3: "330000", 22: TYPED, 24: "113", 34: dataset(0x74, (2, b"0")),
                      49: dataset(0x71, (2, bytes.fromhex("0123")))}
    host.bank.send(answer_to(mti, fields, de38="AB12", de39="0885", de21=LIFE_CYCLE, de49=dataset(0x72, (3, b"M "))))
    assert host.wait(request) == {
        "id": request["id"], "outcome": "approved", "response_code": "0885", "cvc_check": "pass", "approval_code": "AB12",
        "network_transaction_id": TRACE, "rrn": request["rrn"], "stan": request["stan"]}


def test_every_field_of_a_payment_with_proof(host):
    value = bytes(range(20))
    proof = {"version": "2.2.0", "eci": "05", "value": base64.b64encode(value).decode(),
             "ds_transaction": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}
    for single, initiator in ((False, "merchant"), (True, "customer")):
        request = host.send("authorize", amount=15000, credential="stored", initiator=initiator, single_message=single,
                            network_transaction_id=TRACE, authentication=proof)
        mti, fields = host.bank.next()
        assert mti == ("2200" if single else "2100")
        party, how = (b"1", ALONE) if initiator == "merchant" else (b"0", ON_FILE)
        assert fields == {
            **common(request), 21: LIFE_CYCLE, 22: how, 24: "200" if single else "100",
            34: dataset(0x73, (6, value), (8, with_length("2.2.0")), (18, with_length(proof["ds_transaction"])))
            + dataset(0x74, (2, party))}
        host.bank.send(answer_to(mti, fields, de39="0002", de4="6432000000005000"))
        answer = host.wait(request)
        assert answer["outcome"] == "approved" and answer["amount"] == 5000 and answer["currency"] == "643"


ORIGINAL = {"mti": "0100", "stan": "000007", "sent_at": "1123101500", "local_at": "261123131500", "amount": 1000,
            "approval_code": "AB12", "network_transaction_id": TRACE}
NAMED = "2100" + "000000000007" + "20261123131500" + "400123"
WAS = "6432000000001000" + "0" * 16


@pytest.mark.parametrize("op, members, type_, more", [
    ("capture", {"amount": 1000}, "2220", {22: ALONE, 24: "201", 25: "1004", 38: "AB12  ", 39: "0000"}),
    ("capture", {"amount": 900}, "2220", {22: ALONE, 24: "202", 25: "1004", 30: WAS, 38: "AB12  ", 39: "0000"}),
    ("reverse", {"amount": 1000}, "2420", {24: "400", 25: "4000", 38: "AB12  "}),
    ("reverse", {"amount": 400, "repeat": True}, "2421", {24: "401", 25: "4000", 30: WAS, 38: "AB12  "}),
    ("reverse", {"amount": 1000, "original": {**ORIGINAL, "approval_code": None}}, "2420", {24: "400", 25: "4021"}),
    ("refund", {"amount": 400}, "2200", {3: "200000", 22: ALONE, 24: "200", 38: "AB12  "}),
])
def test_every_field_of_what_follows(host, op, members, type_, more):
    request = host.send(op, **{"original": ORIGINAL, **members})
    mti, fields = host.bank.next()
    assert mti == type_ and fields == {**common(request), 21: LIFE_CYCLE, 56: NAMED, **more}
    host.bank.send(answer_to(mti, fields))
    answer = host.wait(request)
    assert answer["outcome"] == "approved" and answer["stan"] == request["stan"]


@pytest.mark.parametrize("code, outcome, decline_code", [
    ("0000", "approved", None), ("1016", "declined", "insufficient_funds"), ("1067", "declined", "authentication_required"),
    ("1045", "declined", "incorrect_cvc"), ("2008", "declined", "lost_card"), ("7777", "declined", "generic_decline"),
    ("4000", "unknown", None), ("8000", "unknown", None), ("9000", "unknown", None), ("1824", "declined", "generic_decline"),
])
def test_result_codes(host, code, outcome, decline_code):
    request = host.send("authorize", amount=100)
    mti, fields = host.bank.next()
    host.bank.send(answer_to(mti, fields, de39=code))
    answer = host.wait(request)
    assert answer["outcome"] == outcome and answer.get("decline_code") == decline_code


def test_a_reversal_that_was_done_before_is_done(host):
    request = host.send("reverse", amount=1000, original=ORIGINAL, repeat=True)
    mti, fields = host.bank.next()
    host.bank.send(answer_to(mti, fields, de39="1824"))
    assert host.wait(request)["outcome"] == "approved"


@pytest.mark.parametrize("amount", ["6430000000000100", "0002000000000100"])
def test_an_amount_with_other_decimals_approves_nothing(host, amount):
    request = host.send("authorize", amount=100)
    mti, fields = host.bank.next()
    host.bank.send(answer_to(mti, fields, de4=amount))
    answer = host.wait(request)
    assert answer["outcome"] == "unknown" and "decimals" in answer["detail"]


def test_decimals_are_those_of_the_currency(host):
    for currency, decimals, amount in (("392", "0", 500), ("414", "3", 1234)):
        request = host.send("authorize", amount=amount, currency=currency)
        mti, fields = host.bank.next()
        assert fields[4] == f"{currency}{decimals}{amount:012d}"
        host.bank.send(answer_to(mti, fields))
        answer = host.wait(request)
        assert answer["amount"] == amount and answer["currency"] == currency
    request = host.send("authorize", amount=1, currency="999")
    answer = host.wait(request)
    assert answer["outcome"] == "not_sent" and "decimals" in answer["detail"]


def test_the_number_of_another_message_is_not_ours(host):
    request = host.send("authorize", amount=100, seconds=0.7)
    mti, fields = host.bank.next()
    host.bank.send(answer_to(mti, fields, de11="1" + fields[11][1:]))
    assert host.wait(request)["outcome"] == "unknown"


def test_the_bank_asks(host):
    for code, said in (("821", "0000"), ("831", "0000"), ("811", "1015")):
        host.bank.send(pack("2804", {7: "1127120000", 11: "000000000001", 12: "20261127120000", 24: code}))
        mti, fields = host.bank.next()
        assert mti == "2814" and fields[39] == said and fields[24] == code


@pytest.mark.parametrize("kind, key", [("retail", "0123456789abcdeffedcba9876543210"), ("cmac", "00" * 31 + "01")])
def test_a_mac_of_four_bytes(kind, key):
    bank = Bank(f"dialect=cmf,mac={kind}:{key}")
    driver = Driver(bank.port, dialect="cmf", mac=kind, mac_key=key).up()
    request, answer = driver.pay()
    assert answer["outcome"] == "approved"
    bank.post("cards", number=GOOD, payment_fault="wrong_mac")
    request, answer = driver.pay()
    assert answer["outcome"] == "unknown" and "MAC" in answer["detail"]
    driver.stop()
    bank.stop()


def test_cut_over_and_sign_off_of_the_sandbox_bank():
    bank = Bank("dialect=cmf")
    driver = Driver(bank.port, dialect="cmf").up()
    bank.post("line", say="201")
    assert driver.verify()["outcome"] == "approved"
    bank.post("line", say="002")
    driver.wait_own(lambda line: line.get("state") == "down")
    driver.up().stop()
    bank.stop()
