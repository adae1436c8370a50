"""No card number stays in the driver's memory after its answer."""

import base64
import os
import threading

import pytest

from parts import BUILD, LINES, Bank, Driver, luhn


def memory_of(process):
    found = []
    with open(f"/proc/{process.pid}/maps") as maps, open(f"/proc/{process.pid}/mem", "rb") as memory:
        for text in maps:
            span, rights = text.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if "r" in rights and "[v" not in text:
                try:
                    memory.seek(start)
                    found.append(memory.read(end - start))
                except (OSError, ValueError):
                    pass
    return found


def shapes_of(number):
    """What a card number may look like in memory."""
    ascii_ = number.encode()
    packed = bytes.fromhex(number + ("0" if len(number) % 2 else ""))
    shapes = {"text": ascii_, "packed": packed, "utf-16": number.encode("utf-16-le"), "utf-32": number.encode("utf-32-le")}
    for shift in range(3):  # wherever it stands in a base64 text, these are its inner characters
        encoded = base64.b64encode(bytes(shift) + ascii_)
        shapes[f"base64 {shift}"] = encoded[4 if shift else 0:-4]
    # Part of it is too much as well: what a register or a vector may have left.
    shapes |= {"first 12": ascii_[:12], "last 12": ascii_[-12:], "middle 8": ascii_[4:12]}
    return shapes


def is_sanitized():
    with open(f"{BUILD}/src/drivers/iso8583/driver-iso8583", "rb") as program:
        return b"__asan_init" in program.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the driver, which is not dumpable")
@pytest.mark.skipif(is_sanitized(), reason="the sanitizer keeps what was freed")
@pytest.mark.parametrize("name", LINES)
def test_no_card_stays_in_memory(name):
    parameters, text = LINES[name]
    bank = Bank(text)
    driver = Driver(bank.port, **parameters).up()
    number = "4100009274186353"[:15]
    number += luhn(number)
    silent = "4000000000005209"
    link = driver.verify(number)
    assert link["outcome"] == "approved"
    request = driver.send("authorize", number, amount=777, credential="stored",
                          network_transaction_id=link["network_transaction_id"])
    answer = driver.wait(request)
    assert answer["outcome"] == "approved"
    assert driver.advise("capture", request, answer)["outcome"] == "approved"
    driver.verify(number, currency="RUB")  # refused before it was sent
    driver.verify(number, cvc="9182")
    driver.pay(silent, seconds=0.3)
    many = [driver.send("verify", number, cvc="123", seconds=20) for _ in range(300)]
    for one in many:
        driver.wait(one, 20)
    threading.Event().wait(1)  # the promise is: one second after the answer
    memory = memory_of(driver.process)
    assert sum(map(len, memory)) > 1 << 20
    assert any(b"MERCHANT" in part or b"line_up" in part for part in memory), "the hunt sees nothing at all"
    for hunted in (number, silent):
        for shape, wanted in shapes_of(hunted).items():
            if hunted == silent and len(wanted) < 16 and shape != "packed":
                continue  # its parts are zeros
            for part in memory:
                at = part.find(wanted)
                assert at < 0, f"{shape} of a card number is in memory: {part[max(0, at - 60):at + 60]}"
    for wanted in (b'"cvc"', b"2003123", b"20049182", b'"9182"'):
        for part in memory:
            at = part.find(wanted)
            assert at < 0, f"{wanted} is in memory: {part[max(0, at - 60):at + 60]}"
    for log in driver.log:
        assert number.encode() not in log
    driver.stop()
    bank.stop()
