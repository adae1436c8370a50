"""A bank that answers what no bank should, asks by itself, does not sign on, or does not read."""

import socket
import threading
import time

from parts import Driver, Rogue, answer_to, pack, unpack


def test_an_unreadable_answer_tells_where(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    good = answer_to(mti, fields)
    rogue.bank.send(good[:-2])  # breaks off in DE49; DE7 and DE11 have been read
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "field 49" in answer["detail"] and "cannot be read" in answer["detail"]
    rogue.bank.send(good)  # and now it comes as it should have
    assert rogue.wait_own(lambda own: "late" in own)["late"]["request"] == request["id"]


def test_answers_that_cannot_be_meant(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    rogue.bank.send(answer_to("0800", fields))  # another class: nobody's
    rogue.bank.send(answer_to(mti, {**fields, 41: "TERM0002"}))  # another terminal: nobody's
    rogue.bank.send(answer_to("0120", fields))
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "message type" in answer["detail"]
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    unsaid = answer_to(mti, fields)
    _, parts = unpack(unsaid)
    del parts[39]
    rogue.bank.send(pack("0110", parts))
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown" and "no response code" in answer["detail"]


def test_a_header_that_lies_ends_the_line(rogue):
    request = rogue.send("verify", seconds=20)
    rogue.bank.next()
    rogue.bank.line.sendall(b"9999")
    answer = rogue.wait(request)
    assert answer["outcome"] == "unknown"
    with rogue.news:
        assert rogue.news.wait_for(lambda: rogue.own[-1].get("state") == "up" and rogue.bank.connections == 2, 8)


def test_a_late_answer_on_the_next_connection(rogue):
    request = rogue.send("verify", seconds=20)
    mti, fields = rogue.bank.next()
    rogue.bank.hang_up()
    assert rogue.wait(request)["outcome"] == "unknown"
    with rogue.news:
        assert rogue.news.wait_for(lambda: rogue.own[-1].get("state") == "up" and rogue.bank.connections == 2, 8)
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait_own(lambda own: "late" in own)["late"]["outcome"] == "approved"


def test_the_bank_may_ask_for_an_echo(rogue):
    rogue.bank.send(pack("0800", {7: "1123101500", 11: "000042", 70: "301"}))
    mti, fields = rogue.bank.next()
    assert mti == "0810" and fields == {7: "1123101500", 11: "000042", 39: "00", 70: "301"}
    rogue.bank.send("")  # a keep-alive
    request = rogue.send("verify")
    mti, fields = rogue.bank.next()
    rogue.bank.send(answer_to(mti, fields))
    assert rogue.wait(request)["outcome"] == "approved"


def test_sign_on_comes_first_and_sign_off_last():
    bank = Rogue(sign_on="")
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", sign_on_timeout_ms=300)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "sign-on" in down["detail"] and driver.verify()["outcome"] == "not_sent"
    bank.sign_on = "91"
    driver.wait_own(lambda own: "refused the sign-on" in own.get("detail", ""))
    bank.sign_on = "00"
    driver.up()
    driver.stop()
    assert bank.network[-1] == "002"
    bank.close()


def test_nothing_is_sent_before_the_sign_on_was_answered():
    bank = Rogue(sign_on="")
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", sign_on_timeout_ms=20000)
    end = time.time() + 8
    while "001" not in bank.network and time.time() < end:
        threading.Event().wait(0.01)
    assert driver.verify()["outcome"] == "not_sent"
    assert bank.network == ["001"] and bank.queue.empty()
    driver.process.kill()
    bank.close()


def test_echoes_keep_the_line_and_end_a_dead_one():
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", echo_interval_s=1, echo_timeout_ms=300).up()
    deadline = time.time() + 8
    while "301" not in bank.network and time.time() < deadline:
        threading.Event().wait(0.02)
    assert "301" in bank.network and [own["state"] for own in driver.own] == ["up"]
    bank.echo = False
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "echo" in down["detail"]
    driver.stop()
    bank.close()


def test_a_bank_that_does_not_read_gets_nothing_after_the_deadline():
    """The line's buffers are full: what has not left by its deadline was not sent, and does not leave later."""
    server = socket.create_server(("127.0.0.1", 0))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    driver = Driver(server.getsockname()[1], dialect="1987-ascii", length_header="ascii4", sign_on=False, echo_interval_s=0)
    line, _ = server.accept()
    driver.up()
    requests = [driver.send("verify", seconds=3) for _ in range(8000)]
    answers = [driver.wait(request, 20) for request in requests]
    outcomes = [answer["outcome"] for answer in answers]
    assert outcomes.count("not_sent") > 0 and outcomes.count("unknown") > 0
    assert outcomes == sorted(outcomes, reverse=True), "first the sent ones, then those that were not"
    line.settimeout(2)
    got = b""
    try:
        while part := line.recv(1 << 20):
            got += part
    except (TimeoutError, ConnectionError):
        pass
    seen, at = set(), 0
    while at + 4 <= len(got) and at + 4 + int(got[at:at + 4]) <= len(got):
        length = int(got[at:at + 4])
        seen.add(unpack(got[at + 4:at + 4 + length].decode())[1][11])
        at += 4 + length
    assert seen <= {r["stan"] for r, a in zip(requests, answers) if a["outcome"] == "unknown"}
    driver.process.kill()
    line.close()
    server.close()
