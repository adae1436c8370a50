"""Money that goes back, and what the bank's books say of it."""

import csv
import io

import pytest

from parts import Bank, Driver


@pytest.fixture(scope="module", params=["request", "advice"])
def own(request, tmp_path_factory):
    """A bank of its own, so that its books hold these payments alone; refunds asked for, or told."""
    bank = Bank(ledger=tmp_path_factory.mktemp("bank") / "ledger")
    driver = Driver(bank.port, refund=request.param).up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.stop()


def settled(bank):
    text = bank.get("settlement.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    return ([row for row in rows if row["date"] != "total"],
            {row["currency"]: int(row["amount_minor"]) for row in rows if row["date"] == "total"})


def of_payment(bank, request):
    rows, _ = settled(bank)
    return [(row["kind"], int(row["amount_minor"])) for row in rows if row["rrn"] == request["rrn"]]


def test_a_refund_in_parts_never_more_than_was_captured(own):
    request, answer = own.pay(amount=1000)
    assert own.advise("refund", request, answer, amount=1)["response_code"] == "12"  # nothing captured yet
    assert own.advise("capture", request, answer, amount=900)["outcome"] == "approved"
    first = own.advise("refund", request, answer, amount=300)
    assert first["outcome"] == "approved" and first["approval_code"]
    assert own.advise("refund", request, answer, amount=601)["response_code"] == "13"
    assert own.advise("refund", request, answer, amount=600)["outcome"] == "approved"
    assert own.advise("refund", request, answer, amount=1)["response_code"] == "13"
    assert of_payment(own.bank, request) == [("capture", 900), ("refund", 300), ("refund", 600)]
    entry = own.bank.entries()[-1]
    assert (entry["captured"], entry["refunded"], entry["held"]) == (900, 900, 0)


def test_a_repeat_of_a_refund_is_answered_alike_and_booked_once(own):
    request, answer = own.paid(amount=1000)
    first = own.send("refund", amount=400, rrn=request["rrn"], original={
        "mti": "0100", "stan": request["stan"], "sent_at": request["sent_at"], "amount": 1000})
    approval = own.wait(first)["approval_code"]
    again = own.advise("refund", request, answer, amount=400, stan=first["stan"], sent_at="0101000000", repeat=True)
    assert again["outcome"] == "approved" and again["approval_code"] == approval
    assert of_payment(own.bank, request) == [("capture", 1000), ("refund", 400)]
    other = own.advise("refund", request, answer, amount=400)  # another one, of the same amount
    assert other["approval_code"] != approval
    assert of_payment(own.bank, request) == [("capture", 1000), ("refund", 400), ("refund", 400)]


def test_a_refund_of_nothing(own):
    request, answer = own.pay(amount=500)
    lost = own.advise("refund", {**request, "stan": "999999"}, answer)
    assert lost["outcome"] == "declined" and lost["no_original"] is True
    other = own.advise("refund", {**request, "card": {"number": "5555555555554444"}}, answer)
    assert other["no_original"] is True
    assert own.advise("refund", request, answer, amount=501)["outcome"] == "not_sent"
    assert own.advise("refund", request, answer, amount=0)["outcome"] == "not_sent"
    assert of_payment(own.bank, request) == []


def test_a_payment_in_one_message_is_captured_and_can_be_taken_back(own):
    request, answer = own.pay(amount=700, single_message=True)
    assert answer["outcome"] == "approved"
    assert of_payment(own.bank, request) == [("capture", 700)]
    assert own.advise("reverse", request, answer)["outcome"] == "approved"
    assert of_payment(own.bank, request) == []
    assert own.advise("reverse", request, answer, repeat=True)["outcome"] == "approved"
    kept, answer = own.pay(amount=800, single_message=True)
    assert own.advise("refund", kept, answer, amount=100)["outcome"] == "approved"
    assert own.advise("reverse", kept, answer)["response_code"] == "21"


def test_after_a_capture_in_part_the_rest_goes_or_waits_for_its_reversal(own):
    request, answer = own.pay(amount=1000)
    assert own.advise("capture", request, answer, amount=600)["outcome"] == "approved"
    assert own.bank.entries()[-1]["held"] == 0
    assert own.advise("reverse", request, answer, amount=400)["outcome"] == "approved"
    own.bank.post("line", keeps_rest=True)
    request, answer = own.pay(amount=1000)
    assert own.advise("capture", request, answer, amount=600)["outcome"] == "approved"
    assert own.bank.entries()[-1]["held"] == 400
    assert own.advise("reverse", request, answer, amount=400)["outcome"] == "approved"
    assert own.advise("reverse", request, answer, amount=400, repeat=True)["outcome"] == "approved"
    entry = own.bank.entries()[-1]
    assert (entry["state"], entry["held"], entry["captured"], entry["reversed"]) == ("captured", 0, 600, 400)
    assert own.advise("reverse", request, answer)["response_code"] == "21"
    own.bank.post("line", keeps_rest=False)


def test_the_settlement_file_adds_up_and_outlives_the_bank(tmp_path):
    ledger = tmp_path / "ledger"
    bank = Bank(ledger=ledger)
    driver = Driver(bank.port).up()
    for currency, amounts in (("643", (1000, 2500)), ("978", (300,))):
        for amount in amounts:
            request, answer = driver.pay(amount=amount, currency=currency)
            assert driver.advise("capture", request, answer, currency=currency)["outcome"] == "approved"
    assert driver.advise("refund", request, answer, amount=100, currency="643")["response_code"] == "12"
    assert driver.advise("refund", request, answer, amount=100, currency=currency)["outcome"] == "approved"
    rows, totals = settled(bank)
    assert totals == {"643": 3500, "978": 200}
    assert rows[-1]["kind"] == "refund" and rows[-1]["approval_code"] and rows[-1]["merchant"] == "MERCHANT0000001"
    assert [row["rrn"] for row in rows][-2:] == [request["rrn"]] * 2
    text = bank.get("settlement.csv")
    assert bank.get(f"settlement.csv?date={rows[0]['date']}").count("capture") >= 1
    assert bank.get("settlement.csv?date=1999-01-01").count("\n") == 1
    driver.stop()
    bank.stop()
    assert (tmp_path / "ledger.settlement.csv").read_text() == text
    bank = Bank(ledger=ledger)
    assert bank.get("settlement.csv") == text
    bank.stop()
