"""A stand-in for onfile and the SMS gateway, for tests of the shop alone.

It speaks the part of the API that the shop uses, in the same shapes, keeps idempotency keys as onfile
does, and can be told to hang up after it did the work (`cut`), which is how a lost answer looks.
Tests that cross programs run against the real onfile; this one is for what those cannot provoke.
"""
import json
import re
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSED = {
    "9995": ("insufficient_funds", {
        "who": "shopper", "again": "later",
        "titles": {"en": "Not enough money", "ru": "Недостаточно средств"},
        "messages": {
            "en": "Not enough money, or a limit is reached. Use another card or raise the limit in your bank's app.",
            "ru": "Недостаточно средств или превышен лимит. Выберите другую карту или измените лимит в приложении банка."}}),
    "0341": ("generic_decline", {
        "who": "bank", "again": "after_call",
        "titles": {"en": "The bank refused", "ru": "Банк отказал"},
        "messages": {
            "en": "Your bank refused. Call the number on the back of the card, or use another card.",
            "ru": "Банк отклонил операцию. Позвоните по номеру на обороте карты или выберите другую карту."}}),
}
ASKS = "3184"


class State:
    def __init__(self):
        self.lock = threading.RLock()
        self.customers, self.methods, self.sessions, self.intents = {}, {}, {}, {}
        self.keys = {}
        self.messages = []      # SMS
        self.requests = []      # (method, path, form, key)
        self.cut = 0            # so many POSTs of payments are done but never answered
        self.down = False       # every call is answered 503
        self.sms_down = False
        self.url = ""

    def new(self, prefix):
        return prefix + secrets.token_hex(9)

    def add_card(self, customer, brand="visa", last4="4242", month=12, year=2030):
        method = {
            "id": self.new("pm_"), "object": "payment_method", "type": "card", "customer": customer,
            "created": int(time.time()), "livemode": False, "metadata": {}, "billing_details": {},
            "card": {"brand": brand, "last4": last4, "exp_month": month, "exp_year": year,
                     "country": "RU", "funding": "debit"},
        }
        self.methods[method["id"]] = method
        settings = self.customers[customer]["invoice_settings"]
        settings["default_payment_method"] = settings["default_payment_method"] or method["id"]
        return method

    def charges(self, order):
        """How often an order was really charged."""
        return sum(len(i["approvals"]) for i in self.intents.values() if i["metadata"].get("order") == order)


class Problem(Exception):
    def __init__(self, status, error):
        super().__init__(error)
        self.status, self.error = status, error


def missing(what):
    return Problem(404, {"type": "invalid_request_error", "code": "resource_missing", "message": "No such " + what})


def shown(intent):
    return {k: v for k, v in intent.items() if k != "approvals"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def serve(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length).decode()
        form = dict(urllib.parse.parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw)))
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path == "/sms":
            return self.take_sms(form)
        if parts.path.startswith("/c/"):
            return self.page(method, parts.path, form)
        key = self.headers.get("Idempotency-Key")
        with self.state.lock:
            self.state.requests.append((method, parts.path, form, key))
            if self.state.down:
                return self.answer(503, {"error": {"type": "api_error", "message": "down"}})
            if self.headers.get("Authorization") != "Bearer sk_test_shop":
                return self.answer(401, {"error": {"type": "invalid_request_error", "message": "wrong key"}})
            status, body = self.once(method, parts.path, form, query, key, raw)
            if method == "POST" and "/payment_intents" in parts.path and self.state.cut > 0:
                self.state.cut -= 1
                self.close_connection = True
                return None
        return self.answer(status, body)

    def once(self, method, path, form, query, key, raw):
        if key and key in self.state.keys:
            seen_raw, status, body = self.state.keys[key]
            if seen_raw != (path, raw):
                return 400, {"error": {"type": "idempotency_error", "message": "same key, other body"}}
            return status, json.loads(body)
        try:
            status, body = 200, self.route(method, path, form, query)
        except Problem as problem:
            status, body = problem.status, {"error": problem.error}
        if key:
            self.state.keys[key] = ((path, raw), status, json.dumps(body))
        return status, body

    def route(self, method, path, form, query):
        for name, pattern, function in ROUTES:
            match = re.fullmatch(pattern, path)
            if name == method and match:
                return function(self, form, query, *match.groups())
        raise missing("route")

    def answer(self, status, body, kind="application/json", location=None):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def take_sms(self, form):
        if self.state.sms_down:
            return self.answer(500, {})
        self.state.messages.append((form["to"], form["text"]))
        return self.answer(200, {})

    # The hosted card page, as plain as can be.
    def page(self, method, path, form):
        session = self.state.sessions.get(path.split("/")[2])
        if not session:
            return self.answer(404, "no such page", "text/html")
        if method == "GET":
            return self.answer(200, "<!doctype html><title>card</title><form method=post>"
                                    "<input name=last4 value=0004><input name=brand value=mir>"
                                    "<button id=link>Link</button></form>"
                                    f"<a id=back href='{session['cancel_url']}'>Back</a>", "text/html")
        with self.state.lock:
            card = self.state.add_card(session["customer"], form["brand"], form["last4"])
            session.update(status="complete", url=None)
            if session["mode"] == "payment":
                intent = self.state.intents[session["payment_intent"]]
                intent["approvals"].append(card["id"])
                intent.update(status="succeeded", amount_received=intent["amount"], payment_method=card["id"])
            else:
                session["setup_intent"]["payment_method"] = card["id"]
        back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        return self.answer(303, "", "text/html", back)

    def customer(self, customer):
        if customer not in self.state.customers:
            raise missing("customer")
        return self.state.customers[customer]

    def method_of(self, method, customer=None):
        found = self.state.methods.get(method)
        if not found or (customer and found["customer"] != customer):
            raise missing("payment_method")
        return found

    def create_customer(self, form, query):
        new = {"id": self.state.new("cus_"), "object": "customer", "phone": form.get("phone"),
               "metadata": {"account": form.get("metadata[account]")},
               "invoice_settings": {"default_payment_method": None}}
        self.state.customers[new["id"]] = new
        return new

    def get_customer(self, form, query, customer):
        return self.customer(customer)

    def list_methods(self, form, query, customer):
        self.customer(customer)
        data = [m for m in self.state.methods.values() if m["customer"] == customer]
        return {"object": "list", "data": data[::-1], "has_more": False, "url": "/v1/customers"}

    def get_method(self, form, query, customer, method):
        return self.method_of(method, customer)

    def create_session(self, form, query):
        self.customer(form["customer"])
        if form["mode"] == "payment":
            return self.create_payment_session(form)
        assert form["mode"] == "setup" and form["currency"] == "rub", form
        new = {"id": self.state.new("cs_test_"), "object": "checkout.session", "status": "open",
               "customer": form["customer"], "success_url": form["success_url"],
               "cancel_url": form["cancel_url"], "locale": form["locale"], "mode": "setup",
               "setup_intent": {"id": self.state.new("seti_"), "payment_method": None}}
        new["url"] = f"{self.state.url}/c/{new['id']}"
        self.state.sessions[new["id"]] = new
        return new

    def create_payment_session(self, form):
        item = {name: form[f"line_items[0]{rest}"] for name, rest in (("amount", "[price_data][unit_amount]"), ("currency", "[price_data][currency]"),
                                                                      ("name", "[price_data][product_data][name]"), ("quantity", "[quantity]"))}
        assert item["currency"] == "rub" and item["quantity"] == "1" and form["payment_intent_data[setup_future_usage]"] == "on_session", form
        intent = {"id": self.state.new("pi_"), "object": "payment_intent", "amount": int(item["amount"]), "currency": "rub",
                  "customer": form["customer"], "status": "requires_payment_method", "payment_method": None,
                  "metadata": {"order": form["payment_intent_data[metadata][order]"]}, "next_action": None, "last_payment_error": None, "approvals": []}
        self.state.intents[intent["id"]] = intent
        new = {"id": self.state.new("cs_test_"), "object": "checkout.session", "status": "open", "mode": "payment", "customer": form["customer"],
               "success_url": form["success_url"], "cancel_url": form["cancel_url"], "payment_intent": intent["id"], "payment_status": "unpaid"}
        new["url"] = f"{self.state.url}/c/{new['id']}"
        self.state.sessions[new["id"]] = new
        return new

    def create_portal(self, form, query):
        self.customer(form["customer"])
        new = {"id": self.state.new("bps_"), "object": "billing_portal.session", "customer": form["customer"], "return_url": form["return_url"]}
        new["url"] = f"{self.state.url}/c/portal?{new['id']}"
        return new

    def get_session(self, form, query, session):
        found = self.state.sessions.get(session)
        if not found:
            raise missing("checkout.session")
        answer = json.loads(json.dumps(found))
        if query.get("expand[]") == "setup_intent.payment_method" or "expand[0]" in query:
            card = found["setup_intent"]["payment_method"]
            answer["setup_intent"]["payment_method"] = self.state.methods.get(card) if card else None
        else:
            answer["setup_intent"] = found["setup_intent"]["id"]
        return answer

    def attempt(self, intent, form):
        card = self.method_of(form["payment_method"], intent["customer"])
        last4 = card["card"]["last4"]
        if intent["status"] == "succeeded":
            raise Problem(400, {"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
                                "message": "already paid", "payment_intent": shown(intent)})
        if last4 in REFUSED:
            decline, advice = REFUSED[last4]
            advice = dict(advice, at=None, field=None, reference="K7QM-2M4X")
            error = {"type": "card_error", "code": "card_declined", "decline_code": decline, "message": advice["messages"]["en"],
                     "user_message": advice["messages"]["en"], "advice": advice}
            intent.update(status="requires_payment_method", last_payment_error=error)
            raise Problem(402, dict(error, payment_intent=shown(intent)))
        if last4 == ASKS:
            url = f"{self.state.url}/c/ask?back={urllib.parse.quote(form['return_url'])}"
            intent.update(status="requires_action",
                          next_action={"type": "redirect_to_url", "redirect_to_url": {"url": url}})
            return shown(intent)
        intent["approvals"].append(card["id"])
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None)
        return shown(intent)

    def create_intent(self, form, query):
        assert form["confirm"] == "true" and form["currency"] == "rub" and "off_session" not in form, form
        intent = {"id": self.state.new("pi_"), "object": "payment_intent", "amount": int(form["amount"]),
                  "currency": "rub", "customer": form["customer"], "status": "requires_confirmation",
                  "metadata": {"order": form["metadata[order]"]}, "description": form["description"],
                  "next_action": None, "last_payment_error": None, "approvals": []}
        self.customer(form["customer"])
        self.state.intents[intent["id"]] = intent
        return self.attempt(intent, form)

    def get_intent(self, form, query, intent):
        if intent not in self.state.intents:
            raise missing("payment_intent")
        found = shown(self.state.intents[intent])
        if query.get("expand[]") == "payment_method" and found.get("payment_method"):
            found["payment_method"] = self.state.methods[found["payment_method"]]
        return found

    def confirm_intent(self, form, query, intent):
        if intent not in self.state.intents:
            raise missing("payment_intent")
        return self.attempt(self.state.intents[intent], form)


ROUTES = [
    ("POST", "/v1/customers", Handler.create_customer),
    ("GET", "/v1/customers/([^/]+)", Handler.get_customer),
    ("GET", "/v1/customers/([^/]+)/payment_methods", Handler.list_methods),
    ("GET", "/v1/customers/([^/]+)/payment_methods/([^/]+)", Handler.get_method),
    ("POST", "/v1/billing_portal/sessions", Handler.create_portal),
    ("POST", "/v1/checkout/sessions", Handler.create_session),
    ("GET", "/v1/checkout/sessions/([^/]+)", Handler.get_session),
    ("POST", "/v1/payment_intents", Handler.create_intent),
    ("GET", "/v1/payment_intents/([^/]+)", Handler.get_intent),
    ("POST", "/v1/payment_intents/([^/]+)/confirm", Handler.confirm_intent),
]


class Fake:
    """Runs the stand-in on a free port of loopback."""

    def __init__(self, port=0):
        self.state = State()
        handler = type("Bound", (Handler,), {"state": self.state})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.state.url = self.url
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    import sys
    Fake(int(sys.argv[1]) if len(sys.argv) > 1 else 8081).server.serve_forever()
