"""Two real browsers, Chromium and WebKitGTK, with the few words that the journey speaks; the shopper who sits in front of them; and
the phone in the shopper's hand. Used by the tests here and by pictures.py."""

import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile

import requests
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions

WAIT_S = 20
POLL_S = 0.03
PHONE, WIDE = (360, 740), (1280, 800)

CHROMIUM = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --hide-scrollbars --lang=en --accept-lang=en").split()

# A warning that is meant to be: the bank's frame runs its own scripts as its own origin, as EMV 3-D Secure asks, and Chromium says so.
EXPECTED = ("allow-scripts and allow-same-origin",)


class Browser:
    """A driver with the few words that these tests speak. Words that wait give up after WAIT_S and say what they waited for."""

    def __init__(self, name, driver, console=None):
        self.name, self.driver, self.console = name, driver, console
        self.read = 0

    def wait(self, check, what, seconds=WAIT_S):
        waiting = WebDriverWait(self.driver, seconds, poll_frequency=POLL_S,
                                ignored_exceptions=[StaleElementReferenceException, NoSuchElementException])
        return waiting.until(lambda _: check(), f"{self.name} waited for {what}; it is at {self.driver.current_url}")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector, text=None):
        for element in self.driver.find_elements(By.CSS_SELECTOR, selector):
            if element.is_displayed() and (text is None or text in element.text):
                return element
        return None

    def see(self, selector, text=None):
        return self.wait(lambda: self.find(selector, text), f"{selector} {text or ''}")

    def count(self, selector, number):
        def there():
            found = [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]
            return found if len(found) == number else None
        return self.wait(there, f"{number} of {selector}") if number else self.gone(selector)

    def gone(self, selector):
        self.wait(lambda: self.find(selector) is None, f"no {selector}")

    def tap(self, selector, text=None):
        """Taps what can be seen. A page that is drawn anew under the finger is tapped again."""
        def tapped():
            element = self.find(selector, text)
            if element is None:
                return False
            self.js("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return True
        self.wait(tapped, f"{selector} {text or ''} to tap")

    def type(self, selector, text):
        self.tap(selector)
        self.driver.switch_to.active_element.send_keys(text)

    def at(self, part):
        self.wait(lambda: part in self.driver.current_url, f"an address with {part}")

    def look(self, size, dark=False):
        """The size of the screen, light or dark; Chromium only."""
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 700})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def speak(self, language):
        """Chooses the shop's language, by its button, when the browser asked for another one."""
        self.see("main h1")
        if self.js("return document.documentElement.lang") != language:
            self.tap(".tongue")
            self.wait(lambda: self.js("return document.documentElement.lang") == language, "words in " + language)

    # --- onfile's pages

    def view(self, *names):
        """Waits until the card page shows one of these views."""
        def now():
            name = self.js("return document.querySelector('.checkout')?.dataset.view ?? null")
            return name if name in names and self.js("return document.readyState") == "complete" else None
        return self.wait(now, f"the view {names}")

    def fill(self, number, expiry="12/30", code="123", name=""):
        self.type("#number", number)
        self.type("#expiry", expiry)
        self.type("#code", code)
        if name:
            self.type("#name", name)

    def link(self, number, **more):
        self.view("enter")
        self.fill(number, **more)
        self.tap("#submit")

    @contextlib.contextmanager
    def bank(self):
        """Inside the bank's frame."""
        self.at("/challenge")
        self.wait(lambda: self.js("const c = document.getElementById('cover'); return document.querySelector('.bank-frame') && c && c.hidden"),
                  "the bank's page")
        self.driver.switch_to.frame(self.driver.find_element(By.CSS_SELECTOR, ".bank-frame"))
        try:
            yield
        finally:
            with contextlib.suppress(WebDriverException):
                self.driver.switch_to.default_content()

    def done(self, name):
        """The card page's good end, and the button back to the shop."""
        self.view("done")
        self.wait(lambda: name in self.js("return document.getElementById('done-name').textContent"), name)

    def back_to_shop(self):
        self.tap("#done-back")
        self.see("main .plastic")

    # --- tabs

    @contextlib.contextmanager
    def other_tab(self):
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        other = self.driver.current_window_handle
        try:
            yield first, other
        finally:
            self.driver.switch_to.window(other)
            self.driver.close()
            self.driver.switch_to.window(first)

    # --- what the browser itself complained of

    def complaints(self):
        """Errors on the console and broken rules of a page's policy since the last call."""
        if self.name == "chromium":
            lines = [f"{entry['level']} {entry['message']}" for entry in self.driver.get_log("browser")]
            return [line for line in lines if re.search("^SEVERE|Content Security Policy", line) and not any(e in line for e in EXPECTED)]
        text = pathlib.Path(self.console).read_text(errors="replace")
        news, self.read = text[self.read:], len(text)
        return [line for line in news.splitlines() if re.search("CONSOLE.* ERROR|Content Security Policy|Refused to", line)]


@contextlib.contextmanager
def chromium(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in CHROMIUM:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={folder}/chromium")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=ChromeService("/usr/bin/chromedriver"), options=options)
    try:
        yield Browser("chromium", driver)
    finally:
        driver.quit()


@contextlib.contextmanager
def display():
    """An X display for WebKitGTK, which has no headless mode; the one that is there, or an Xvfb of our own."""
    if os.environ.get("DISPLAY"):
        yield
        return
    read, write = os.pipe()
    xvfb = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
                            pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with open(read) as answer:
        os.environ["DISPLAY"] = ":" + answer.readline().strip()
    try:
        yield
    finally:
        del os.environ["DISPLAY"]
        xvfb.terminate()
        xvfb.wait()


@contextlib.contextmanager
def webkit(folder):
    found = sorted(pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    assert found, "MiniBrowser is missing: apt install webkit2gtk-driver"
    options = WebKitOptions()
    options.binary_location = str(found[-1])
    options.add_argument("--automation")
    options.add_argument("--enable-write-console-messages-to-stdout=true")
    console = f"{folder}/webkit.log"
    with display():
        driver = webdriver.WebKitGTK("/usr/bin/WebKitWebDriver", options=options, service_log_path=console, keep_alive=True)
        try:
            yield Browser("webkit", driver, console)
        finally:
            driver.quit()


class Phone:
    """The phone in the shopper's hand: the sandbox bank's, seen from outside."""

    def __init__(self, sandbox):
        self.address = f"http://127.0.0.1:{sandbox.bank}"
        self.page = f"http://bank.localhost:{sandbox.bank}/phone"
        self.seen = 0

    def messages(self):
        return requests.get(self.address + "/phone/messages", timeout=10).json()

    def requests(self):
        return requests.get(self.address + "/phone/requests", timeout=10).json()

    def forget(self):
        """Only messages that come from now on are read."""
        self.seen = max([one["id"] for one in self.messages()], default=0)

    def code(self, browser, about):
        """The code of the newest SMS that has `about` in it and was not read yet."""
        def newest():
            fresh = [one for one in self.messages() if one["id"] > self.seen and about in one["to"] + one["text"]]
            return fresh[-1] if fresh else None
        message = browser.wait(newest, f"an SMS about {about}")
        self.seen = message["id"]
        return re.search(r"#(\d{6})( @\S+)?$", message["text"]).group(1)


def wrong(code):
    """Six digits that are not the code."""
    return f"{(int(code) + 1) % 1000000:06d}"


class Shopper:
    """A person who has signed up in the shop already, in the language that the account keeps."""

    def __init__(self, sandbox, phone, language="en"):
        self.address = f"http://127.0.0.1:{sandbox.shop}"
        self.shop = f"http://shop.localhost:{sandbox.shop}"
        self.number = new_number()
        self.http = requests.Session()
        self.http.headers.update({"Accept-Language": language, "Origin": self.shop})
        challenge = self.post("/api/code", {"phone": self.number})["challenge"]
        [message] = [one for one in phone.messages() if one["to"] == self.number]
        code = re.search(r"#(\d{6})$", message["text"]).group(1)
        self.post("/api/sign-in", {"challenge": challenge, "code": code})
        self.post("/api/profile", {"language": language})

    def post(self, path, body):
        answer = self.http.post(self.address + path, json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path):
        answer = self.http.get(self.address + path, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def cards(self):
        """[id, last four digits] of each card, the default first."""
        return [[card["id"], card["last4"]] for card in self.get("/api/cards")["cards"]]

    def sit_down(self, browser):
        """In front of this browser, signed in."""
        stand_up(browser, self.shop)
        browser.driver.add_cookie({"name": "soyka", "value": self.http.cookies["soyka"], "path": "/", "httpOnly": True})

    def open_link(self, browser, following="/cards"):
        """The card page of a new link."""
        browser.driver.get(self.post("/api/cards/link", {"next": following})["url"])
        browser.view("enter")

    def link(self, browser, number, **more):
        """A card that the bank links without a question."""
        self.open_link(browser)
        browser.link(number, **more)
        browser.view("done")


def new_number():
    return f"+7900{random.randrange(10**7):07d}"


def stand_up(browser, shop):
    """Nothing of the shopper before is left in the shop's site."""
    browser.driver.get(shop + "/help")
    browser.driver.delete_all_cookies()
    browser.js("localStorage.clear(); sessionStorage.clear()")


@contextlib.contextmanager
def bank_holds_its_breath(sandbox):
    """The bank's program is stopped for a while: a bank that thinks, for exactly as long as the test needs."""
    children = pathlib.Path(f"/proc/{sandbox.process.pid}/task/{sandbox.process.pid}/children").read_text().split()
    [bank] = [int(pid) for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "bank"]
    os.kill(bank, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(bank, signal.SIGCONT)


def ledger(sandbox):
    return requests.get(f"http://127.0.0.1:{sandbox.bank}/control/ledger", timeout=10).json()
