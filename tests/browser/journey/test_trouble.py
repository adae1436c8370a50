"""What goes wrong on the way, in real browsers against the real programs: wrong codes, second thoughts, reloads, the back button, two
tabs, refusals. Nothing is saved that was not confirmed, and the shopper is told."""

import re

import pytest

import drive
from drive import BY_SMS, FRICTIONLESS, REFUSED, REFUSED_LATER

REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")
UNCONFIRMED = "The bank could not confirm that it is you."


def test_code_wrong_three_times(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(BY_SMS)
    code = phone.code(browser, "3155")
    for left in ("2", "1"):
        browser.confirm(drive.wrong(code))
        with browser.bank():
            browser.see("#code-error", left if left == "2" else "One")
    browser.confirm(drive.wrong(code))
    assert REFERENCE.fullmatch(browser.failed(UNCONFIRMED))
    assert shopper.cards() == []
    browser.tap("#failed-next")
    browser.link(FRICTIONLESS)
    browser.done("Visa •••• 4242")


def test_cancel_at_the_bank(browser, shopper):
    shopper.open_link(browser)
    browser.link(BY_SMS)
    with browser.bank():
        browser.tap("button[value=cancel]")
    assert REFERENCE.fullmatch(browser.failed(UNCONFIRMED))
    assert shopper.cards() == []


def test_leaving_the_banks_page(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(BY_SMS)
    phone.code(browser, "3155")
    browser.tap("#leave")
    browser.tap("#leave-yes")
    browser.view("enter")
    assert browser.find("#enter-error") is None, "who stops by themselves need not be told that it failed"
    assert shopper.cards() == []
    browser.tap("#back")
    browser.see("main h2", "No cards yet")


def test_reload_at_every_step(browser, shopper, phone, sandbox):
    shopper.open_link(browser)
    browser.fill(BY_SMS)
    browser.driver.refresh()
    browser.view("enter")
    assert browser.js("return [...document.querySelectorAll('input')].map(i => i.value).join('')") == "", "no card stays in a page"
    with drive.bank_holds_its_breath(sandbox):
        browser.link(BY_SMS)
        for _ in range(2):
            browser.wait(lambda: browser.find(".steps-item[data-step=checking][data-is=now]"), "the bank that checks")
            browser.driver.refresh()
    code = phone.code(browser, "3155")
    browser.confirm(drive.wrong(code))
    with browser.bank():
        browser.see("#code-error", "2")
    browser.driver.refresh()
    with browser.bank():
        browser.see("#code-error", "2")
    assert len([one for one in phone.messages() if one["id"] > phone.seen]) == 0, "no second SMS for a reload"
    browser.confirm(code)
    browser.done("Visa •••• 3155")
    browser.driver.refresh()
    browser.done("Visa •••• 3155")
    browser.back_to_shop()
    browser.driver.refresh()
    browser.see("main h1", "Card linked")
    assert [last4 for _, last4 in shopper.cards()] == ["3155"]


@pytest.mark.back
def test_back_button(browser, shopper, phone):
    browser.driver.get(shopper.shop + "/cards")
    browser.see("main h2", "No cards yet")
    browser.tap("main .button", "Add")
    browser.tap("dialog button.row", "Bank card")
    browser.view("enter")
    browser.driver.back()
    browser.see("main h1", "Payment methods")
    browser.driver.forward()
    browser.link(BY_SMS)
    code = phone.code(browser, "3155")
    with browser.bank():
        browser.see("#code")
    browser.driver.back()  # out of the bank's page, straight to the shop: there is no half-way page to be caught in
    browser.see("main h1", "Payment methods")
    browser.driver.forward()
    browser.confirm(code)
    browser.done("Visa •••• 3155")
    browser.back_to_shop()
    browser.driver.back()
    browser.done("Visa •••• 3155")
    assert [last4 for _, last4 in shopper.cards()] == ["3155"]


def test_two_tabs_of_one_link(browser, shopper, phone):
    shopper.open_link(browser)
    address = browser.driver.current_url
    with browser.other_tab() as (first, other):
        browser.driver.get(address)
        browser.link(BY_SMS)
        code = phone.code(browser, "3155")
        with browser.bank():
            browser.see("#code")
        browser.driver.switch_to.window(first)
        with browser.bank():
            browser.see("#code")
        assert len([one for one in phone.messages() if one["id"] > phone.seen]) == 0, "one attempt, one SMS"
        browser.confirm(code)
        browser.done("Visa •••• 3155")
        browser.driver.switch_to.window(other)
        browser.done("Visa •••• 3155")
    assert [last4 for _, last4 in shopper.cards()] == ["3155"]


def test_two_links_at_once(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(BY_SMS)
    code = phone.code(browser, "3155")
    with browser.other_tab("window") as (first, other):
        shopper.open_link(browser)
        browser.link(FRICTIONLESS)
        browser.failed("Another try is still running. Wait until it has ended.", reference=False)
        browser.driver.switch_to.window(first)
        browser.confirm(code)
        browser.done("Visa •••• 3155")
        browser.driver.switch_to.window(other)
        browser.tap("#failed-next")
        browser.link(FRICTIONLESS)
        browser.done("Visa •••• 4242")
    assert [last4 for _, last4 in shopper.cards()] == ["3155", "4242"]


SENTENCES = {
    "en": ("Your bank refused. Call the number on the back of the card, or use another card.", "Your bank", "Use another card"),
    "ru": ("Банк отклонил операцию. Позвоните по номеру на обороте карты или выберите другую карту.", "Ваш банк", "Другая карта"),
}


@pytest.mark.parametrize("language", ["en", "ru"], indirect=True)
def test_refused_card(browser, shopper, sandbox, language):
    sentence, who, _ = SENTENCES[language]
    shopper.open_link(browser)
    browser.link(REFUSED)
    reference = browser.failed(sentence)
    assert REFERENCE.fullmatch(reference)
    browser.see("#failed-who", who)
    browser.driver.refresh()
    assert browser.failed(sentence) == reference
    assert shopper.cards() == []
    story = sandbox.onfile("trace", reference)
    assert "declined" in story and REFUSED not in story
    browser.tap("#failed-next")
    browser.link(FRICTIONLESS)
    browser.done("4242")


@pytest.mark.parametrize("language", ["en", "ru"], indirect=True)
def test_refused_payment(browser, shopper, sandbox, language):
    sentence, _, _ = SENTENCES[language]
    shopper.link(browser, REFUSED_LATER)
    browser.driver.get(shopper.shop + "/goods/mug")
    browser.tap(".buy")
    browser.see(".notice-danger p", sentence)
    reference = browser.see(".reference .strong").text
    assert REFERENCE.fullmatch(reference)
    assert "declined" in sandbox.onfile("trace", reference)
    [order] = shopper.get("/api/orders")["orders"]
    assert order["state"] == "failed"


def test_all_in_russian(sandbox, phone, folder):
    """The bank speaks the browser's language, as EMV 3-D Secure has it; the shop and the card page that of the account."""
    with drive.chromium(folder, "ru") as browser:
        browser.look(drive.PHONE)
        shopper = drive.Shopper(sandbox, phone, "ru")
        shopper.sit_down(browser)
        shopper.open_link(browser)
        browser.see("#submit", "Привязать карту")
        browser.link(BY_SMS)
        code = phone.code(browser, "привязка карты •• 3155")
        with browser.bank():
            browser.see("h1", "Введите код из СМС")
        with browser.other_tab():
            browser.driver.get(phone.page + "#messages")
            browser.see(".sms-text", "Никому его не сообщайте")
        browser.confirm(drive.wrong(code))
        with browser.bank():
            browser.see("#code-error", "Код неверный. Осталось попыток: 2.")
        browser.confirm(code)
        browser.done("3155")
        browser.back_to_shop()
        browser.see("main h1", "Карта привязана")
        assert browser.complaints() == []


def test_a_broken_policy_would_be_noticed(chromium_browser, sandbox, phone):
    """The guard of all the other tests can fail: a rule that is broken in the bank's frame, an error in the page."""
    browser = chromium_browser
    shopper = drive.Shopper(sandbox, phone)
    shopper.sit_down(browser)
    shopper.open_link(browser)
    browser.complaints()
    browser.js("setTimeout(() => { throw new Error('planted') })")
    browser.wait(lambda: any("planted" in line for line in browser.complaints()), "word of the error")
    browser.link(BY_SMS)
    with browser.bank():
        browser.see("#code")
        browser.js("document.body.append(Object.assign(new Image(), {src: 'http://example.invalid/'}))")
        browser.wait(lambda: any("Content Security Policy" in line for line in browser.complaints()), "word of the broken rule")
    browser.driver.get("about:blank")
    browser.complaints()
