"""The bank's pages in Chromium: the challenge in a frame of a shop's page, the phone beside it."""

import http.server
import json
import re
import threading
import urllib.parse

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from test_3ds import SOURCE, unb64

SHOP = """<!doctype html><title>shop</title><iframe name="bank" width="390" height="500"></iframe>
<form method="post" action="{acs_url}" target="bank"><input name="creq" value="{creq}">
<input name="threeDSSessionData" value="state"></form><script>document.forms[0].submit()</script>"""


class Shop(http.server.ThreadingHTTPServer):
    """A page that holds the challenge in a frame, and the place where the bank sends the browser back."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.page = ""
        self.back = None
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://pay.localhost:{self.server_address[1]}"


class ShopHandler(http.server.BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.answer(self.server.page)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.back = {name: values[0] for name, values in form.items()}
        self.answer("<p id=back>back</p>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def shop():
    made = Shop()
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=500,900", "--lang=ru"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "ru"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options)
    yield made
    made.quit()


def wait(browser, condition):
    return WebDriverWait(browser, 10, poll_frequency=0.05).until(condition)


def find(browser, selector):
    return wait(browser, lambda b: b.find_element(By.CSS_SELECTOR, selector))


def open_challenge(world, browser, shop, number):
    transaction, answer = world.authenticate(number, notification_url=shop.url + "/back")
    shop.page = SHOP.format(**answer)
    shop.back = None
    browser.get(shop.url)
    browser.switch_to.frame(0)
    return transaction


def no_complaints(browser):
    complaints = [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    assert not complaints, complaints


def test_six_digits_send_themselves(world, browser, shop):
    transaction = open_challenge(world, browser, shop, "4000002500003155")
    field = find(browser, "#code")
    assert field.get_attribute("autocomplete") == "one-time-code"
    right = world.bank.last_code()
    field.send_keys(f"{(int(right) + 1) % 1000000:06d}")
    assert "Осталось попыток: 2" in find(browser, "#code-error:not(:empty)").text
    field = find(browser, "#code")
    assert field.get_attribute("aria-invalid") == "true"
    browser.switch_to.default_content()
    browser.refresh()  # the shop's page is loaded again in the middle
    browser.switch_to.frame(0)
    find(browser, "#code").send_keys(right)
    find(browser, "#back")
    assert unb64(shop.back["cres"])["transStatus"] == "Y" and shop.back["threeDSSessionData"] == "state"
    assert world.results.wait(transaction)[1]["status"] == "Y"
    no_complaints(browser)


def test_a_tap_on_the_phone(world, browser, shop):
    transaction = open_challenge(world, browser, shop, "4000000000003246")
    find(browser, "#waiting:not([hidden])")
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(f"http://bank.localhost:{world.bank.port}/phone")
    note = find(browser, ".note")
    assert "3246" in note.text and "Сойка" in note.text
    note.click()
    find(browser, ".ask .button:not(.button-quiet)").click()
    wait(browser, lambda b: not b.find_elements(By.CSS_SELECTOR, ".ask"))
    no_complaints(browser)
    browser.close()
    browser.switch_to.window(first)
    browser.switch_to.frame(0)
    find(browser, "#back")  # the page has asked by itself
    assert unb64(shop.back["cres"])["transStatus"] == "Y"
    assert world.results.wait(transaction)[0]["authenticationType"] == "03"


def test_the_inbox(world, browser):
    browser.get(f"http://bank.localhost:{world.bank.port}/phone#messages")
    world.authenticate("4000002500003155")
    requests.post(world.bank.url + "/sms", data={"to": "+79000000042", "from": "Сойка",
                                                 "text": "<img src=x onerror=alert(1)> 123456\n\n@shop.localhost #123456"})
    # The newest stands first, as the text that it is.
    newest = "return document.querySelector('.sms')?.innerText ?? ''"
    wait(browser, lambda b: "<img src=x" in b.execute_script(newest) and "123456" in b.execute_script(newest))
    no_complaints(browser)


def test_control_changes_a_card(world, browser):
    browser.get(f"http://bank.localhost:{world.bank.port}/control")
    find(browser, "button.row").click()
    find(browser, "dialog[open] select[name=challenge] option[value=refused]").click()
    find(browser, "dialog[open] button[value=save]").click()
    wait(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "button.row .tag-warn"))
    assert world.authenticate("4242424242424242")[1]["status"] == "N"
    find(browser, "button.row").click()
    find(browser, "dialog[open] button[value=reset]").click()
    wait(browser, lambda b: not b.find_elements(By.CSS_SELECTOR, "button.row .tag-warn"))
    assert world.authenticate("4242424242424242")[1]["status"] == "Y"
    no_complaints(browser)


def test_both_languages_have_the_same_texts():
    with open(f"{SOURCE}/bank/pages/texts.js", encoding="utf-8") as file:
        table = file.read().split("const texts = {", 1)[1].split("};", 1)[0]
    # Keys are what stands before a colon, once the texts themselves are taken out.
    english, russian = (re.findall(r"([a-z_0-9]+):", re.sub(r"'(?:[^'\\]|\\.)*'", "", part))
                        for part in table.split("en: {", 1)[1].split("ru: {"))
    assert english == russian and len(english) > 50
