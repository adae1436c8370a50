"""The shop under test: the built program with its own data folder, beside a stand-in for onfile."""
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest
import requests

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(HERE.parent)]
import fake_onfile  # noqa: E402

BUILD = pathlib.Path(os.environ.get("ONFILE_BUILD", ROOT / "build"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shop:
    def __init__(self, folder, fake, **more):
        self.port = free_port()
        self.url = f"http://shop.localhost:{self.port}"
        self.address = f"http://127.0.0.1:{self.port}"
        self.fake = fake
        self.config = folder / "shop.conf"
        keys = {
            "listen": "127.0.0.1", "port": self.port, "url": self.url, "onfile_url": fake.url,
            "secret_key": "sk_test_shop", "publishable_key": "pk_test_shop", "sms_url": fake.url + "/sms",
            "data": folder / "data", "web": ROOT / "shop/web", "tokens": ROOT / "web/static/tokens.css",
            "sms.per_minute": 0, "sms.per_ten_minutes": 0, "sms.per_day": 0, "onfile.timeout_ms": 5000,
        }
        keys.update({k.replace("__", "."): v for k, v in more.items()})
        self.config.write_text("".join(f"{k} = {v}\n" for k, v in keys.items()))
        self.log = open(folder / "shop.log", "ab")
        self.program = None
        self.start()

    def start(self):
        self.program = subprocess.Popen([BUILD / "shop/shop", "--config", self.config], stderr=self.log)
        deadline = time.monotonic() + 10
        while True:
            try:
                requests.get(self.address + "/api/me", timeout=5)
                return
            except requests.ConnectionError:
                assert self.program.poll() is None, "the shop did not start"
                assert time.monotonic() < deadline, "the shop does not answer"

    def kill(self):
        self.program.kill()
        self.program.wait()

    def stop(self):
        if self.program.poll() is None:
            self.program.terminate()
            assert self.program.wait(10) == 0


class Person:
    """A browser as far as HTTP goes: a cookie jar, and the origin that browsers send."""

    def __init__(self, shop, language="ru"):
        self.shop = shop
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = language

    def get(self, path):
        return self.session.get(self.shop.address + path, timeout=20)

    def post(self, path, body=None, origin=True):
        headers = {"Origin": self.shop.url} if origin is True else ({"Origin": origin} if origin else {})
        return self.session.post(self.shop.address + path, json=body or {}, headers=headers, timeout=20)

    def ask_code(self, phone):
        answer = self.post("/api/code", {"phone": phone})
        assert answer.status_code == 200, answer.text
        return answer.json()["challenge"], last_code(self.shop.fake)

    def sign_in(self, phone="+7 900 000-00-01"):
        challenge, code = self.ask_code(phone)
        answer = self.post("/api/sign-in", {"challenge": challenge, "code": code})
        assert answer.status_code == 200, answer.text
        return answer.json()["account"]

    def link(self, brand="visa", last4="4242"):
        """Links a card as the hosted page would; answers the card as the shop shows it."""
        url = self.post("/api/cards/link", {"next": "/cards"}).json()["url"]
        back = requests.post(url, data={"brand": brand, "last4": last4}, allow_redirects=False, timeout=10)
        session = back.headers["Location"].split("session=")[1]
        return self.get(f"/api/cards/linked/{session}").json()["card"]

    def cards(self):
        return self.get("/api/cards").json()["cards"]

    def order(self, card, items=None, key=None):
        body = {"items": items or [{"id": "mug", "count": 1}], "card": card, "key": key or os.urandom(12).hex()}
        return self.post("/api/orders", body)


def last_code(fake):
    return re.search(r"#(\d{6})$", fake.state.messages[-1][1]).group(1)


@pytest.fixture
def fake():
    stand_in = fake_onfile.Fake()
    yield stand_in
    stand_in.close()


@pytest.fixture
def shop(tmp_path, fake):
    running = Shop(tmp_path, fake)
    yield running
    running.stop()


@pytest.fixture
def make_shop(tmp_path, fake):
    shops = []

    def make(**more):
        shops.append(Shop(tmp_path, fake, **more))
        return shops[-1]
    yield make
    for running in shops:
        running.stop()


@pytest.fixture
def person(shop):
    return Person(shop)
