"""What can be asked of the driver, against the sandbox bank in each of its dialects."""

import base64
import re
import time

import pytest

from parts import GOOD


def test_a_link_a_payment_a_capture(each_line):
    driver = each_line
    link = driver.verify()
    assert link["outcome"] == "approved" and link["cvc_check"] == "pass" and link["response_code"] in ("00", "000", "0000")
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


def test_the_way_of_a_payment_in_each_dialect(each_line):
    driver = each_line
    request, answer = driver.pay(amount=1000)
    assert driver.advise("reverse", request, answer, amount=400)["outcome"] == "approved"
    assert driver.advise("capture", request, answer, amount=601)["outcome"] == "declined"
    assert driver.advise("capture", request, answer, amount=600)["outcome"] == "approved"
    assert driver.advise("capture", request, answer, amount=600, repeat=True)["outcome"] == "approved"
    assert driver.advise("refund", request, answer, amount=601)["outcome"] == "declined"
    assert driver.advise("refund", request, answer, amount=600)["outcome"] == "approved"
    request, answer = driver.pay(amount=500, single_message=True)
    assert answer["outcome"] == "approved"
    assert driver.advise("reverse", request, answer)["outcome"] == "approved"
    stranger = driver.advise("reverse", {**request, "stan": "999999"}, {})
    assert stranger["no_original"] is True and stranger["outcome"] == "declined"
    assert driver.pay(initiator="merchant")[1]["outcome"] == "approved"
    assert driver.verify("4000000000000127")["decline_code"] == "incorrect_cvc"
    assert driver.pay("4000000000009995")[1]["decline_code"] == "insufficient_funds"
    assert driver.pay("4000002760003184")[1]["authentication_required"] is True


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
