"""Every field that the driver sends, seen by a bank with a codec of its own."""

import base64

from parts import GOOD, answer_to


def test_every_field_of_a_verification(rogue):
    request = rogue.send("verify", cvc="123")
    mti, fields = rogue.bank.next()
    assert mti == "0100"
    assert fields == {2: GOOD, 3: "000000", 4: "0" * 12, 7: request["sent_at"], 11: request["stan"],
                      12: request["local_at"][6:], 13: request["local_at"][2:6], 14: "3012", 18: "5411", 19: "643",
                      22: "812", 25: "51", 32: "400123", 37: request["rrn"], 41: "TERM0001", 42: "MERCHANT0000001",
                      43: "?????, ??????".ljust(40), 48: "0101C" + "0201F" + "2003123", 49: "643"}
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


def test_every_field_of_a_refund(rogue):
    original = {"mti": "0100", "stan": "000007", "sent_at": "1123101500", "amount": 1000, "approval_code": "AB12",
                "network_transaction_id": "123456789012345"}
    request = rogue.send("refund", amount=400, original=original)
    mti, fields = rogue.bank.next()
    assert mti == "0200" and fields == {
        2: GOOD, 3: "200000", 4: "000000000400", 7: request["sent_at"], 11: request["stan"], 12: request["local_at"][6:],
        13: request["local_at"][2:6], 14: "3012", 18: "5411", 19: "643", 32: "400123", 37: request["rrn"], 38: "AB12  ",
        41: "TERM0001", 42: "MERCHANT0000001", 43: "?????, ??????".ljust(40), 48: "0315123456789012345", 49: "643",
        90: "0100" + "000007" + "1123101500" + "00000400123" + "00000000000"}
    rogue.bank.send(answer_to(mti, fields, de38="CD34EF"))
    answer = rogue.wait(request)
    assert answer["outcome"] == "approved" and answer["approval_code"] == "CD34EF" and answer["amount"] == 400
    request = rogue.send("refund", amount=400, original=original, repeat=True)
    mti, fields = rogue.bank.next()
    assert mti == "0201"
    rogue.bank.send(answer_to(mti, fields, de39="25"))
    answer = rogue.wait(request)
    assert answer["outcome"] == "declined" and answer["no_original"] is True


def test_a_payment_in_one_message(rogue):
    request = rogue.send("authorize", amount=100, single_message=True)
    mti, fields = rogue.bank.next()
    assert mti == "0200" and fields[3] == "000000"
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait(request)["outcome"] == "approved"
