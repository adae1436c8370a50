"""The line to a directory server in TLS: certificates that end soon are told with the step, the server's and our own."""

import socket
import ssl
import subprocess
import threading

import pytest

from test_3ds import Bank, Driver


def certificate(folder, name, days):
    """One of its own authority, for this machine: the paths of it and of its key."""
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                    pem, "-days", str(days), "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    return pem, key


class Terminator:
    """TLS in front of the bank's HTTP."""

    def __init__(self, bank, pem, key):
        self.bank = bank
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem, key)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(line,), daemon=True).start()

    def talk(self, line):
        try:
            inside = self.context.wrap_socket(line, server_side=True)
            outside = socket.create_connection(("127.0.0.1", self.bank.port))
            threading.Thread(target=self.pump, args=(outside, inside), daemon=True).start()
            self.pump(inside, outside)
        except OSError:
            line.close()

    @staticmethod
    def pump(one, other):
        try:
            while got := one.recv(65536):
                other.sendall(got)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@pytest.fixture(scope="module")
def bank():
    one = Bank()
    yield one
    one.stop()


@pytest.mark.parametrize("server_days, own_days, told", [
    (7, None, "the server's certificate /CN=server ends on"), (60, 7, "our own certificate (parameter certificate) /CN=own ends on"),
    (60, 60, None), (60, None, None)])
def test_a_certificate_that_ends_soon_is_told(bank, tmp_path, server_days, own_days, told):
    pem, key = certificate(tmp_path, "server", server_days)
    front = Terminator(bank, pem, key)
    own = {}
    if own_days:
        own_pem, own_key = certificate(tmp_path, "own", own_days)
        own = {"certificate": own_pem.read_text(), "key": own_key.read_text()}
    driver = Driver(f"https://localhost:{front.port}/ds", ca=pem.read_text(), **own)
    answer = driver.ask("test")
    tls = next(step for step in answer["steps"] if step["step"] == "tls")
    assert answer["outcome"] == "approved" and "CN = server" in tls["detail"]
    assert told in tls["warning"] if told else "warning" not in tls
    driver.stop()
    front.stop()
