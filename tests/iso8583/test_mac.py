"""Message authentication: both sides check, and an answer whose code is wrong or missing approves nothing."""

import pytest

from parts import Bank, Driver, Rogue, answer_to, pack

KEY = "0123456789abcdeffedcba9876543210"
ANY = {"retail": {"mac": "retail", "mac_key": KEY}, "cmac": {"mac": "cmac", "mac_key": KEY},
       "cmac256": {"mac": "cmac", "mac_key": KEY * 2}}


@pytest.mark.parametrize("dialect", ["1987-bcd", "1987-ascii"])
@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("kind", ANY)
def test_both_sides_agree(kind, network, dialect):
    parameters = ANY[kind]
    bank = Bank(f"dialect={dialect},mac={parameters['mac']}:{parameters['mac_key']},mac_network={'yes' if network else 'no'}")
    driver = Driver(bank.port, mac_network=network, dialect=dialect, **parameters).up()
    request, answer = driver.pay()
    assert answer["outcome"] == "approved"  # DE64
    assert driver.advise("capture", request, answer)["outcome"] == "approved"  # DE90 is there: DE128
    assert driver.advise("refund", request, answer, amount=1)["outcome"] == "approved"
    assert driver.ask("test")["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_a_wrong_code_approves_nothing():
    bank = Bank(f"mac=retail:{KEY}")
    driver = Driver(bank.port, **ANY["retail"]).up()
    bank.post("cards", number="4242424242424242", payment_fault="wrong_mac")
    request, answer = driver.pay()
    assert answer["outcome"] == "unknown" and "MAC" in answer["detail"] and "approval_code" not in answer
    assert driver.advise("reverse", request, answer)["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_another_key_is_no_key():
    bank = Bank(f"mac=cmac:{KEY}")
    driver = Driver(bank.port, mac="cmac", mac_key="00" * 16).up()
    answer = driver.verify(seconds=0.7)
    assert answer["outcome"] == "unknown"  # the bank does not even answer
    assert bank.get("ledger")["totals"]["verifications"] == 0
    driver.stop()
    bank.stop()


@pytest.fixture
def line():
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", **ANY["cmac"]).up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.close()


def test_codes_that_are_not_there_or_not_right(line):
    replayed = None
    for spoil in ("none", "invented", "replayed", "misplaced"):
        request = line.send("verify", cvc="123", seconds=20)
        mti, fields = line.bank.next()
        assert len(fields[64]) == 16
        replayed = replayed or fields[64]
        more = {"none": {}, "invented": {"de64": "0" * 16}, "replayed": {"de64": replayed},
                "misplaced": {"de64": replayed, "de90": "0" * 42}}[spoil]
        line.bank.send(answer_to(mti, fields, **more))
        answer = line.wait(request)
        assert answer["outcome"] == "unknown" and "MAC" in answer["detail"], spoil


@pytest.mark.parametrize("mac_network", [True, False])
def test_sign_on_without_a_code_is_none_where_there_should_be_one(mac_network):
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", mac_network=mac_network, **ANY["retail"])
    own = driver.wait_own(lambda own: "state" in own)
    assert own["state"] == ("down" if mac_network else "up")
    assert not mac_network or "MAC" in own["detail"]
    driver.process.kill()
    bank.close()


@pytest.mark.parametrize("parameters, words", [
    ({"mac": "retail"}, "mac_key"), ({"mac_key": KEY}, "mac"), ({"mac": "retail", "mac_key": KEY * 2}, "32"),
    ({"mac": "cmac", "mac_key": "xyz"}, "mac_key"), ({"mac": "des", "mac_key": KEY}, "mac"),
])
def test_keys_that_cannot_be_used(parameters, words):
    driver = Driver(1, **parameters)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert words in down["detail"] and KEY not in down["detail"]
    assert driver.process.wait(5) == 2
