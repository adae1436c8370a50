"""3-D Secure over real HTTP on loopback: the driver as vault starts it, the bank's directory server and
access control server, and a browser played by `requests`. Run by `meson test --suite integration`."""

import base64
import html
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import uuid

import pytest
import requests

BUILD = os.environ.get("BUILD", "build")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def b64(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def unb64(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Bank:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [f"{BUILD}/bank/bank", "--http-port", str(self.port), "--iso-port", str(free_port()), "--pages",
             f"{SOURCE}/bank/pages", "--tokens", f"{SOURCE}/web/static/tokens.css"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "event=http_ready" in line:
                break
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def messages(self):
        return requests.get(self.url + "/phone/messages").json()

    def requests(self):
        return requests.get(self.url + "/phone/requests").json()

    def decide(self, number, decision):
        return requests.post(self.url + "/phone/requests", json={"id": number, "decision": decision})

    def last_code(self):
        return re.search(r" #(\d{6}) @bank\.localhost$", self.messages()[-1]["text"]).group(1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(5) == 0


class Driver:
    """driver-emv3ds behind its two pipes. Answers are collected by id."""

    def __init__(self, directory, **more):
        parameters = {"url": directory, "requestor_id": "requestor-1", "requestor_name": "Сойка",
                      "server_reference": "3DS_LOA_SER_TEST", "acquirer_bin": "400000", "merchant_id": "M0001",
                      "mcc": "5399", "country": "643", **more}
        self.process = subprocess.Popen([f"{BUILD}/src/drivers/emv3ds/driver-emv3ds"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.answers = {}
        self.states = []
        self.last = 0
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.write({"contract": 1, "parameters": parameters})

    def write(self, line):
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        for raw in self.process.stdout:
            assert raw.startswith(b'{"id":')
            line = json.loads(raw)
            with self.news:
                if line["id"]:
                    assert line["id"] not in self.answers
                    self.answers[line["id"]] = line
                else:
                    self.states.append(line)
                self.news.notify_all()

    def ask(self, op, seconds=8, **members):
        self.last += 1
        number = self.last
        card = {"card": members.pop("card")} if "card" in members else {}
        self.write({**card, "id": number, "op": op, "deadline_ms": int((time.time() + seconds) * 1000), **members})
        with self.news:
            assert self.news.wait_for(lambda: number in self.answers, seconds + 5), "the driver does not answer"
            return self.answers[number]

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(15) == 0


class Results(http.server.ThreadingHTTPServer):
    """onfile's listener for results: hands each RReq to the driver and answers with what it says."""

    daemon_threads = True

    def __init__(self, driver):
        super().__init__(("127.0.0.1", 0), ResultsHandler)
        self.driver = driver
        self.expected = {}
        self.seen = []  # (the RReq, the driver's answer)
        self.news = threading.Condition()
        self.broken = 0  # so many results are answered with an error first
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/results"

    def wait(self, transaction, seconds=8):
        with self.news:
            found = lambda: [one for one in self.seen if one[0].get("threeDSServerTransID") == transaction]
            assert self.news.wait_for(found, seconds), "no result came"
            return found()[-1]


class ResultsHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        server = self.server
        if server.broken:
            server.broken -= 1
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        message = json.loads(body)
        answer = server.driver.ask("results", body=body, expected=server.expected[message["threeDSServerTransID"]])
        with server.news:
            server.seen.append((message, answer))
            server.news.notify_all()
        text = answer["response"].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/JSON; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class World:
    def __init__(self):
        self.bank = Bank()
        self.driver = Driver(self.bank.url.replace("127.0.0.1", "bank.localhost") + "/ds")
        self.results = Results(self.driver)

    def stop(self):
        self.results.shutdown()
        self.driver.stop()
        self.bank.stop()

    def authenticate(self, number, **more):
        transaction = str(uuid.uuid4())
        request = {
            "card": {"number": number, "exp_month": 12, "exp_year": 2030}, "transaction": transaction,
            "version": "2.2.0", "method": "Y", "purpose": "04", "challenge": "03", "results_url": self.results.url,
            "notification_url": "http://pay.localhost:8081/c/back", "requestor_url": "http://shop.localhost:8080",
            "merchant_name": "Сойка", "window": "05",
            "browser": {"accept_header": "text/html", "user_agent": "Mozilla/5.0", "ip": "127.0.0.1",
                        "javascript": True, "java": False, "language": "ru", "color_depth": 30,
                        "screen_height": 800, "screen_width": 360, "time_zone": -180}}
        request.update(more)
        answer = self.driver.ask("authenticate", **request)
        self.results.expected[transaction] = {
            "transaction": transaction, "version": "2.2.0", "ds_transaction": answer.get("ds_transaction"),
            "acs_transaction": answer.get("acs_transaction")}
        return transaction, answer

    def local(self, url):
        return url.replace("bank.localhost", "127.0.0.1")


class Browser:
    """Follows the bank's pages as a browser without scripts does."""

    def __init__(self, world, answer):
        self.world = world
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = "ru"
        self.answer = answer

    def open(self, creq=None, session_data="shop-state"):
        return self.take(self.session.post(self.world.local(self.answer["acs_url"]), data={
            "creq": creq or self.answer["creq"], "threeDSSessionData": session_data}))

    def reload(self):
        return self.take(self.session.get(self.page.url))

    def take(self, response):
        self.page = response
        self.fields = {html.unescape(name): html.unescape(value) for name, value in
                       re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', response.text)}
        return response

    def act(self, action, **more):
        return self.take(self.session.post(self.world.bank.url + "/acs/answer", data={
            "id": self.fields["id"], "token": self.fields["token"], "action": action, **more}))

    def wrong_code(self):
        return f"{(int(self.world.bank.last_code()) + 1) % 1000000:06d}"

    def went_back(self):
        assert re.search(r'action="([^"]*)"', self.page.text).group(1) == "http://pay.localhost:8081/c/back"
        assert "http://pay.localhost:8081" in self.page.headers["Content-Security-Policy"]
        return unb64(self.fields["cres"])


def test_versions(world):
    transaction = str(uuid.uuid4())
    card = lambda number: {"number": number, "exp_month": 12, "exp_year": 2030}
    answer = world.driver.ask("versions", card=card("4000002500003155"), transaction=transaction)
    assert answer == {"id": answer["id"], "outcome": "approved", "version": "2.2.0",
                      "method_url": f"http://bank.localhost:{world.bank.port}/acs/method",
                      "method_origin": f"http://bank.localhost:{world.bank.port}"}
    answer = world.driver.ask("versions", card=card("4100000000000019"), transaction=transaction)
    assert answer["outcome"] == "approved" and "method_url" not in answer
    for number in ("4000000000003295", "4111111111111111", "55555555555544440"):
        answer = world.driver.ask("versions", card=card(number), transaction=transaction)
        assert (answer["outcome"], answer["decline_code"]) == ("declined", "not_enrolled")


def test_the_line_is_tested(world):
    assert world.driver.ask("test")["outcome"] == "approved"
    assert world.driver.states[0]["state"] == "up"


def test_the_banks_method_comes_back(world):
    data = json.dumps({"threeDSServerTransID": str(uuid.uuid4()),
                       "threeDSMethodNotificationURL": "http://pay.localhost:8081/m/x"})
    for text in (b64(data), base64.urlsafe_b64encode(data.encode()).decode()):
        page = requests.post(world.bank.url + "/acs/method", data={"threeDSMethodData": text})
        assert page.status_code == 200 and 'action="http://pay.localhost:8081/m/x"' in page.text
        back = re.search(r'name="threeDSMethodData" value="([^"]*)"', page.text).group(1)
        assert "=" not in back and unb64(back) == {"threeDSServerTransID": json.loads(data)["threeDSServerTransID"]}
    for bad in ("", "!!", b64("{}"), b64(data.replace("http://pay.localhost", "http://evil.example"))):
        assert requests.post(world.bank.url + "/acs/method", data={"threeDSMethodData": bad}).status_code == 400


@pytest.mark.parametrize("number,status,eci", [
    ("4242424242424242", "Y", "05"), ("5555555555554444", "Y", "N2"), ("378282246310005", "Y", "05"),
    ("6205500000000000004", "Y", "05"), ("4100000000000019", "Y", "05"), ("4000000000003261", "A", "06"),
    ("4000000000003279", "N", None), ("4000000000003287", "U", None)])
def test_without_a_challenge(world, number, status, eci):
    _, answer = world.authenticate(number)
    assert (answer["outcome"], answer["status"], answer.get("eci")) == ("approved", status, eci)
    assert ("value" in answer) == (status in "YA")
    assert "creq" not in answer and answer["ds_transaction"] != answer["acs_transaction"]


def test_a_payment(world):
    _, answer = world.authenticate("5555555555554444", purpose="01", amount=129900, currency="643",
                                   sent_at="20261124100000")
    assert (answer["status"], answer["eci"]) == ("Y", "02")
    assert len(base64.b64decode(answer["value"])) == 20
    _, answer = world.authenticate("4242424242424242", purpose="01")
    assert answer["outcome"] == "not_sent" and "purchaseCurrency" in answer["detail"]


def test_a_long_name_is_cut(world):
    _, answer = world.authenticate("4000002500003155", merchant_name="Я" * 60)
    page = Browser(world, answer).open()
    assert "Я" * 40 in page.text and "Я" * 41 not in page.text


def test_what_the_directory_refuses(world):
    _, answer = world.authenticate("4000008400001280")
    assert answer["outcome"] == "declined" and "403" in answer["detail"]
    _, answer = world.authenticate("4000000000003295")
    assert answer["outcome"] == "declined" and "305" in answer["detail"]
    _, answer = world.authenticate("4242424242424242", notification_url="http://shop.example/")
    assert answer["outcome"] == "not_sent" and "notificationURL" in answer["detail"]


@pytest.mark.parametrize("number", ["4000002500003155", "2200000000000004"])
def test_a_code_by_sms(world, number):
    transaction, answer = world.authenticate(number)
    assert (answer["status"], answer["acs_origin"]) == ("C", f"http://bank.localhost:{world.bank.port}")
    browser = Browser(world, answer)
    page = browser.open()
    assert page.status_code == 200 and "Сойка" in page.text and number[-4:] in page.text
    message = world.bank.messages()[-1]
    code = world.bank.last_code()
    assert "Сойка" in message["text"] and number[-4:] in message["text"]
    assert message["text"].splitlines()[-1] == f"@shop.localhost #{code} @bank.localhost"
    assert code not in page.text
    browser.act("code", code=code[:3] + " " + code[3:])
    assert browser.went_back()["transStatus"] == "Y" and browser.fields["threeDSSessionData"] == "shop-state"
    rreq, result = world.results.wait(transaction)  # it was there before the browser was sent back
    assert (result["outcome"], result["status"], result["interactions"]) == ("approved", "Y", 1)
    assert len(base64.b64decode(result["value"])) == 20 and "authenticationMethod" not in rreq
    assert json.loads(result["response"])["resultsStatus"] == "01"
    # A page loaded again, and the first form sent again, still lead back; the code does not work twice.
    browser.reload()
    assert browser.went_back()["transStatus"] == "Y"
    browser.open()
    assert browser.went_back()["transStatus"] == "Y"
    assert len([one for one in world.results.seen if one[0]["threeDSServerTransID"] == transaction]) == 1


def test_the_sms_and_the_page_in_english(world):
    browser_data = {"accept_header": "*/*", "user_agent": "x", "language": "en-GB", "javascript": False}
    _, answer = world.authenticate("4000002500003155", browser=browser_data, merchant_name="Soyka")
    page = Browser(world, answer).open()
    assert "Enter the code" in page.text and "to add card •• 3155 at Soyka" in world.bank.messages()[-1]["text"]


def test_three_wrong_codes(world):
    transaction, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    assert "Осталось попыток: 2" in browser.act("code", code=browser.wrong_code()).text
    assert "Осталась одна попытка" in browser.act("code", code=browser.wrong_code()).text
    browser.act("code", code=browser.wrong_code())
    assert browser.went_back()["transStatus"] == "N"
    _, result = world.results.wait(transaction)
    assert (result["status"], result["reason"], result["interactions"]) == ("N", "19", 3)
    assert "value" not in result


def test_cancelled(world):
    transaction, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    browser.act("cancel")
    assert browser.went_back()["transStatus"] == "N"
    _, result = world.results.wait(transaction)
    assert (result["status"], result["cancel"]) == ("N", "01")


def test_a_reload_goes_on(world):
    transaction, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    sent = len(world.bank.messages())
    browser.act("code", code=browser.wrong_code())
    assert "Осталось попыток: 2" in browser.reload().text
    browser.open()  # the shop's page was loaded again and posts the same CReq
    assert len(world.bank.messages()) == sent, "a reload sends no second code"
    browser.act("code", code=world.bank.last_code())
    assert browser.went_back()["transStatus"] == "Y"
    assert world.results.wait(transaction)[1]["interactions"] == 2


def test_another_code_too_soon(world):
    _, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    sent = len(world.bank.messages())
    assert "Код ещё в пути" in browser.act("resend").text
    assert len(world.bank.messages()) == sent
    browser.act("code", code=world.bank.last_code())
    assert browser.went_back()["transStatus"] == "Y"


def test_a_changed_creq(world):
    transaction, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    creq = unb64(answer["creq"])
    creq["challengeWindowSize"] = "01"
    browser.open(b64(json.dumps(creq)))
    assert (browser.went_back()["messageType"], browser.went_back()["errorCode"]) == ("Erro", "305")
    assert world.results.wait(transaction)[1]["status"] == "U"


def test_a_creq_for_nobody(world):
    _, answer = world.authenticate("4000002500003155")
    creq = unb64(answer["creq"])
    for change in ({"acsTransID": str(uuid.uuid4())}, {"acsTransID": 5}):
        browser = Browser(world, answer)
        assert browser.open(b64(json.dumps({**creq, **change}))).status_code == 400
    assert Browser(world, answer).open("not base64url!").status_code == 400
    wrong = {**creq, "threeDSServerTransID": str(uuid.uuid4())}
    browser = Browser(world, answer)
    browser.open(b64(json.dumps(wrong)))
    assert browser.went_back()["errorCode"] == "301"


def test_a_form_without_its_token(world):
    _, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    code = world.bank.last_code()
    right = browser.fields["token"]
    browser.fields["token"] = "0" * 32
    fields = dict(browser.fields)
    assert browser.act("code", code=code).status_code == 400
    assert requests.post(world.bank.url + "/acs/answer", headers={"Origin": "http://evil.example"}, data={
        **fields, "token": right, "action": "code", "code": code}).status_code == 403


@pytest.mark.parametrize("decision,status", [("approve", "Y"), ("deny", "N")])
def test_the_banks_app(world, decision, status):
    transaction, answer = world.authenticate("4000000000003246")
    browser = Browser(world, answer)
    assert not [one for one in world.bank.requests() if one["state"] == "open"]
    assert "приложении банка" in browser.open().text
    assert "В приложении ещё нет ответа" in browser.act("complete").text
    asked = world.bank.requests()[-1]
    assert (asked["state"], asked["merchant"], asked["last4"]) == ("open", "Сойка", "3246")
    state = requests.get(f"{world.bank.url}/acs/state/{answer['acs_transaction']}").json()
    assert state == {"state": "open"}
    assert world.bank.decide(asked["id"], decision).status_code == 200
    assert world.bank.decide(asked["id"], decision).status_code == 409
    browser.act("complete")
    assert browser.went_back()["transStatus"] == status
    rreq, result = world.results.wait(transaction)
    assert (result["status"], rreq["authenticationType"]) == (status, "03")


def test_a_code_instead_of_the_app(world):
    transaction, answer = world.authenticate("4000000000003246")
    browser = Browser(world, answer)
    browser.open()
    asked = world.bank.requests()[-1]["id"]
    assert "Введите код" in browser.act("switch").text
    browser.act("code", code=world.bank.last_code())
    assert browser.went_back()["transStatus"] == "Y"
    assert world.results.wait(transaction)[0]["authenticationType"] == "02"
    assert world.bank.requests()[-1]["state"] == "withdrawn"
    assert world.bank.decide(asked, "approve").status_code == 409


def test_decoupled(world):
    transaction, answer = world.authenticate("4000000000003253", decoupled_minutes=1440)
    assert answer["status"] == "D" and "Sandbox Bank" in answer["cardholder_info"] and "creq" not in answer
    world.bank.decide(world.bank.requests()[-1]["id"], "approve")
    rreq, result = world.results.wait(transaction)
    assert (result["status"], rreq["authenticationType"]) == ("Y", "04") and "interactionCounter" not in rreq
    _, answer = world.authenticate("4000000000003253")
    assert answer["status"] == "C"


def test_the_result_is_sent_again(world):
    transaction, answer = world.authenticate("4000002500003155")
    world.results.broken = 1
    browser = Browser(world, answer)
    browser.open()
    browser.act("code", code=world.bank.last_code())
    assert browser.went_back()["transStatus"] == "Y"
    assert world.results.wait(transaction)[1]["status"] == "Y"


def test_forged_results(world):
    transaction, answer = world.authenticate("4000002500003155")
    expected = world.results.expected[transaction]
    sound = {"messageType": "RReq", "messageVersion": "2.2.0", "threeDSServerTransID": transaction,
             "dsTransID": answer["ds_transaction"], "acsTransID": answer["acs_transaction"],
             "messageCategory": "02", "transStatus": "Y", "authenticationType": "02", "interactionCounter": "01"}
    ask = lambda body: world.driver.ask("results", body=body, expected=expected)
    for change, code in (({"acsTransID": str(uuid.uuid4())}, "301"), ({"dsTransID": None}, "201"),
                         ({"messageVersion": "2.1.0"}, "203"), ({"transStatus": "C"}, "203"),
                         ({"messageType": "CRes"}, "101"), ({"transStatus": ["Y"]}, "203")):
        refused = ask(json.dumps({**sound, **change}))
        erro = json.loads(refused["response"])
        assert (refused["outcome"], erro["messageType"], erro["errorCode"]) == ("declined", "Erro", code)
        assert "status" not in refused
    assert json.loads(ask('{"messageType":"RReq","messageType":"RReq"}')["response"])["errorCode"] == "204"
    assert ask("nonsense")["outcome"] == "declined"
    # The directory server passes on what belongs to a transaction, from nobody else.
    for change, code in (({"dsTransID": str(uuid.uuid4())}, "301"), ({"acsTransID": str(uuid.uuid4())}, "301"),
                         ({"messageCategory": "01", "authenticationValue": base64.b64encode(bytes(20)).decode()}, "305")):
        erro = requests.post(world.bank.url + "/ds", json={**sound, **change}).json()
        assert (erro["errorCode"], erro["errorComponent"]) == (code, "D")
    assert requests.post(world.bank.url + "/ds", json=sound, headers={"Origin": "http://x"}).status_code == 403


class Clock:
    """The bank's clock, moved instead of waited for."""

    ahead = 0

    def move(self, world, seconds):
        Clock.ahead += int(seconds * 1000)
        assert requests.post(world.bank.url + "/control/clock", json={"ahead_ms": Clock.ahead}).status_code == 200


def test_nobody_comes_to_the_challenge(world):
    transaction, _ = world.authenticate("4000002500003155")
    Clock().move(world, 31)
    _, result = world.results.wait(transaction)
    assert (result["status"], result["reason"], result["cancel"]) == ("N", "14", "05")


def test_the_page_is_left_alone(world):
    transaction, answer = world.authenticate("4000000000003246")
    browser = Browser(world, answer)
    browser.open()
    Clock().move(world, 599)
    browser.reload()  # a page that is sent again has its ten minutes again
    Clock().move(world, 599)
    assert world.bank.requests()[-1]["state"] == "open"
    Clock().move(world, 2)
    _, result = world.results.wait(transaction)
    assert (result["status"], result["reason"], result["cancel"]) == ("N", "14", "04")
    assert world.bank.requests()[-1]["state"] == "withdrawn"
    browser.reload()
    assert browser.went_back()["transStatus"] == "N"


def test_codes_are_sent_again_and_grow_old(world):
    transaction, answer = world.authenticate("4000002500003155")
    browser = Browser(world, answer)
    browser.open()
    first = world.bank.last_code()
    Clock().move(world, 301)
    assert "Срок кода истёк" in browser.act("code", code=first).text
    assert "Мы отправили новый код" in browser.act("resend").text
    second = world.bank.last_code()
    Clock().move(world, 31)
    browser.act("resend")
    Clock().move(world, 31)
    assert "resend" not in browser.act("resend").text, "three sends, and no more"
    third = world.bank.last_code()
    if second != third:
        assert "Код неверный" in browser.act("code", code=second).text
    browser.act("code", code=third)
    assert browser.went_back()["transStatus"] == "Y"
    assert world.results.wait(transaction)[1]["status"] == "Y"


def test_decoupled_in_vain(world):
    transaction, answer = world.authenticate("4000000000003253", decoupled_minutes=30)
    assert answer["status"] == "D"
    Clock().move(world, 1801)
    _, result = world.results.wait(transaction)
    assert (result["status"], result["cancel"]) == ("U", "03")


def test_a_result_that_nobody_takes_is_kept(world):
    transaction, answer = world.authenticate("4000002500003155")
    world.results.broken = 3
    browser = Browser(world, answer)
    browser.open()
    browser.act("code", code=world.bank.last_code())
    assert browser.went_back()["transStatus"] == "Y"  # after two tries the shopper waits no longer
    for _ in range(2):
        Clock().move(world, 11)
        wait_for(lambda: world.results.broken == 0)
    assert world.results.wait(transaction)[1]["status"] == "Y"


def wait_for(condition, seconds=5):
    deadline = time.time() + seconds
    while not condition():
        assert time.time() < deadline
        os.sched_yield()


def test_control(world):
    change = lambda **members: requests.post(world.bank.url + "/control/cards", json=members)
    assert change(number="4242424242424242", challenge="refused").json()["challenge"] == "refused"
    try:
        assert world.authenticate("4242424242424242")[1]["status"] == "N"
        row = requests.get(world.bank.url + "/control/cards").json()[0]
        assert row["changed"] and row["behaviour"]["challenge"] == "refused"
        assert change(number="4242424242424242", challenge="nonsense").status_code == 400
        assert change(number="1", reset=True).status_code == 404
    finally:
        assert change(number="4242424242424242", reset=True).json()["challenge"] == "frictionless"
    line = lambda **members: requests.post(world.bank.url + "/control/line", json=members)
    assert line(lose_answers_percent=5, next_fault="late", next_count=2).json()["next_fault"] == "late"
    assert line(lose_answers_percent=101).status_code == 400
    now = line(lose_answers_percent=0, next_fault="none", next_count=0).json()
    assert (now["lose_answers_percent"], now["next_count"]) == (0, 0)
    assert requests.get(world.bank.url + "/control/ledger").json()["totals"]["approvals"] == 0
    assert requests.get(world.bank.url + "/phone/account").json()["cards"][0]["number"] == "4000002500003155"


def test_who_may_ask(world):
    url = world.bank.url
    assert requests.get(url + "/phone/messages", headers={"Host": "evil.example"}).status_code == 403
    assert requests.post(url + "/control/line", json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    assert requests.post(url + "/control/line", json={}, headers={"Origin": "null"}).status_code == 403
    assert requests.post(url + "/sms", data={"to": "1", "text": "x"}, headers={"Origin": url}).status_code == 403
    assert requests.post(url + "/sms", data={"to": "1"}).status_code == 400
    assert requests.get(url + "/sms").status_code == 405
    assert requests.get(url + "/pages/../main.c").status_code in (400, 404)
    sent = requests.post(url + "/sms", json={"to": "+79000000042", "from": "Сойка", "text": "<b>123456</b>\n\n@x #123456"})
    assert sent.status_code == 200 and world.bank.messages()[-1]["text"].startswith("<b>")


def test_what_the_driver_cannot_do(world):
    assert world.driver.ask("authorize")["outcome"] == "not_sent"
    world.driver.last += 1
    number = world.driver.last
    world.driver.write({"id": number, "op": "test", "deadline_ms": 1})
    with world.driver.news:
        assert world.driver.news.wait_for(lambda: number in world.driver.answers, 5)
    assert world.driver.answers[number]["outcome"] == "not_sent"


def test_no_directory_server():
    driver = Driver(f"http://127.0.0.1:{free_port()}/ds")
    answer = driver.ask("versions", card={"number": "4242424242424242"}, transaction=str(uuid.uuid4()))
    assert answer["outcome"] == "unknown"
    driver.process.stdin.close()
    assert driver.process.wait(15) == 0


def test_a_directory_server_that_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        driver = Driver(f"http://127.0.0.1:{silent.getsockname()[1]}/ds")
        started = time.time()
        answer = driver.ask("versions", seconds=1, card={"number": "4242424242424242"}, transaction=str(uuid.uuid4()))
        assert answer["outcome"] == "unknown" and time.time() - started < 3
        driver.process.kill()
        driver.process.wait()


def test_plain_http_is_for_loopback():
    driver = Driver("http://bank.example/ds")
    assert driver.process.wait(5) == 1


def test_describe():
    text = subprocess.run([f"{BUILD}/src/drivers/emv3ds/driver-emv3ds", "--describe"], capture_output=True, check=True)
    described = json.loads(text.stdout)
    assert (described["contract"], described["kind"]) == (1, "authentication")
    for parameter in described["parameters"]:
        assert parameter["help"]["en"] and parameter["help"]["ru"]
        assert parameter["type"] in ("text", "number", "flag", "choice")


class TlsDirectory(http.server.ThreadingHTTPServer):
    """A directory server behind mutual TLS, as real ones are: takes a client certificate, hands on to the bank."""

    daemon_threads = True

    def __init__(self, folder, bank):
        super().__init__(("127.0.0.1", 0), TlsDirectoryHandler)
        self.bank = bank
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class TlsDirectoryHandler(ResultsHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = requests.post(self.server.bank.url + "/ds", data=body)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
            "-out", "ca.pem", "-subj", "/CN=Directory CA", "-days", "2")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / "names.cnf").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                f"{name}.pem", "-days", "2", "-extfile", "names.cnf")


@pytest.fixture(scope="module")
def tls(world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    server = TlsDirectory(folder, world.bank)
    server.folder = folder
    server.address = f"https://127.0.0.1:{server.server_address[1]}/ds"
    yield server
    server.shutdown()


def test_mutual_tls(world, tls):
    read = lambda name: (tls.folder / name).read_text()
    card = {"number": "4000002500003155", "exp_month": 12, "exp_year": 2030}
    driver = Driver(tls.address, ca=read("ca.pem"), certificate=read("client.pem"), key=read("client.key"))
    plain = world.driver
    try:
        world.driver = driver
        assert driver.ask("versions", card=card, transaction=str(uuid.uuid4()))["outcome"] == "approved"
        for _ in range(3):
            assert world.authenticate(card["number"])[1]["status"] == "C"
        if os.geteuid() == 0:
            assert not wait_until_clean(driver.process.pid, [card["number"]])
    finally:
        world.driver = plain
    driver.stop()
    # A directory server that we do not know, and one that does not know us, gets nothing.
    for parameters, why in (({}, "certificate problem"), ({"ca": read("ca.pem")}, None)):
        stranger = Driver(tls.address, **parameters)
        answer = stranger.ask("versions", card=card, transaction=str(uuid.uuid4()))
        assert answer["outcome"] == "unknown"
        step = stranger.ask("test")["steps"][-1]
        # One that hangs up at once may do so before its alert was read: then it is the answer that fails.
        assert step["step"] == "tls" or not why and step["step"] == "directory", step
        assert step["failed"] and step["ms"] > 0 and (why or "") in step["detail"] and "certificate and key" in step["advice"], step
        stranger.stop()


def memory_of(pid):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            where, rights = line.split()[:2]
            if "w" not in rights or "[v" in line:
                continue
            start, end = (int(part, 16) for part in where.split("-"))
            if end - start > 1 << 30:  # a sanitizer's own map of the memory
                continue
            memory.seek(start)
            yield line.strip(), memory.read(end - start)


def forms_of(number):
    packed = bytes.fromhex(number + ("f" if len(number) % 2 else ""))
    forms = {"text": number.encode(), "UTF-16": number.encode("utf-16-le"), "BCD": packed}
    for shift in range(3):  # base64 of a text that holds the number at any place
        whole = base64.b64encode(b"x" * shift + number.encode())
        forms[f"base64 {shift}"] = whole[4 if shift else 0:16]
    return forms


def wait_until_clean(pid, numbers):
    """What is left of the numbers one second from now."""
    deadline = time.time() + 1
    while True:
        found = [(number, form, where) for where, content in memory_of(pid) for number in numbers
                 for form, needle in forms_of(number).items() if needle in content]
        if not found or time.time() > deadline:
            return found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read another program's memory")
def test_no_card_stays_in_the_drivers_memory(world):
    """Numbers go through every operation that gets a card; one second later no form of them is left."""
    numbers = ["4242424242424242", "4000002500003155", "4000008400001280", "4000000000003295", "6205500000000000004"]
    pid = world.driver.process.pid
    for number in numbers:
        world.driver.ask("versions", card={"number": number, "exp_month": 12, "exp_year": 2030},
                         transaction=str(uuid.uuid4()))
        world.authenticate(number)
        world.authenticate(number, notification_url="http://shop.example/")
    world.driver.process.stdin.write(b'{"card":{"number":"4242424242424242",broken\n')
    world.driver.process.stdin.flush()
    world.driver.ask("authorize", card={"number": numbers[0]})
    assert not wait_until_clean(pid, numbers)
    # The hunt itself works: what the driver holds for good is found.
    assert any(b"3DS_LOA_SER_TEST" in content for _, content in memory_of(pid))
