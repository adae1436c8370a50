"""Two real browsers (Chromium, WebKitGTK) in front of the stand-in core. Every test ends with: no rule of the page's policy was broken."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions

sys.path[:0] = map(str, pathlib.Path(__file__).parents[:2])
from fake_core import Fake  # noqa: E402

CHROMIUM = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
            "--disable-component-update --disable-sync --hide-scrollbars --lang=en").split()
WAIT_S = 10
PHONE, WIDE = (450, 740), (1024, 768)  # WebKitGTK's window; it is no narrower


def until(check, what="it", limit_s=WAIT_S):
    """Asks until the answer is true. The pauses, which grow, are only so that two busy cores are not eaten by asking."""
    end, pause = time.monotonic() + limit_s, 0.02
    while True:
        got = check()
        if got:
            return got
        assert time.monotonic() < end, f"waited {limit_s} s for {what}"
        time.sleep(pause)
        pause = min(1.3 * pause, 0.2)


class Browser:
    """A driver with the few words that these tests speak."""

    def __init__(self, name, driver, fake):
        self.name, self.driver, self.fake = name, driver, fake

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def call(self, module, function, *args):
        """Calls an exported function of one of the page's modules, in this browser, and gives its JSON."""
        script = """const [module, name, args, done] = arguments;
            import('/static/' + module).then(m => m[name](...args)).then(v => done([v ?? null]), e => done(String(e)));"""
        out = self.driver.execute_async_script(script, module, function, list(args))
        assert isinstance(out, list), out
        return out[0]

    def open(self, session, view="enter"):
        self.driver.get(f"{self.fake.pay}/c/{session.token}")
        self.view(view)

    def at(self):
        return self.js("return document.querySelector('.checkout')?.dataset.view ?? null")

    def view(self, name):
        until(lambda: self.at() == name, f"view {name}, it is {self.at()}")

    def find(self, id):
        return self.driver.find_element(By.ID, id)

    def value(self, id):
        return self.js("return document.getElementById(arguments[0]).value", id)

    def text(self, id):
        return self.js("return document.getElementById(arguments[0]).textContent", id)

    def caret(self, id):
        return self.js("return document.getElementById(arguments[0]).selectionStart", id)

    def put_caret(self, id, at):
        self.js("const f = document.getElementById(arguments[0]); f.focus(); f.setSelectionRange(arguments[1], arguments[1])", id, at)

    def focus(self):
        return self.js("return document.activeElement.id")

    def keys(self, *what):
        for key in "".join(what):
            self.driver.switch_to.active_element.send_keys(key)

    def type(self, **fields):
        for id, text in fields.items():
            self.find(id).send_keys(text)

    def shown(self, id):
        return self.js("return document.getElementById(arguments[0]).checkVisibility()", id)


@pytest.fixture(scope="session")
def fake():
    fake = Fake()
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def profile():
    path = tempfile.mkdtemp(prefix="pages-chromium-")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium_driver(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in CHROMIUM:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=ChromeService("/usr/bin/chromedriver"), options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def display():
    """An X display for WebKitGTK, which has no headless mode; the one that is there, or an Xvfb of our own."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    read, write = os.pipe()
    xvfb = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
                            pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    name = ":" + os.read(read, 16).decode().strip()
    os.environ["DISPLAY"] = name
    yield name
    del os.environ["DISPLAY"]
    xvfb.terminate()
    xvfb.wait()


@pytest.fixture(scope="session")
def webkit_driver(display):
    found = sorted(pathlib.Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    assert found, "MiniBrowser is missing: apt install webkit2gtk-driver"
    options = WebKitOptions()
    options.binary_location = str(found[-1])
    options.add_argument("--automation")
    with pytest.MonkeyPatch.context() as patch:
        # Drawn by the processor in any case: without the detour over a graphics card that llvmpipe plays, with threads of its own.
        patch.setenv("WEBKIT_SKIA_ENABLE_CPU_RENDERING", "1")
        patch.setenv("LP_NUM_THREADS", "0")
        driver = webdriver.WebKitGTK(executable_path="/usr/bin/WebKitWebDriver", options=options)
    driver.set_window_size(*PHONE)
    yield driver
    driver.quit()


@pytest.fixture(params=["chromium", "webkit"])
def browser(request, fake):
    driver = request.getfixturevalue(f"{request.param}_driver")
    yield from guarded(Browser(request.param, driver, fake), fake)


@pytest.fixture
def chromium(chromium_driver, fake):
    yield from guarded(Browser("chromium", chromium_driver, fake), fake)


@pytest.fixture
def webkit(webkit_driver, fake):
    yield from guarded(Browser("webkit", webkit_driver, fake), fake)


# Complaints that are expected: the bank's frame must run its scripts as its own origin (EMV 3-D Secure), and Chromium warns of it;
# answers with an error status and broken connections are what some tests are about.
EXPECTED = ("sandbox attribute can escape", "responded with a status of", "ERR_")


def guarded(browser, fake):
    fake.violations.clear()
    fake.down, fake.cut, fake.clock = False, 0, 0
    if browser.name == "chromium":
        browser.driver.get_log("browser")
    yield browser
    assert fake.violations == []
    if browser.name == "chromium":
        log = [e["message"] for e in browser.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
        assert [m for m in log if not any(e in m for e in EXPECTED)] == []
    browser.driver.get("about:blank")


@pytest.fixture
def session(fake, request):
    fake.count = getattr(fake, "count", 0) + 1
    session = fake.session(f"cs_test_{fake.count:04d}")
    session.state["locale"] = "en"
    return session


CTRL = Keys.CONTROL
