"""The line in TLS: who is believed, who is not, and that nothing else changes. Certificates are made by openssl on the spot."""

import socket
import subprocess
import threading

import pytest

from parts import GOOD, Bank, Driver


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                self.pem, "-days", 30, "-subj", f"/CN={name}")

    def issue(self, name, names, days=30):
        """A certificate for these names (as subjectAltName has them): its path and its key's."""
        key, pem, request = (self.folder / f"{self.name}-{name}.{kind}" for kind in ("key", "pem", "csr"))
        extension = self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={names}\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extension, "-out", pem)
        return pem, key


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    world = {"authority": ours, "others": others, "bank": ours.issue("bank", "DNS:localhost,IP:127.0.0.1"),
             "elsewhere": ours.issue("elsewhere", "DNS:bank.example"), "expired": ours.issue("expired", "DNS:localhost", -1),
             "client": ours.issue("client", "DNS:shop.example"), "stranger": others.issue("stranger", "DNS:shop.example")}
    for path in folder.iterdir():
        path.chmod(0o644)
    return world


def line_of(world, certificate="bank", asks=False):
    pem, key = world[certificate]
    return f"certificate={pem},key={key}" + (f",authorities={world['authority'].pem}" if asks else "")


def tls_driver(bank, world, **more):
    return Driver(bank.port, **{"tls": "required", "ca_file": str(world["authority"].pem), **more})


@pytest.fixture(scope="module")
def bank(world):
    one = Bank(line_of(world))
    yield one
    one.stop()


@pytest.mark.parametrize("more", [{}, {"host": "localhost"}, {"tls_name": "localhost"}, {"tls_minimum": "1.3"}, {"lines": 3}])
def test_a_payment_through_tls(bank, world, more):
    driver = tls_driver(bank, world, **more).up()
    request, answer = driver.pay(amount=1000)
    assert answer["outcome"] == "approved"
    assert driver.advise("capture", request, answer)["outcome"] == "approved"
    many = [driver.send("verify", cvc="123", seconds=20) for _ in range(1000)]
    assert all(driver.wait(one, 20)["outcome"] == "approved" for one in many)
    driver.stop()


def test_the_test_tells_of_the_certificate(bank, world):
    driver = tls_driver(bank, world).up()
    answer = driver.ask("test")
    detail = {step["step"]: step for step in answer["steps"]}["tls"]["detail"]
    assert answer["outcome"] == "approved" and "TLSv1" in detail and "CN=bank" in detail and "CN=ours" in detail
    assert "until 20" in detail and "chain of 2" in detail
    driver.stop()


@pytest.mark.parametrize("certificate, more, advice", [
    ("bank", {"tls_name": "bank.example"}, "Set tls_name"),  # another name
    ("elsewhere", {}, "Set tls_name"),  # a name of another place
    ("expired", {"host": "localhost"}, "valid today"),
    ("bank", {"ca_file": "others"}, "Set ca_file"),  # nobody vouches for it
    ("bank", {"ca_file": None}, "Set ca_file"),  # nor does anybody of the system's
])
def test_a_bank_that_is_not_believed_gets_nothing(world, certificate, more, advice):
    if more.get("ca_file") == "others":
        more = {"ca_file": str(world["others"].pem)}
    bank = Bank(line_of(world, certificate))
    driver = tls_driver(bank, world, **more)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "certificate was not accepted" in down["detail"]
    assert driver.verify()["outcome"] == "not_sent"
    answer = driver.ask("test")
    step = answer["steps"][-1]
    assert answer["outcome"] == "not_sent" and step["step"] == "tls" and advice in step["advice"]
    assert f"; it is certificate /CN={certificate}, until 20" in step["detail"] and ", for " in step["detail"]
    assert bank.get("ledger")["totals"]["verifications"] == 0
    driver.stop()
    bank.stop()


def test_a_bank_that_wants_our_certificate(world):
    bank = Bank(line_of(world, asks=True))
    for who in (None, "stranger"):
        certificate = {} if who is None else {"client_certificate": str(world[who][0]), "client_key": str(world[who][1])}
        driver = tls_driver(bank, world, **certificate)
        driver.wait_own(lambda own: own.get("state") == "down")
        assert driver.verify()["outcome"] == "not_sent"
        step = driver.ask("test")["steps"][-1]
        assert step["failed"] and "Set client_certificate and client_key" in step["advice"], step
        driver.stop()
    driver = tls_driver(bank, world, client_certificate=str(world["client"][0]), client_key=str(world["client"][1])).up()
    assert driver.verify()["outcome"] == "approved"
    driver.stop()
    bank.stop()


def test_a_bank_that_expects_tls_and_a_line_that_has_none(world):
    bank = Bank(line_of(world))
    driver = Driver(bank.port)
    step = driver.ask("test")["steps"][-1]
    assert step["step"] == "sign_on" and "expects TLS (parameter tls)" in step["advice"], step
    driver.stop()
    bank.stop()


def test_a_bank_without_tls_gets_no_card(world):
    heard = []
    server = socket.create_server(("127.0.0.1", 0))

    def listen():
        line, _ = server.accept()
        heard.append(line.recv(65536))
        line.sendall(b"\x00\x16" + bytes(22))
        line.close()

    threading.Thread(target=listen, daemon=True).start()
    driver = Driver(server.getsockname()[1], tls="required", ca_file=str(world["authority"].pem))
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert "TLS failed" in down["detail"] and heard[0][:1] == b"\x16", "all that it heard was a handshake"
    assert driver.verify()["outcome"] == "not_sent"
    driver.process.kill()
    server.close()


@pytest.mark.parametrize("number, words", [("4000000000005241", "within a message"), ("4000000000005258", "closed"),
                                           ("4000000000005209", "deadline")])
def test_faults_are_the_same_through_tls(bank, world, number, words):
    driver = tls_driver(bank, world).up()
    request, answer = driver.pay(number, seconds=1)
    assert answer["outcome"] == "unknown" and words in answer["detail"]
    driver.stop()


@pytest.mark.parametrize("parameters, words", [
    ({"ca_file": "/nowhere/at/all.pem"}, "ca_file"), ({"client_key": "/etc/passwd"}, "go together"), ({"tls": "perhaps"}, "tls"),
    ({"tls_name": "a" * 300}, "tls_name"), ({"tls": "none"}, "tls"),
])
def test_files_that_cannot_be_used(bank, world, parameters, words):
    driver = tls_driver(bank, world, **parameters)
    down = driver.wait_own(lambda own: own.get("state") == "down")
    assert words in down["detail"]
    assert driver.process.wait(5) == 2


def test_a_key_that_is_no_key(bank, world):
    driver = tls_driver(bank, world, client_certificate=str(world["client"][0]), client_key=str(world["stranger"][1]))
    assert "key" in driver.wait_own(lambda own: own.get("state") == "down")["detail"]
    assert GOOD not in str(driver.own)
    assert driver.process.wait(5) == 2


def test_a_certificate_that_ends_soon_is_told(world):
    authority = Authority.__new__(Authority)
    authority.__dict__.update(world["authority"].__dict__)
    world["soon"] = authority.issue("soon", "IP:127.0.0.1", days=3)
    bank = Bank(line_of(world, "soon"))
    driver = tls_driver(bank, world).up()
    steps = {step["step"]: step for step in driver.ask("test")["steps"]}
    assert "the other side's certificate /CN=soon ends on" in steps["tls"]["warning"] and "warning" not in steps["echo"]
    driver.stop()
    bank.stop()
