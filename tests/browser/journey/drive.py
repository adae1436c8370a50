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

import pytest
import requests
import urllib3
from selenium import webdriver
from selenium.common.exceptions import (ElementClickInterceptedException, ElementNotInteractableException, NoSuchElementException,
                                        NoSuchFrameException, StaleElementReferenceException, TimeoutException, WebDriverException)
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions

# What a page that is being drawn anew answers; the next look finds it in order.
PASSING = (StaleElementReferenceException, NoSuchElementException, NoSuchFrameException, ElementClickInterceptedException,
           ElementNotInteractableException)
WAIT_S = 15
LOST_S = 6
RemoteConnection.set_timeout(60)  # a driver that does not answer fails its test, and does not hold up all that follow
POLL_S = 0.03
PHONE, WIDE = (360, 740), (1280, 800)
WEBKIT = (450, 740)  # its window is no narrower

# Cards of the sandbox bank, by what the bank does.
FRICTIONLESS, MASTERCARD = "4242424242424242", "5555555555554444"
BY_SMS, ASKS_ALWAYS, APP = "4000002500003155", "4000002760003184", "4000000000003246"
MIR = "2200000000000004"
REFUSED, REFUSED_LATER = "4000000000000002", "4000000000000341"

CHROMIUM = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --hide-scrollbars").split()

# What Chromium says of things that are meant to be: the bank's frame runs its own scripts as its own origin, as EMV 3-D Secure asks;
# the bank's field does not pull the focus into the frame; the shop keeps the offer to install it until it is wanted.
EXPECTED = ("allow-scripts and allow-same-origin", "Blocked autofocusing", "Banner not shown")


# The elements of a selector that a person sees, with a text if one is given.
SHOWN = """const [selector, text] = arguments;
return [...document.querySelectorAll(selector)].filter(one => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && box.width > 0 && box.height > 0 &&
        (text === null || one.innerText.includes(text));
});"""


class Browser:
    """A driver with the few words that these tests speak. Words that wait give up after WAIT_S and say what they waited for."""

    def __init__(self, name, driver, console=None, patient=True):
        driver.set_page_load_timeout(WAIT_S)
        self.name, self.driver, self.console = name, driver, console
        self.read = 0
        self.patient = patient
        # Who does not wait for pages to be loaded looks at pages that are just going, with errors of every kind; and WebKitGTK forgets
        # to answer a question to a page that went in that moment: it is asked again.
        self.passing = PASSING if patient else (WebDriverException, urllib3.exceptions.HTTPError)

    def wait(self, check, what, seconds=WAIT_S):
        waiting = WebDriverWait(self.driver, seconds, poll_frequency=POLL_S, ignored_exceptions=self.passing)
        try:
            return waiting.until(lambda _: check())
        except TimeoutException:
            shown = self.js("return document.body.innerText")[:300]
            raise AssertionError(f"{self.name} waited {seconds} s for {what}; {self.driver.current_url} shows: {shown}") from None

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def shown(self, selector, text=None):
        """What can be seen of it, in one question to the page."""
        return self.js(SHOWN, selector, text)

    def find(self, selector, text=None):
        return next(iter(self.shown(selector, text)), None)

    def see(self, selector, text=None):
        return self.wait(lambda: self.find(selector, text), f"{selector} {text or ''}")

    def count(self, selector, number):
        def there():
            found = self.shown(selector)
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
            with contextlib.suppress(NoSuchFrameException):  # the tap was taken, and the page has gone already
                element.click()
            return element
        return self.wait(tapped, f"{selector} {text or ''} to tap")

    def type(self, selector, text):
        self.tap(selector).send_keys(text)

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
            loaded = not self.patient or self.js("return document.readyState") == "complete"
            return name if name in names and loaded else None
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

    def done(self, name, stay=True):
        """The card page's good end. It goes back to the shop by itself, unless one stays."""
        self.view("done")
        if stay and self.find("#auto-stay"):
            self.tap("#auto-stay")
        self.wait(lambda: name in self.js("return document.getElementById('done-name').textContent"), name)

    def failed(self, text, reference=True):
        """The card page's bad end; gives the reference code that is shown."""
        self.view("failed")
        self.see("#failed-text", text)
        return self.see("#failed-reference").text if reference else self.gone("#failed-reference")

    def confirm(self, code):
        """The bank's code page, with this code. Six digits send themselves, and the field goes with its page."""
        with self.bank(), contextlib.suppress(StaleElementReferenceException):
            self.type("#code", code)

    def back_to_shop(self):
        self.tap("#done-back")
        self.see("main .plastic")

    # --- tabs

    @contextlib.contextmanager
    def other_tab(self, kind="tab"):
        """Another tab, or another window. In WebKitGTK a tab that is not the first may be hidden while it is driven."""
        first = self.driver.current_window_handle
        self.driver.switch_to.new_window(kind)
        other = self.driver.current_window_handle
        try:
            yield first, other
        finally:
            self.driver.switch_to.window(other)
            self.driver.close()
            self.driver.switch_to.window(first)

    # --- what the browser itself complained of

    def complaints(self):
        """Every line that any page or frame has put on the console since the last call; Chromium only, in WebKitGTK nobody can see it."""
        if not self.console:
            return []
        with open(self.console, errors="replace") as log:
            log.seek(self.read)
            lines = log.readlines()
            self.read = log.tell()
        return [line.strip() for line in lines if ":CONSOLE:" in line and not any(known in line for known in EXPECTED)]


@contextlib.contextmanager
def chromium(folder, language="en"):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*CHROMIUM, f"--lang={language}", f"--accept-lang={language}"):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={folder}/chromium-{language}")
    # WebDriver's own log knows the console of the page alone, this one that of the bank's frame too.
    console = f"{folder}/console-{language}.log"
    options.add_argument("--enable-logging")
    options.add_argument(f"--log-file={console}")
    driver = webdriver.Chrome(service=ChromeService("/usr/bin/chromedriver"), options=options)
    try:
        yield Browser("chromium", driver, console)
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
def webkit(folder, patient=True):
    """Not patient: WebDriver does not wait until a page is loaded, the test looks at the page itself."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    assert found, "MiniBrowser is missing: apt install webkit2gtk-driver"
    options = WebKitOptions()
    options.binary_location = str(found[-1])
    options.add_argument("--automation")
    options.set_capability("pageLoadStrategy", "normal" if patient else "none")
    # Drawn by the processor in any case: without the detour over a graphics card that llvmpipe plays, with threads of its own.
    with display(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
        patch.setenv("LP_NUM_THREADS", "0")
        driver = webdriver.WebKitGTK("/usr/bin/WebKitWebDriver", options=options, service_log_path=f"{folder}/webkit.log", keep_alive=True)
        if not patient:
            connections = driver.command_executor._conn
            connections.connection_pool_kw["timeout"] = LOST_S
            connections.clear()
        driver.set_window_size(*WEBKIT)
        try:
            yield Browser("webkit", driver, patient=patient)
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
        """A card that the bank links without a question; its id."""
        self.open_link(browser)
        browser.link(number, **more)
        browser.done(number[-4:])
        return next(id for id, last4 in self.cards() if last4 == number[-4:])


def new_number():
    return f"+7900{random.randrange(10**7):07d}"


def stand_up(browser, shop):
    """Nothing of the shopper before is left in the shop's site."""
    browser.driver.get(shop + "/help")
    browser.at(shop)
    browser.see("main h1")
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
