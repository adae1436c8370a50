"""Round trips a second over one line: this program, the driver and the sandbox bank on one machine.
usage: BUILD=build-gcc python3 tests/iso8583/link_speed.py [--tls] [--lines N] [--count N] [--window N]"""

import argparse
import json
import os
import pathlib
import selectors
import subprocess
import tempfile
import time

from parts import BUILD, Bank, luhn


def certificate(folder):
    pem, key = folder / "bank.pem", folder / "bank.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", pem, "-days", "1", "-subj", "/CN=bank", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    return pem, key


def requests(count):
    now = time.time()
    for i in range(count):
        number = f"41000000{i % 1000000:07d}"
        yield json.dumps({
            "card": {"number": number + luhn(number), "exp_month": 12, "exp_year": 2039, "cvc": "123"}, "id": i + 1,
            "op": "verify", "deadline_ms": int((now + 300) * 1000), "stan": f"{i % 999999 + 1:06d}",
            "sent_at": time.strftime("%m%d%H%M%S", time.gmtime(now + i // 900000)), "local_at": "261127120000",
            "terminal": "TERM0001", "merchant": "MERCHANT0000001", "merchant_name": "Speed", "amount": 0, "currency": "643",
            "rrn": f"{i:012d}", "initiator": "customer", "credential": "first"}).encode() + b"\n"


def run(driver, lines, window):
    """Seconds from the first request to the last answer, and how many were approved."""
    out, into = driver.stdout.fileno(), driver.stdin.fileno()
    os.set_blocking(into, False)
    waiting, sent, answered, approved, rest = b"", 0, 0, 0, b""
    begun = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while answered < len(lines):
            room = window - (sent - answered)
            if not waiting and room >= window // 4 and sent < len(lines):
                waiting = b"".join(lines[sent:sent + room])
                sent += min(room, len(lines) - sent)
            if waiting:
                try:
                    waiting = waiting[os.write(into, waiting):]
                except BlockingIOError:
                    pass
            for _ in selector.select(0 if waiting else 1):
                whole, _, rest = (rest + os.read(out, 1 << 20)).rpartition(b"\n")
                answered += whole.count(b'{"id":') - whole.count(b'{"id":0,')
                approved += whole.count(b'"approved"')
    return time.perf_counter() - begun, approved


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tls", action="store_true")
    options.add_argument("--lines", type=int, default=1)
    options.add_argument("--count", type=int, default=200000)
    options.add_argument("--window", type=int, default=2000)
    chosen = options.parse_args()
    lines = list(requests(chosen.count))
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        parameters = {"host": "127.0.0.1", "acquirer": "400123", "lines": chosen.lines}
        line = "dialect=1987-bcd"
        if chosen.tls:
            pem, key = certificate(pathlib.Path(folder))
            line += f",certificate={pem},key={key}"
            parameters |= {"tls": "required", "ca_file": str(pem)}
        bank = Bank(line)
        driver = subprocess.Popen([f"{BUILD}/src/drivers/iso8583/driver-iso8583"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        driver.stdin.write(json.dumps({"contract": 1, "parameters": {**parameters, "port": bank.port}}).encode() + b"\n")
        driver.stdin.flush()
        assert b'"up"' in driver.stdout.readline()
        seconds, approved = run(driver, lines, chosen.window)
        driver.stdin.close()
        _, _, used = os.wait4(driver.pid, 0)
        bank.stop()
    assert approved == chosen.count, f"{approved} of {chosen.count} were approved"
    print(f"{chosen.count / seconds:,.0f} round trips/s over {chosen.lines} {'TLS ' if chosen.tls else ''}line(s); "
          f"the driver took {(used.ru_utime + used.ru_stime) / chosen.count * 1e6:.1f} µs of a core for each")


if __name__ == "__main__":
    main()
