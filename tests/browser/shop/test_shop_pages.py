"""The shop's pages in real Chromium: the journey, the back button, the keyboard, no network, every size."""
import json
import re
import struct

import pytest
from conftest import ROOT, Person, last_code
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from shift import moved

WEB = ROOT / "shop/web"
PHONE, WIDE, TINY = (360, 740), (1280, 800), (320, 568)


def chromium(folder, language, script):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 f"--user-data-dir={folder}", f"--lang={language}", f"--accept-lang={language}"):
        options.add_argument(flag)
    if not script:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


@pytest.fixture(scope="module")
def drivers(tmp_path_factory):
    """Chromium for a language, with scripts or without: started once, and told to forget after each test."""
    started = {}

    def get(language, script):
        if (language, script) not in started:
            started[language, script] = chromium(tmp_path_factory.mktemp("profile"), language, script)
        return started[language, script]
    yield get
    for driver in started.values():
        driver.quit()


class Browser:
    def __init__(self, drivers, shop, size=PHONE, language="ru", dark=False, script=True):
        self.driver = drivers(language, script)
        self.shop = shop
        self.look(size, dark)

    def forget(self):
        """The next test finds a browser that has seen nothing; its shop listens at another port."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": self.shop.url, "storageTypes": "all"})
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.get_log("browser")

    def look(self, size, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 700})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def open(self, path):
        self.driver.get(self.shop.url + path)
        self.see("main h1")

    def find(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def see(self, selector, text=None, seconds=10):
        def there(_):
            return next((e for e in self.find(selector) if text is None or text in e.text), None)
        return WebDriverWait(self.driver, seconds, ignored_exceptions=[Exception]).until(there, f"{selector} {text}")

    def gone(self, selector, seconds=10):
        WebDriverWait(self.driver, seconds).until(lambda _: not self.find(selector), selector)

    def tap(self, selector, text=None):
        element = self.see(selector, text)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def sign_in(self, phone="9000000001"):
        self.see("#phone").send_keys(phone)
        self.tap("form .button")
        field = self.see("#code")
        field.send_keys(last_code(self.shop.fake))

    def complaints(self):
        """What the console says, but for the answers that the test provoked itself."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if not re.search("Failed to load resource|Banner not shown", entry["message"])]


@pytest.fixture
def browse(drivers, shop):
    opened = []

    def start(**more):
        opened.append(Browser(drivers, shop, **more))
        return opened[-1]
    yield start
    for browser in opened:
        complaints = browser.complaints()
        browser.forget()
        assert complaints == []


@pytest.fixture
def ready(shop, fake, browse):
    """A phone that is signed in and has two cards; the second one is refused."""
    browser = browse()
    browser.open("/sign-in?next=/cards")
    browser.sign_in()
    browser.see("main h1", "Способы оплаты")
    person = Person(shop)
    person.session.cookies.set("soyka", browser.driver.get_cookie("soyka")["value"])
    person.link("mir", "0004")
    person.link("visa", "9995")
    browser.person = person
    return browser


@pytest.mark.parametrize("size,language", [(PHONE, "ru"), (WIDE, "en")])
def test_the_journey(browse, fake, size, language):
    browser = browse(size=size, language=language)
    browser.open("/goods/lamp")
    browser.tap(".pay .button")
    browser.sign_in()
    browser.tap(".buy", "картой" if language == "ru" else "by card")
    browser.tap("#link")                              # onfile's page, here the stand-in's
    browser.see(".receipt", "0004")
    assert browser.js(MEASURE) == []
    browser.open("/goods/lamp")
    browser.see(".pay-card", "0004")
    browser.tap(".buy")                               # one tap
    browser.see(".receipt")
    browser.see("main h1", "Оплачено" if language == "ru" else "Paid")
    order = browser.driver.current_url.rsplit("/", 1)[1]
    assert fake.state.charges(order) == 1
    browser.open("/orders")
    assert len(browser.find(".order-row")) == 2


def test_cards_are_added_from_the_profile_among_the_ways_to_pay(browse, fake):
    browser = browse()
    browser.open("/profile")
    browser.sign_in()
    browser.tap("a.row", "Способы оплаты")
    browser.tap("main .button", "Добавить")
    browser.tap("dialog button.row", "Банковская карта")
    browser.tap("#link")
    browser.see("main h1", "Карта привязана")
    browser.open("/cards")
    assert "0004" in browser.see("main .row").text and browser.see("main .row .tag").text == "Основная"


def test_giving_up_on_the_card_page_saves_nothing(browse):
    browser = browse()
    browser.open("/sign-in?next=/cards")
    browser.sign_in()
    browser.tap("main .button", "Добавить")
    browser.tap("dialog button.row")
    browser.tap("#back")
    browser.see(".empty", "Карт пока нет")


def test_a_double_tap_is_one_order(ready, fake):
    ready.open("/goods/mug")
    ready.see(".buy")
    ready.js("const b = document.querySelector('.buy'); b.click(); b.click(); document.querySelector('.buy').click()")
    ready.see(".receipt")
    assert len(fake.state.intents) == 1


def test_a_refusal_says_what_to_do_and_another_card_pays(ready, fake):
    ready.open("/goods/mug")
    ready.tap(".pay-card")
    ready.tap("dialog .row", "9995")
    ready.tap(".buy")
    ready.see("main h1", "Оплата не прошла")
    assert "Недостаточно средств" in ready.see(".notice-danger").text
    assert "K7QM-2M4X" in ready.see(".reference").text
    assert "0004" in ready.see(".pay-card").text       # the other card is offered first
    ready.tap(".buy")
    ready.see("main h1", "Оплачено")
    assert len(fake.state.intents) == 1


def test_the_way_back_from_the_bank_leaves_no_secret_in_the_address(ready, fake):
    ready.person.link("visa", "3184")
    card = next(c["id"] for c in ready.person.cards() if c["last4"] == "3184")
    order = ready.person.order(card).json()["order"]
    ready.open(f"/orders/{order['id']}")
    ready.see("main h1", "Банк хочет убедиться")
    assert ready.see("main .button", "Подтвердить").get_attribute("href") == order["action"]
    next(iter(fake.state.intents.values())).update(status="succeeded", next_action=None)
    ready.open(f"/orders/{order['id']}?payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_x&redirect_status=failed")
    ready.see("main h1", "Оплачено")        # what onfile says, not what the address says
    assert ready.driver.current_url.endswith(f"/orders/{order['id']}")


def test_a_card_opens_onfiles_page(ready, fake):
    ready.open("/cards")
    ready.tap("main .row", "9995")
    WebDriverWait(ready.driver, 5).until(lambda _: ready.driver.current_url.startswith(f"{fake.url}/c/portal"))


def test_wrong_codes_are_told_beside_the_field(browse, fake):
    browser = browse()
    browser.open("/sign-in")
    browser.see("#phone").send_keys("123")
    browser.tap("form .button")
    assert "Проверьте номер" in browser.see("#phone-error", "Проверьте").text
    assert browser.see("#phone").get_attribute("aria-invalid") == "true"
    browser.see("#phone").send_keys(Keys.BACKSPACE * 8 + "9000000001")
    assert browser.see("#phone").get_attribute("value") == "+7 900 000-00-01"
    browser.tap("form .button")
    wrong = f"{(int(last_code(fake) if browser.see('#code') else 0) + 1) % 1000000:06d}"
    browser.see("#code").send_keys(wrong)
    browser.see("#code-error", "Осталось попыток: 2")
    browser.see("#code").send_keys(wrong)
    browser.see("#code-error", "Осталось попыток: 1")
    browser.see("#code").send_keys(wrong)
    browser.see(".notice-danger", "больше не действует")


def test_the_code_page_survives_a_reload(browse):
    browser = browse()
    browser.open("/sign-in?next=/profile")
    browser.see("#phone").send_keys("9000000001")
    browser.tap("form .button")
    browser.see("#code")
    browser.driver.refresh()
    browser.see("#code").send_keys(last_code(browser.shop.fake))
    browser.see("main h1", "Профиль")


def test_the_caret_stays_where_the_digit_was(browse):
    browser = browse()
    browser.open("/sign-in")
    field = browser.see("#phone")
    field.send_keys("9001234567")
    browser.js("arguments[0].setSelectionRange(5, 5)", field)    # after "+7 90"
    field.send_keys("5")
    assert field.get_attribute("value") == "+7 905 012-34-56"
    assert browser.js("return arguments[0].selectionStart", field) == 6


def test_back_goes_to_the_same_place(browse):
    browser = browse()
    browser.open("/")
    browser.js("scrollTo(0, 900)")
    before = browser.js("return scrollY")
    browser.js("document.querySelector('.tile:nth-child(7) a').click()")
    browser.see(".good")
    assert browser.js("return scrollY") == 0
    browser.driver.back()
    browser.see(".hero")
    WebDriverWait(browser.driver, 5).until(lambda _: abs(browser.js("return scrollY") - before) < 5)


def test_the_basket_counts_and_remembers(ready):
    ready.open("/goods/mug")
    ready.tap(".pay .button-quiet")
    ready.open("/goods/tote")
    ready.tap(".pay .button-quiet")
    ready.tap(".pay .button-quiet")
    ready.open("/basket")
    assert [e.text for e in ready.find(".counter span")] == ["1", "2"]
    assert "3 670" in ready.see(".sum-all").text
    ready.tap(".buy")
    ready.see("main h1", "Оплачено")
    ready.open("/basket")
    ready.see(".empty", "Пока пусто")


def test_the_language_is_kept_by_the_account(ready):
    ready.open("/profile")
    ready.tap(".tongue")
    ready.see("main h1", "Profile")
    ready.open("/cards")
    ready.see("main h1", "Payment methods")
    assert ready.person.get("/api/me").json()["account"]["language"] == "en"


def test_the_last_orders_are_there_without_a_network(ready, shop):
    ready.open("/goods/mug")
    ready.tap(".buy")
    ready.see(".receipt")
    ready.js("return navigator.serviceWorker.ready.then(() => true)")
    ready.open("/orders")
    ready.see(".order-row")
    shop.stop()
    ready.open("/orders")
    ready.see(".kept", "Нет связи")
    assert len(ready.find(".order-row")) == 1
    ready.open("/goods/mug")
    ready.see(".good")
    ready.driver.get_log("browser")


def test_signing_out_leaves_no_orders_on_the_phone(ready, shop):
    ready.open("/goods/mug")
    ready.tap(".buy")
    ready.see(".receipt")
    ready.js("return navigator.serviceWorker.ready.then(() => true)")
    ready.open("/orders")
    ready.see(".order-row")
    ready.open("/profile")
    ready.tap(".link.danger")
    ready.see(".hero")
    WebDriverWait(ready.driver, 5).until(lambda _: ready.js("return caches.has('soyka-kept').then((has) => !has)") or
                                         ready.js("return caches.open('soyka-kept').then((c) => c.keys()).then((k) => !k.some((r) => r.url.includes('orders')))"))


def test_sheets_work_with_the_keyboard_alone(ready):
    ready.open("/cards")
    ready.see("main .row")
    ready.js("document.querySelector('main .button').focus()")
    focused = ready.driver.switch_to.active_element
    focused.send_keys(Keys.ENTER)
    ready.see("dialog")
    assert ready.js("return document.querySelector('dialog').contains(document.activeElement)")
    ready.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    ready.gone("dialog")
    assert "button" in ready.driver.switch_to.active_element.get_attribute("class")


def test_without_script_there_are_goods_and_a_way_to_a_person(browse):
    browser = browse(script=False)
    browser.open("/goods/mug")
    assert browser.see("main h1").location["y"] < 740
    assert "1290" in browser.see("main li").text
    assert browser.see("main a[href^='mailto:']").is_displayed()


# Every page at every size

PATHS = ["/", "/goods/notebook", "/basket", "/sign-in", "/orders", "/cards", "/profile", "/help/twice", "/nothing"]

MEASURE = """
const problems = [];
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
if (/\\b(null|undefined|NaN|false|object Object)\\b/.test(document.body.innerText)) problems.push("leftovers in the text");
if (wide > 0) problems.push("wider than the screen by " + wide);
const visible = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== "hidden"; };
const label = (e) => (e.className || e.tagName) + " “" + (e.textContent || "").trim().slice(0, 30) + "”";
for (const e of document.querySelectorAll("button, a[href], input, summary")) {
	if (!visible(e) || e.closest(".visually-hidden") || e.classList.contains("skip")) continue;
	const inText = e.matches("a, .link") && e.closest("p, .foot, .line-name");
	const r = (e.type === "radio" ? e.closest("label") : e).getBoundingClientRect();
	if (!inText && (r.height < 43.5 || r.width < 43.5)) problems.push("small target " + label(e) + " " + r.width + "x" + r.height);
	const name = e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length);
	if (!name && !e.hasAttribute("aria-hidden")) problems.push("no name " + label(e));
}
for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) problems.push("no alt " + e.src);
if (document.querySelectorAll("main h1").length !== 1) problems.push("h1 count");
for (const e of document.querySelectorAll("main *, nav *, header *")) {
	if (e.children.length || !e.textContent.trim() || !visible(e) || e.closest(".visually-hidden")) continue;
	if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline") problems.push("cut off " + label(e));
}
const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.99) if (c.length) return c.slice(0, 3); } return [255, 255, 255]; };
for (const e of document.querySelectorAll("body *")) {
	const text = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
	if (!text || !visible(e) || e.closest(".plastic, .visually-hidden, .skip") || e.disabled) continue;
	const style = getComputedStyle(e);
	const [a, b] = [light(parse(style.color).slice(0, 3)), light(ground(e))].sort((x, y) => y - x);
	const ratio = (a + 0.05) / (b + 0.05);
	const big = parseFloat(style.fontSize) >= 24;
	if (ratio < (big ? 3 : 4.5)) problems.push("contrast " + ratio.toFixed(2) + " " + label(e));
}
return problems;
"""


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_page_fits_and_can_be_read_and_hit(ready, language):
    ready.person.post("/api/profile", {"language": language})
    ready.person.order(ready.person.cards()[0]["id"])
    ready.open("/goods/socks")
    ready.tap(".pay .button-quiet")
    found = []
    for path in PATHS:
        ready.open(path)
        ready.gone("main .wait")
        for size, dark in ((TINY, False), (PHONE, True), (WIDE, False), (WIDE, True)):
            ready.look(size, dark)
            found += [f"{path} {size[0]} {'dark' if dark else 'light'}: {p}" for p in ready.js(MEASURE)]
        ready.look(PHONE)
        ready.js("document.documentElement.style.fontSize = '200%'")
        if ready.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
            found.append(f"{path}: text twice as large does not fit")
    assert found == []


def test_nothing_moves_while_a_page_is_loaded(ready):
    ready.person.order(ready.person.cards()[0]["id"])
    ready.open("/goods/socks")
    ready.tap(".pay .button-quiet")
    found = {}
    for path in PATHS:
        ready.open(path)
        ready.gone("main .wait, main .hero-wait")
        found[path] = moved(ready.driver)
    assert found == dict.fromkeys(PATHS, [])


def test_the_check_itself_sees_what_moves(ready):
    ready.open("/")
    ready.gone("main .hero-wait")
    assert moved(ready.driver) == []
    ready.js("document.querySelector('.hero-note').style.paddingBottom = '40px'")
    assert moved(ready.driver) != []


# What is in the files

def keys(name):
    return re.findall(r'"([\w.]+)": "', (WEB / f"js/{name}.js").read_text())


def test_both_languages_have_the_same_words():
    assert keys("ru") == keys("en") and len(keys("ru")) > 100
    assert len(set(keys("ru"))) == len(keys("ru"))


def test_every_word_is_used_and_every_use_has_words():
    code = "".join(p.read_text() for p in (WEB / "js").glob("*.js") if p.name not in ("ru.js", "en.js", "words.js"))
    for used in re.findall(r'\b(?:t|plural)\("([\w.]+)"', code):
        assert used in keys("ru") or used.endswith("."), used
    for word in keys("ru"):
        assert f'"{word}"' in code or word.split(".")[0] in ("help", "error", "state"), word


def test_the_worker_keeps_every_file_of_the_page():
    named = set(re.findall(r'"(/[^"]+)"', (WEB / "worker.js").read_text()))
    have = {"/" + str(p.relative_to(WEB)) for folder in ("js", "art") for p in (WEB / folder).iterdir()}
    assert have <= named
    for path in named - {"/api/me", "/api/orders"}:
        assert (WEB / path[1:]).exists() or (ROOT / "web" / path[1:]).exists(), path


def test_the_manifest_can_be_installed():
    manifest = json.loads((WEB / "manifest.webmanifest").read_text())
    assert manifest["display"] == "standalone" and manifest["start_url"] == "/" and manifest["short_name"]
    purposes = set()
    for image in manifest["icons"]:
        head = (WEB / image["src"][1:]).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert "x".join(map(str, struct.unpack(">II", head[16:24]))) == image["sizes"]
        purposes.add(image["purpose"])
    assert purposes == {"any", "maskable"}


def test_drawings_are_only_drawings():
    for path in (WEB / "art").glob("*.svg"):
        assert not re.search(r"<script|on\w+=|href=|<image|<style|style=", path.read_text()), path.name
