"""Typing a card by keyboard and clipboard in both browsers: groups, caret, paste, dates, brands, errors, focus."""

import pytest
from conftest import CTRL, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def page(browser, session):
    browser.open(session)
    return browser


@pytest.mark.parametrize("digits, shown, brand, next_field", [
    ("4242424242424242", "4242 4242 4242 4242", "visa", "expiry"),
    ("5555555555554444", "5555 5555 5555 4444", "mastercard", "expiry"),
    ("2200000000000004", "2200 0000 0000 0004", "mir", "expiry"),
    ("378282246310005", "3782 822463 10005", "amex", "expiry"),
    ("6205500000000000004", "6205 5000 0000 0000 004", "unionpay", "expiry"),
    ("4242424242424241", "4242 4242 4242 4241", "visa", "number"),  # a slip: the focus stays
])
def test_number(page, digits, shown, brand, next_field):
    page.type(number=digits)
    assert page.value("number") == shown
    assert page.js("return document.getElementById('art').dataset.brand") == brand
    assert page.js("return document.getElementById('mark').getAttribute('src')") == f"/static/brands/{brand}.svg"
    assert page.text("art-number") == digits
    assert page.focus() == next_field


def test_brand_comes_with_the_first_digits(page):
    page.type(number="2")
    assert page.js("return document.getElementById('art').dataset.brand") == "generic"
    page.keys("200")
    assert page.js("return document.getElementById('art').dataset.brand") == "mir"
    page.keys(Keys.BACKSPACE * 4)
    assert page.js("return document.getElementById('art').dataset.brand") == "generic"


def test_caret_stays_where_one_types(page):
    page.type(number="424242424242")
    page.put_caret("number", 2)
    page.keys("9")
    assert (page.value("number"), page.caret("number")) == ("4294 2424 2424 2", 3)
    page.keys("81")
    assert (page.value("number"), page.caret("number")) == ("4298 1424 2424 242", 6)
    page.keys(Keys.BACKSPACE)  # takes the 1, the caret is at the gap's right
    assert page.value("number") == "4298 4242 4242 42"
    assert page.caret("number") in (4, 5)


def test_backspace_over_a_gap(page):
    page.type(number="42424242")
    page.put_caret("number", 5)
    page.keys(Keys.BACKSPACE)
    assert (page.value("number"), page.caret("number")) == ("4244 242", 3)


def test_delete_over_a_gap(page):
    page.type(number="12345678")
    page.put_caret("number", 4)
    page.keys(Keys.DELETE)
    assert (page.value("number"), page.caret("number")) == ("1234 678", 4)


def test_selection_is_replaced(page):
    page.type(number="4242424242424242")
    page.js("const f = document.getElementById('number'); f.focus(); f.setSelectionRange(5, 14)")
    page.keys("1")
    assert (page.value("number"), page.caret("number")) == ("4242 1424 2", 6)


@pytest.mark.parametrize("pasted", ["4242 4242 4242 4242", "4242-4242-4242-4242", "  4242424242424242 "])
def test_paste(page, pasted):
    page.js("const f = document.getElementById('name'); f.value = arguments[0]; f.focus(); f.select()", pasted)
    ActionChains(page.driver).key_down(CTRL).send_keys("x").key_up(CTRL).perform()
    page.js("document.getElementById('number').focus()")
    ActionChains(page.driver).key_down(CTRL).send_keys("v").key_up(CTRL).perform()
    until(lambda: page.value("number") == "4242 4242 4242 4242", f"the paste, it is {page.value('number')!r}")


def test_autofill(page):
    fill = """for (const [id, v] of Object.entries(arguments[0])) { const f = document.getElementById(id);
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(f, v);
        f.dispatchEvent(new Event('input', {bubbles: true})); f.dispatchEvent(new Event('change', {bubbles: true})); }"""
    page.js(fill, {"number": "5555555555554444", "expiry": "12/2030", "name": "A B"})
    assert page.value("number") == "5555 5555 5555 4444"
    assert page.call("format.js", "parseExpiry", page.value("expiry")) == {"month": 12, "year": 2030}
    assert page.js("return document.getElementById('art').dataset.brand") == "mastercard"
    assert page.text("art-name") == "A B"


DATES = [
    ("1/30", "01/30"), ("01/30", "01/30"), ("0130", "01/30"), ("130", "01/30"), ("530", "05/30"), ("1230", "12/30"), ("12/30", "12/30"),
    ("01/2030", "01/30"), ("01-2030", "01/30"), ("01 2030", "01/30"), ("1.30", "01/30"), ("9/31", "09/31"), ("10/30", "10/30"),
]


def test_dates(page):
    for keys, after in DATES:
        page.type(expiry=keys)
        page.js("document.getElementById('name').focus()")
        assert (page.value("expiry"), page.text("expiry-error")) == (after, ""), keys
        page.find("expiry").send_keys(CTRL + "a", Keys.BACKSPACE)
        assert page.value("expiry") == "", keys


def test_date_backspace(page):
    page.type(expiry="12")
    assert page.value("expiry") == "12/"
    page.keys(Keys.BACKSPACE)
    assert page.value("expiry") == "1"
    page.keys("130")
    assert page.value("expiry") == "11/30"
    page.js("document.getElementById('expiry').focus()")
    page.put_caret("expiry", 5)
    page.keys(Keys.BACKSPACE, Keys.BACKSPACE)
    assert page.value("expiry") == "11"


def test_code_and_the_card_s_back(page):
    page.type(number="4242424242424242", code="12")
    assert page.js("return document.getElementById('art').dataset.side") == "back"
    page.keys("345")
    assert page.value("code") == "123"
    page.js("document.getElementById('name').focus()")
    assert page.js("return document.getElementById('art').dataset.side") == "front"


def test_amex_code_is_on_the_front(page):
    page.type(number="378282246310005", code="12345")
    assert page.value("code") == "1234"
    assert page.js("return document.getElementById('art').dataset.side") == "front"
    assert page.text("art-front-code") == "1234"
    assert page.text("code-hint") == "4 digits on the front"


def test_empty_field_and_backspace_go_back(page):
    page.type(number="4242424242424242")
    assert page.focus() == "expiry"
    page.keys(Keys.BACKSPACE)
    assert page.focus() == "number"
    assert page.value("number") == "4242 4242 4242 4242"


def test_errors_only_after_the_field_was_left(page):
    page.type(number="4242424242424241")
    assert page.text("number-error") == ""
    page.keys(Keys.TAB)
    assert page.text("number-error") == "There is a slip in the number. Compare it with the card."
    assert page.find("number").get_attribute("aria-invalid") == "true"
    assert "number-error" in page.find("number").get_attribute("aria-describedby")
    page.put_caret("number", 19)
    page.keys(Keys.BACKSPACE, "2")
    assert page.text("number-error") == ""
    assert page.find("number").get_attribute("aria-invalid") == "false"


def test_untouched_fields_are_not_blamed(page):
    page.keys(Keys.TAB * 3)
    assert [page.text(f"{id}-error") for id in ("number", "expiry", "code")] == ["", "", ""]


def test_first_wrong_field_gets_the_focus(page, session):
    page.find("submit").click()
    assert page.focus() == "number"
    assert page.text("expiry-error") == "Enter the date, month and year."
    assert page.driver.title.startswith("Error: ")
    page.type(number="4242424242424242")
    page.type(code="123")
    page.find("submit").click()
    assert page.focus() == "expiry"
    assert session.posts == []


def test_a_click_on_the_button_is_not_lost_to_an_error_that_appears(page, session):
    page.type(expiry="1230", code="123", number="4242424242424241")
    top = "return document.getElementById('submit').getBoundingClientRect().top"
    before = page.js(top)
    ActionChains(page.driver).move_to_element(page.find("submit")).click_and_hold().perform()
    page.driver.execute_async_script("setTimeout(arguments[0], 60)")  # the field was left; its error must wait for the finger
    assert page.js(top) == before
    assert page.text("number-error") == ""
    ActionChains(page.driver).release().perform()
    until(lambda: page.text("number-error"), "the error")
    assert page.focus() == "number", "the click arrived: it put the focus on the first wrong field"


def test_brand_that_the_shop_does_not_take(browser, session):
    session.state["brands"] = ["mir"]
    browser.open(session)
    browser.type(number="4242424242424242")
    browser.keys(Keys.TAB)
    assert browser.text("number-error") == "Soyka does not take Visa. Use another card."


def test_enter_goes_on_and_then_submits(page, session):
    page.type(number="2200000000000004")
    page.put_caret("number", 5)
    page.keys(Keys.ENTER)
    assert page.focus() == "expiry"
    page.keys("1230")
    assert page.focus() == "code"
    page.keys("123", Keys.ENTER)
    page.view("busy")
    until(lambda: [verb for verb, _ in session.posts] == ["card"], "one card")


def test_errors_change_with_the_language(page):
    page.find("submit").click()
    page.find("language").click()
    assert page.text("number-error") == "Введите номер карты."
    assert page.text("code-error") == "Введите 3 цифры с оборота карты."
    assert page.js("return document.documentElement.lang") == "ru"
    page.driver.refresh()
    page.view("enter")
    assert page.text("submit") == "Привязать карту"
    page.find("language").click()
    assert page.text("submit") == "Link card"
    page.js("localStorage.clear()")
