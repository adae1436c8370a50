"""From "Link card" to the end, with everything that goes wrong on the way: one request, nothing left behind, every step resumes."""

import time

import pytest
from conftest import until
from selenium.webdriver.common.by import By
from test_modules import OPEN_SCRIPT

NUMBER = "2200000000000004"


@pytest.fixture
def page(browser, session):
    browser.open(session)
    return browser


def fill(page, number=NUMBER, code="987", name="IVAN PETROV"):
    page.type(number=number, expiry="1230", code=code, name=name)


def submit(page):
    page.find("submit").click()


def cards(session):
    return [fields for verb, fields in session.posts if verb == "card"]


def in_frame(page, script):
    """Does something inside the bank's frame."""
    until(lambda: page.js("return document.querySelector('.bank-frame') !== null && document.getElementById('cover').hidden"), "the bank's page")
    page.driver.switch_to.frame(page.driver.find_element(By.CSS_SELECTOR, ".bank-frame"))
    try:
        until(lambda: page.driver.find_elements(By.ID, "go"), "the bank's form")
        script()
    finally:
        page.driver.switch_to.default_content()


def answer(page):
    in_frame(page, lambda: page.driver.find_element(By.ID, "go").click())


def test_what_is_sent(page, session, fake):
    fake.clock = 3 * 86400  # core's clock and the browser's are three days apart: core's counts
    page.driver.refresh()
    page.view("enter")
    fill(page)
    submit(page)
    page.view("busy")
    [fields] = until(lambda: cards(session), "the card that is sent")
    got = page.driver.execute_async_script(OPEN_SCRIPT, fields["encrypted"])["value"]
    assert abs(got.pop("issued") - (time.time() + fake.clock)) < 5
    assert got == {"number": NUMBER, "exp_month": 12, "exp_year": 2030, "cvc": "987", "name": "IVAN PETROV", "intent": "seti_test_1"}
    assert set(fields) == {"encrypted"} | {f"browser[{n}]" for n in
                                           ("java", "language", "color_depth", "screen_height", "screen_width", "time_zone", "window")}


def test_nothing_is_left_in_the_page(page, session):
    fill(page)
    submit(page)
    page.view("busy")
    everything = page.js("""return document.documentElement.outerHTML + [...document.querySelectorAll('input')].map(i => i.value).join('|')
        + location.href + document.title + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + JSON.stringify(history.state)""")
    for secret in (NUMBER, "2200 0000 0000 0004", "987", "IVAN PETROV"):
        assert secret not in everything
    assert "0004" in page.text("art-number"), "the last four digits may be seen"


def test_sent_once(page, session):
    fill(page)
    page.js("const b = document.getElementById('submit'); b.click(); b.click(); document.getElementById('form').requestSubmit()")
    page.view("busy")
    session.done()
    page.view("done")
    assert len(cards(session)) == 1


def test_frictionless(page, session, fake):
    fill(page)
    submit(page)
    page.view("busy")
    session.set(step="authenticating")
    until(lambda: page.js("return document.querySelector('.steps-item[data-is=now]').dataset.step") == "authenticating", "the step")
    session.done()
    page.view("done")
    assert page.text("done-name") == "Mir •••• 0004"
    assert page.find("done-back").get_attribute("href") == fake.shop + "/linked"
    assert page.shown("auto")
    until(lambda: page.driver.current_url == fake.shop + "/linked", "going back by itself")
    page.driver.back()
    page.view("done")
    assert not page.shown("auto"), "back from the shop is no trap"


def test_stay(page, session):
    fill(page)
    submit(page)
    page.view("busy")
    session.done()
    page.view("done")
    page.find("auto-stay").click()
    assert not page.shown("auto")
    assert page.focus() == "done-back"


def test_done_seen_again_does_not_go_back(browser, session):
    session.done()
    browser.open(session, "done")
    assert not browser.shown("auto")


def test_method_and_challenge(page, session, fake):
    fill(page)
    submit(page)
    page.view("busy")
    session.method()
    until(lambda: any(verb == "method" for verb, _ in session.posts), "the bank's look at the browser")
    session.set(step="authenticating", method=None)
    session.challenge("05")
    until(lambda: page.driver.current_url.endswith("/challenge"), "the challenge page")
    answer(page)
    until(lambda: any(verb == "returned" for verb, _ in session.posts), "the way back")
    [asked] = [fields for verb, fields in session.posts if verb == "acs"]
    assert asked["threeDSSessionData"] == session.token and asked["creq"]
    until(lambda: page.shown("cover-answered"), "the page's thanks")
    assert page.driver.current_url.endswith("/challenge"), "what came from the frame decides nothing"
    session.done()
    page.view("done")
    assert page.shown("auto")
    assert page.driver.current_url == f"{fake.pay}/c/{session.token}"


def test_challenge_as_a_page_of_its_own(browser, session, fake):
    session.challenge("05")
    browser.driver.get(f"{fake.pay}/c/{session.token}")
    until(lambda: browser.driver.current_url.endswith("/challenge"), "the challenge page")
    until(lambda: browser.js("return document.getElementById('cover').hidden"), "the bank's page")
    browser.find("help-open").click()
    browser.find("full").click()
    until(lambda: browser.driver.current_url.startswith(fake.bank), "the bank at the top")
    until(lambda: browser.driver.find_elements(By.ID, "go"), "the bank's form")
    session.done()
    browser.driver.find_element(By.ID, "go").click()
    until(lambda: browser.driver.current_url.startswith(f"{fake.pay}/c/{session.token}"), "the card page")
    browser.view("done")


def test_challenge_left(browser, session, fake):
    session.challenge("05")
    browser.driver.get(f"{fake.pay}/c/{session.token}/challenge")
    until(lambda: browser.js("return document.getElementById('cover').hidden"), "the bank's page")
    browser.find("leave").click()
    browser.find("leave-yes").click()
    browser.view("enter")
    assert [verb for verb, _ in session.posts if verb == "cancel"] == ["cancel"]


def test_waiting_stopped(browser, session):
    session.set(step="waiting", challenge={"info": ""})
    browser.open(session, "waiting")
    browser.js("document.querySelector('.view[data-view=waiting] .stop').click()")
    browser.view("enter")


def test_older_answer_does_not_turn_the_page_back(page, session):
    fill(page)
    submit(page)
    page.view("busy")
    session.set(step="authenticating")
    until(lambda: page.js("return document.querySelector('.steps-item[data-is=now]').dataset.step") == "authenticating", "the step")
    got = page.driver.execute_async_script("""const done = arguments[0]; import('/static/state.js').then(({Follower}) => {
        const seen = []; const f = new Follower('x', {state: s => seen.push(s.revision), trouble() {}, gone() {}});
        f.take({revision: 5, now: 1}); f.take({revision: 4, now: 1}, true); f.take({revision: 6, now: 1}, true); f.take({revision: 2, now: 1});
        done(seen); });""")
    assert got == [5, 6, 2]


def test_no_challenge_open(browser, session, fake):
    browser.driver.get(f"{fake.pay}/c/{session.token}/challenge")
    browser.view("enter")


def test_other_windows_cannot_end_the_challenge(chromium, session, fake):
    session.challenge("05")
    chromium.driver.get(f"{fake.pay}/c/{session.token}/challenge")
    until(lambda: chromium.js("return document.getElementById('cover').hidden"), "the bank's page")
    chromium.js("window.postMessage('onfile:returned', location.origin)")
    in_frame(chromium, lambda: chromium.js("parent.postMessage('onfile:returned', '*')"))
    assert chromium.js("return document.getElementById('cover').hidden")


STEPS = {
    "checking": (lambda s: s.set(step="checking"), "busy"), "preparing": (lambda s: s.method(), "busy"),
    "authenticating": (lambda s: s.set(step="authenticating"), "busy"), "challenge": (lambda s: s.challenge("05"), "bank"),
    "waiting": (lambda s: s.set(step="waiting", challenge={"info": "Open the app"}), "waiting"), "done": (lambda s: s.done(), "done"),
    "failed": (lambda s: s.set(step="enter", error="refused"), "failed"), "expired": (lambda s: s.set(step="expired"), "expired"),
}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_resumes(browser, session, fake, step):
    move, view = STEPS[step]
    move(session)
    browser.driver.get(f"{fake.pay}/c/{session.token}")
    browser.view(view)
    browser.driver.refresh()
    browser.view(view)


def test_second_tab_follows(chromium, session):
    chromium.open(session)
    first = chromium.driver.current_window_handle
    chromium.driver.switch_to.new_window("tab")
    try:
        chromium.open(session)
        fill(chromium)
        submit(chromium)
        chromium.view("busy")
        chromium.driver.switch_to.window(first)
        chromium.view("busy")
        session.done()
        chromium.view("done")
    finally:
        for handle in chromium.driver.window_handles:
            if handle != first:
                chromium.driver.switch_to.window(handle)
                chromium.driver.close()
        chromium.driver.switch_to.window(first)


def test_connection_cut_while_sending(page, session, fake):
    fill(page)
    fake.cut = 1
    submit(page)
    until(lambda: session.state["step"] == "checking", "the second try")
    sent = cards(session)
    assert len(sent) >= 2 and len({f["encrypted"] for f in sent}) == 1, "the same message again: it counts once"
    session.done()
    page.view("done")


def test_core_away_and_back(page, session, fake):
    fake.down = True
    session.set()  # wakes the question that waits, so that the next one fails
    until(lambda: page.shown("net"), "word of the trouble")
    assert page.text("net") == "The server does not answer. Trying again, nothing is lost."
    page.type(number="4242")
    fake.down = False
    until(lambda: not page.shown("net"), "all well")
    assert page.value("number") == "4242", "what was typed is still there"


def test_page_that_waits_for_core(browser, session, fake):
    fake.down = True
    browser.driver.get(f"{fake.pay}/c/{session.token}")
    until(lambda: "away" in browser.driver.title, "the page that waits")
    fake.down = False
    browser.view("enter")


def test_proof_of_work(browser, session):
    session.state["proof"] = {"nonce": "abc123", "bits": 12}
    browser.open(session)
    fill(browser)
    submit(browser)
    until(lambda: session.state["step"] == "checking", "an accepted proof")
    assert cards(session)[0]["proof"].startswith("abc123:")


def test_more_proof_is_asked_for(page, session):
    fill(page)
    session.state["proof"] = {"nonce": "later", "bits": 8}  # the guards woke up after the page was loaded
    submit(page)
    until(lambda: session.state["step"] == "checking", "the second try with a proof")
    assert len(cards(session)) == 2


def test_refused_request(page, session):
    session.answer = (429, {"error": {"code": "rate_limit", "message": "Too many requests."}})
    fill(page)
    submit(page)
    page.view("failed")
    assert page.text("failed-text") == "Too many requests."
    page.find("failed-next").click()
    page.view("enter")
    assert page.focus() == "number"


@pytest.mark.parametrize("kind, button, text", [
    ("refused", "failed-next", "Use another card"), ("away", "failed-next", "Try again"), ("unconfirmed", "failed-next", "Try again"),
    ("fault", "failed-leave", "Back to Soyka"), ("limit", "failed-leave", "Back to Soyka"),
])
def test_best_next_step(browser, session, kind, button, text):
    session.set(error=kind)
    browser.open(session, "failed")
    other = {"failed-next": "failed-leave", "failed-leave": "failed-next"}[button]
    assert browser.shown(button) and not browser.shown(other)
    assert browser.text(button) == text
    assert browser.text("failed-reference") == "K7Q2-M4ZD"
    assert browser.find("failed-support").get_attribute("href").startswith("mailto:help@soyka.example?subject=")


def test_lost_card_looks_like_any_refusal(chromium, session):
    looks = []
    for again in ("after_call", "never"):
        session.set(error="refused", error_more={"again": again})
        chromium.open(session, "failed")
        looks.append(chromium.js("return document.querySelector('.view[data-view=failed]').innerText"))
    assert looks[0] == looks[1]


def test_time_to_wait_passes(chromium, session):
    session.set(error="limit", error_more={"at": int(time.time()) + 2})
    chromium.open(session, "failed")
    assert chromium.shown("failed-time") and not chromium.shown("failed-next")
    until(lambda: chromium.shown("failed-next"), "the button that tries again")
    assert chromium.text("failed-next") == "Try again"


def test_wrong_field_is_named(browser, session):
    session.set(error="wrong")
    browser.open(session)
    assert browser.focus() == "code"
    assert browser.text("code-error") == "Check the code."
    assert "K7Q2-M4ZD" in browser.text("enter-error-text")


def test_reference_is_copied(chromium, session):
    session.set(error="refused")
    chromium.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    chromium.open(session, "failed")
    chromium.find("copy").click()
    until(lambda: chromium.js("return document.getElementById('copy').dataset.copied") == "yes", "the copy")
    got = chromium.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], e => arguments[0](String(e)))")
    assert got == "K7Q2-M4ZD"


def test_language_is_asked_of_core(browser, session):
    session.state["locale"] = "ru"
    session.set(error="refused")
    browser.open(session, "failed")
    until(lambda: browser.text("failed-title") == "Банк отклонил операцию", "the sentence in the session's language")
    browser.find("language").click()
    until(lambda: browser.text("failed-title") == "Your bank refused", "the sentence in the language that was chosen")
    browser.js("localStorage.clear()")


def test_waiting_goes_on_by_itself(browser, session):
    session.set(step="waiting", challenge={"info": "Open the bank's app"})
    browser.open(session, "waiting")
    assert browser.text("waiting-info") == "Open the bank's app"
    session.done()
    browser.view("done")


def test_script_links_are_not_links(browser, session):
    session.state["cancel_url"] = "javascript:alert(1)"
    browser.open(session)
    assert not browser.shown("back") and browser.shown("merchant-plain")


def test_payment_has_its_own_words(browser, session):
    session.state.update(mode="payment", amount={"minor": 199000, "currency": "rub", "decimals": 2})
    browser.open(session)
    assert browser.text("submit").replace("\u00a0", " ") in ("Pay RUB 1,990", "Pay RUB1,990")
    session.done()
    browser.view("done")
    assert browser.js("return document.querySelector('.view[data-view=done] .title').textContent") == "Paid"


def test_lost_page(browser, fake):
    browser.driver.get(f"{fake.pay}/nothing/here")
    until(lambda: browser.js("return [...document.querySelectorAll('section')].filter(s => s.checkVisibility()).length") == 1,
          "one language")


def test_without_javascript(chromium, session, fake):
    chromium.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.driver.get(f"{fake.pay}/c/{session.token}")
        words = chromium.driver.find_element(By.TAG_NAME, "main").text
        assert "JavaScript" in words and "Номер карты шифруется" in words
    finally:
        chromium.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
