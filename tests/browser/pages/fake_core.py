#!/usr/bin/env python3
"""A stand-in for web and core, for the hosted pages alone: serves web/ with the headers of docs/hosted-pages.md and plays its states.

By hand:   /usr/bin/python3 tests/browser/pages/fake_core.py 8090
           then http://pay.localhost:8090/c/cs_test_play_challenge (or _frictionless, _decoupled, _refused, _wrong, _fault, _limit)
In tests:  Fake() on free ports; session(token) gives the session, set() moves it, posts holds what the page sent.

It opens no card: what the page encrypted is kept as text, and the tests open it with the key below (RFC 7518, appendix C: public on purpose).
"""

import base64
import hashlib
import http.server
import json
import pathlib
import sys
import threading
import time
import urllib.parse

WEB = pathlib.Path(__file__).resolve().parents[3] / "web"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
KEY = {"kty": "EC", "crv": "P-256", "kid": "test-1", "use": "enc", "alg": "ECDH-ES",
       "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"}
BASE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'"
CARD = {"brand": "mir", "last4": "0004", "exp_month": 12, "exp_year": 2030}
CARDS = [{"id": "pm_1", "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "name": "", "default": True},
         {"id": "pm_2", "brand": "amex", "last4": "0005", "exp_month": 1, "exp_year": 2031, "name": "Семейная карта для поездок", "default": False},
         {"id": "pm_3", "brand": "unionpay", "last4": "0004", "exp_month": 2, "exp_year": 2024, "name": "", "default": False}]

ERRORS = {
    "wrong": {"who": "shopper", "again": "now", "code": "card_declined", "decline_code": "incorrect_cvc", "field": "code",
              "title": {"en": "The details do not match", "ru": "Данные не совпали"},
              "message": {"en": "Check the card number, the date and the code on the back.",
                          "ru": "Проверьте номер карты, срок действия и код на обороте."}},
    "refused": {"who": "bank", "again": "after_call", "code": "card_declined", "decline_code": "generic_decline",
                "title": {"en": "Your bank refused", "ru": "Банк отклонил операцию"},
                "message": {"en": "Your bank refused. Call the number on the back of the card, or use another card.",
                            "ru": "Банк отклонил операцию. Позвоните по номеру на обороте карты или выберите другую карту."}},
    "away": {"who": "wait", "again": "minutes", "code": "processing_error", "decline_code": "issuer_not_available",
             "title": {"en": "The bank did not answer", "ru": "Банк не ответил"},
             "message": {"en": "The bank did not answer. Try again in a few minutes.", "ru": "Банк не ответил. Попробуйте через несколько минут."}},
    "unconfirmed": {"who": "shopper", "again": "now", "code": "setup_intent_authentication_failure", "decline_code": "authentication_failed",
                    "title": {"en": "Not confirmed", "ru": "Подтверждения нет"},
                    "message": {"en": "The bank could not confirm that it is you. Start again and enter the code from your bank.",
                                "ru": "Банк не подтвердил, что это вы. Начните заново и введите код из банка."}},
    "fault": {"who": "operator", "again": "later", "code": "api_error", "decline_code": None,
              "title": {"en": "Our fault", "ru": "Ошибка у нас"},
              "message": {"en": "This is our fault and we are on it. Write to help@soyka.example with the code K7Q2-M4ZD.",
                          "ru": "Это наша ошибка, мы её исправляем. Напишите в help@soyka.example, код K7Q2-M4ZD."}},
    "limit": {"who": "wait", "again": "at", "code": "card_decline_rate_limit_exceeded", "decline_code": None,
              "title": {"en": "Too many tries", "ru": "Слишком много попыток"},
              "message": {"en": "Too many tries. This protects your card.", "ru": "Слишком много попыток. Это защита вашей карты."}},
}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def error(kind, lang="en", **more):
    row = ERRORS[kind]
    out = {"field": None, "reference": "K7Q2-M4ZD", "at": int(time.time()) + 3600 if row["again"] == "at" else None, **row, **more}
    out["title"], out["message"] = row["title"][lang], row["message"][lang]
    return out


class Session:
    """One checkout session: a state, and a condition that wakes those who wait for the next one."""

    def __init__(self, fake, token):
        self.fake, self.token = fake, token
        self.changed = threading.Condition()
        self.revision, self.posts, self.error_kind, self.error_more = 1, [], None, {}
        self.answer = None  # (status, body) for the next POST of a card, instead of "checking"
        self.delay = 0.0
        self.asked = 0  # how often the state was asked for
        self.state = {
            "mode": "setup", "step": "enter", "locale": "auto", "intent": "seti_test_1", "live": False,
            "merchant": {"name": "Soyka", "url": fake.shop + "/", "support": "help@soyka.example"},
            "keys": {"keys": [KEY]}, "cancel_url": fake.shop + "/cancelled", "return_url": None,
            "brands": ["visa", "mastercard", "mir", "amex", "unionpay", "jcb"],
            "proof": None, "card": None, "method": None, "challenge": None, "error": None,
        }

    def set(self, error=None, error_more=None, **members):
        with self.changed:
            self.state.update(members)
            if error is not None or "step" in members:
                self.error_kind, self.error_more = error, error_more or {}
            self.revision += 1
            self.changed.notify_all()
        return self

    def challenge(self, window="05"):
        bank = self.fake.bank
        return self.set(step="challenge", challenge={"url": bank + "/acs", "creq": base64url(b'{"messageType":"CReq"}'),
                                                     "session": self.token, "origin": bank, "window": window})

    def method(self):
        data = base64url(json.dumps({"threeDSServerTransID": self.token,
                                     "threeDSMethodNotificationURL": f"{self.fake.pay}/3ds/method/{self.token}"}).encode())
        return self.set(step="preparing", method={"url": self.fake.bank + "/method", "data": data})

    def choose(self):
        """There is something to pay, and cards on file to pay with."""
        return self.set(mode="payment", choose=True, cards=CARDS, amount={"minor": 199000, "currency": "rub", "decimals": 2},
                        items=[{"name": "Лампа настольная с тёплым светом", "quantity": 2, "amount": 199000}])

    def portal(self, cards):
        """What the payment-methods page is told."""
        self.state.update(mode="portal", cards=cards, expires_at=int(time.time()) + 3600, return_url=self.fake.shop + "/me", add_first=False)
        return self

    def done(self, card=None):
        return self.set(step="done", card=card or CARD, return_url=self.fake.shop + "/linked")

    def show(self, lang):
        with self.changed:
            out = {"revision": self.revision, **self.state, "now": int(time.time() + self.fake.clock)}
            out["error"] = error(self.error_kind, lang, **self.error_more) if self.error_kind else None
            return out

    def wait(self, after):
        with self.changed:
            self.changed.wait_for(lambda: self.revision > after or self.fake.closing, self.fake.hold)

    def play(self):
        """What happens to cs_test_play_… once a card was sent: moves on by itself, for a person who looks."""
        kind = self.token.split("_")[3] if self.token.startswith("cs_test_play_") else None
        steps = {
            None: [], "frictionless": [(2, lambda: self.set(step="authenticating")), (1, self.done)],
            "challenge": [(1.5, self.method), (1.5, lambda: self.set(step="authenticating")), (1.5, lambda: self.challenge("03"))],
            "decoupled": [(1.5, lambda: self.set(step="waiting", challenge={"info": "Откройте приложение Sandbox Bank"})), (15, self.done)],
        }.get(kind, [(2, lambda: self.set(step="enter", error=kind))])

        def run():
            for pause, act in steps:
                with self.changed:
                    self.changed.wait_for(lambda: self.fake.closing, pause)
                act()
        threading.Thread(target=run, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake"

    def log_message(self, *_):
        pass

    @property
    def fake(self):
        return self.server.fake

    def send(self, status, body=b"", kind="text/html; charset=utf-8", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "strict-origin")
        if "Cache_Control" not in headers:
            self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, status, value):
        self.send(status, json.dumps(value).encode(), "application/json")

    def page(self, name, adds="form-action 'none'", status=200):
        policy = f"{BASE_POLICY}; {adds}; report-uri /violation"
        self.send(status, (WEB / "pages" / name).read_bytes(), Content_Security_Policy=policy)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.server is self.fake.bank_server:
            return self.bank(url.path)
        if self.server is self.fake.shop_server:
            return self.send(200, f"<!doctype html><title>shop</title><p id=path>{url.path}</p>".encode())
        if url.path.startswith("/static/"):
            return self.static(url.path)
        if self.fake.down:
            return self.page("away.html", "form-action 'none'; frame-ancestors 'none'", 503)
        parts = url.path.strip("/").split("/")
        if parts[0] == "c" and len(parts) > 1 and parts[1].startswith("cs_"):
            return self.session(self.fake.session(parts[1]), parts[2:], query)
        if parts[0] == "p" and len(parts) > 1:
            session = self.fake.session(parts[1])
            if parts[2:] == ["state"]:
                return self.json(200, session.show("en"))
            return self.page("methods.html", "form-action 'none'; frame-ancestors 'none'")
        self.page("lost.html", "form-action 'none'; frame-ancestors 'none'", 404)

    def static(self, path):
        file = (WEB / path.lstrip("/")).resolve()
        if WEB not in file.parents or not file.is_file():
            return self.send(404)
        # Kept for the run: what a page loads does not change meanwhile.
        self.send(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"), Cache_Control="max-age=3600")

    def session(self, session, rest, query):
        origin = self.fake.bank
        if not rest and session.state.get("choose"):
            return self.page("choose.html", "form-action 'none'; frame-ancestors 'none'")
        if not rest:
            return self.page("card.html", "frame-src 'self'; form-action 'none'; frame-ancestors 'self'")
        if rest == ["challenge"]:
            if session.state["step"] != "challenge":
                return self.send(303, Location=f"/c/{session.token}")
            return self.page("challenge.html", f"frame-src 'self' {origin}; form-action {origin}; frame-ancestors 'self'")
        if rest == ["method"]:
            if not session.state["method"]:
                return self.page("lost.html", status=404)
            return self.page("method.html", f"frame-src 'self' {origin}; form-action {origin}; frame-ancestors 'self'")
        if rest == ["state"]:
            session.asked += 1
            if "after" in query:
                session.wait(int(query["after"]))
            accept = self.headers.get("Accept-Language", "en")
            lang = query.get("lang") or ("ru" if accept.lower().startswith("ru") else "en")
            return self.json(200, session.show(lang))
        self.page("lost.html", "form-action 'none'", 404)

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        text = self.body()
        fields = dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
        parts = url.path.strip("/").split("/")
        if self.server is self.fake.bank_server:
            return self.bank(url.path, fields)
        if url.path == "/violation":
            self.fake.violations.append(text)
            return self.send(204)
        if parts[:2] == ["3ds", "method"]:
            self.fake.session(parts[2]).posts.append(("method", fields))
            return self.page("quiet.html")
        if parts[:2] == ["3ds", "done"]:
            self.fake.session(parts[2]).posts.append(("returned", fields))
            return self.page("returned.html")
        if parts[0] != "c" or len(parts) != 3:
            return self.page("lost.html", status=404)
        self.shopper(self.fake.session(parts[1]), parts[2], fields)

    def shopper(self, session, verb, fields):
        session.posts.append((verb, fields))
        lang = "ru" if "lang=ru" in self.path else "en"
        if self.fake.cut > 0:  # the connection breaks before the answer
            self.fake.cut -= 1
            self.close_connection = True
            return
        if verb == "cancel":
            session.set(step="enter", challenge=None, error="unconfirmed")
        if verb == "card":
            if session.delay:
                time.sleep(session.delay)
            if session.answer:
                status, body = session.answer
                session.answer = None
                return self.json(status, body)
            if session.state["step"] != "enter":
                return self.json(409, {"error": {"code": "lock_timeout", "message": "An attempt is under way."}})
            if session.state["proof"]:
                proof = session.state["proof"]
                bits = int.from_bytes(hashlib.sha256(fields.get("proof", "").encode()).digest(), "big")
                if not fields.get("proof", "").startswith(proof["nonce"] + ":") or bits >> (256 - proof["bits"]):
                    return self.json(400, {"error": {"code": "proof_wrong", "message": "wrong proof"}})
            session.set(step="checking", error=None)
            session.play()
        self.json(200, session.show(lang))

    def bank(self, path, fields=None):
        """The bank: looks at the browser, asks for a code, sends the browser back."""
        if path == "/method":
            data = fields["threeDSMethodData"]
            asked = json.loads(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
            return self.send(200, f"""<!doctype html><form method=post action="{asked['threeDSMethodNotificationURL']}">
                <input type=hidden name=threeDSMethodData value=x></form><script>document.forms[0].submit()</script>""".encode())
        if path == "/acs":
            token = (fields or {}).get("threeDSSessionData", "")
            self.fake.session(token).posts.append(("acs", fields))
            return self.send(200, f"""<!doctype html><meta name=viewport content="width=device-width"><title>Sandbox Bank</title>
                <style>body{{font:17px system-ui;margin:24px}}input,button{{font:inherit;padding:12px;width:100%;box-sizing:border-box;margin:8px 0}}</style>
                <h1 style="font-size:22px">Sandbox Bank</h1><p>Enter the code from the SMS to add the card ending 0004 at Soyka.</p>
                <form method=post action="/answer"><input type=hidden name=token value="{token}">
                <input name=code id=code inputmode=numeric autocomplete=one-time-code maxlength=6><button id=go>Confirm</button></form>""".encode())
        if path == "/answer":
            token = fields["token"]
            if token.startswith("cs_test_play"):
                self.fake.session(token).done()
            return self.send(200, f"""<!doctype html><form method=post action="{self.fake.pay}/3ds/done/{token}">
                <input type=hidden name=cres value=e30></form><script>document.forms[0].submit()</script>""".encode())
        self.send(404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # browsers drop connections; that is no news


class Fake:
    """Three sites on loopback: pay (web and core), bank, shop."""

    def __init__(self, port=0):
        self.sessions, self.lock, self.violations = {}, threading.Lock(), []
        self.closing, self.down, self.cut, self.hold, self.clock = False, False, 0, 20.0, 0
        ports = [port, port + 1, port + 2] if port else [0, 0, 0]
        self.pay_server, self.bank_server, self.shop_server = (Server(("127.0.0.1", p), Handler) for p in ports)
        for server in (self.pay_server, self.bank_server, self.shop_server):
            server.fake = self
        self.pay, self.bank, self.shop = (f"http://{n}.localhost:{s.server_address[1]}" for n, s in
                                          (("pay", self.pay_server), ("bank", self.bank_server), ("shop", self.shop_server)))
        for server in (self.pay_server, self.bank_server, self.shop_server):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def session(self, token):
        with self.lock:
            if token not in self.sessions:
                self.sessions[token] = Session(self, token)
            return self.sessions[token]

    def close(self):
        self.closing = True
        for session in self.sessions.values():
            with session.changed:
                session.changed.notify_all()
        for server in (self.pay_server, self.bank_server, self.shop_server):
            server.shutdown()
            server.server_close()


if __name__ == "__main__":
    fake = Fake(int(sys.argv[1]) if len(sys.argv) > 1 else 8090)
    print(f"{fake.pay}/c/cs_test_play_challenge", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.close()
