"""Paying on onfile's page in real browsers against the real programs: with a card on file, with a new one, after a refusal."""

import pytest

from drive import ASKS_ALWAYS, FRICTIONLESS, MASTERCARD, REFUSED_LATER
from test_methods import Merchant

ITEMS = {"line_items[0][price_data][currency]": "rub", "line_items[0][price_data][unit_amount]": "199000",
         "line_items[0][price_data][product_data][name]": "Blue mug", "line_items[0][quantity]": "1"}


@pytest.fixture(scope="module")
def merchant(sandbox):
    return Merchant(sandbox)


@pytest.fixture
def customer(merchant):
    return merchant.ask("POST", "/v1/customers", name="Anna")["id"]


def open_session(merchant, browser, customer, **more):
    session = merchant.ask("POST", "/v1/checkout/sessions", mode="payment", customer=customer, locale="en", **ITEMS, **more,
                           success_url="http://shop.localhost/ok", cancel_url="http://shop.localhost/basket")
    browser.driver.get(session["url"])
    return session


def status(merchant, session):
    return merchant.ask("GET", f"/v1/payment_intents/{session['payment_intent']}")["status"]


def test_one_tap_with_a_card_on_file(browser, merchant, customer):
    merchant.link(browser, customer, FRICTIONLESS)
    merchant.link(browser, customer, MASTERCARD)
    session = open_session(merchant, browser, customer)
    browser.see("#amount", "1,990")
    browser.see("#items", "Blue mug")
    browser.tap("#cards label", "4444")
    browser.tap("#pay", "1,990")
    browser.done("Mastercard •••• 4444")
    browser.see(".title", "Paid")
    assert status(merchant, session) == "succeeded"


def test_a_refused_card_and_then_one_on_file(browser, merchant, customer):
    merchant.link(browser, customer, FRICTIONLESS)
    session = open_session(merchant, browser, customer)
    browser.tap("#new")
    browser.see("#submit", "Pay RUB")
    browser.link(REFUSED_LATER)
    browser.failed("Your bank refused.")
    browser.tap("#failed-next")
    browser.tap("#choose")
    browser.tap("#pay")
    browser.done("Visa •••• 4242")
    assert status(merchant, session) == "succeeded"


def test_the_bank_asks_once_for_the_card_and_for_the_payment(browser, merchant, customer, phone):
    session = open_session(merchant, browser, customer)
    browser.link(ASKS_ALWAYS)
    browser.confirm(phone.code(browser, "3184"))
    browser.done("Visa •••• 3184")
    assert status(merchant, session) == "succeeded"
