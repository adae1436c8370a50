"""The payment-methods page in real browsers against the real programs: see, add, choose, name, remove, change one's mind."""

import pytest
import requests

from drive import BY_SMS, FRICTIONLESS, MASTERCARD


class Merchant:
    """A merchant's back end: customers, cards, addresses of the page."""

    def __init__(self, sandbox):
        self.api, self.key = sandbox.api, sandbox.merchant("Soyka").secret_key

    def ask(self, method, path, **fields):
        answer = requests.request(method, self.api + path, data=fields, headers={"Authorization": f"Bearer {self.key}"}, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def open(self, browser, customer, **fields):
        url = self.ask("POST", "/v1/billing_portal/sessions", customer=customer, locale="en", return_url="http://shop.localhost/me", **fields)["url"]
        browser.driver.get(url)
        return url

    def link(self, browser, customer, number):
        url = self.ask("POST", "/v1/checkout/sessions", mode="setup", customer=customer, success_url="http://shop.localhost/")["url"]
        browser.driver.get(url)
        browser.link(number)
        browser.done(number[-4:])

    def cards(self, customer):
        return [card["card"]["last4"] for card in self.ask("GET", f"/v1/customers/{customer}/payment_methods")["data"]]


@pytest.fixture(scope="module")
def merchant(sandbox):
    return Merchant(sandbox)


@pytest.fixture
def customer(merchant):
    return merchant.ask("POST", "/v1/customers", name="Anna")["id"]


def rows(browser, number):
    return [row.text.replace("\u00a0", " ") for row in browser.count("#cards button.row", number)]


def test_the_first_card_comes_by_way_of_the_bank(browser, merchant, customer, phone):
    merchant.open(browser, customer)
    browser.see("#empty", "No card yet")
    browser.tap("#add")
    browser.tap("#way-card")
    browser.link(BY_SMS)
    browser.confirm(phone.code(browser, "3155"))
    browser.done("Visa •••• 3155", stay=False)
    browser.see("#toast", "The card is added")
    [row] = rows(browser, 1)
    assert "Visa •••• 3155" in row and "Default" in row
    assert "#linked" not in browser.driver.current_url


def test_choose_name_and_remove(browser, merchant, customer):
    merchant.link(browser, customer, FRICTIONLESS)
    merchant.link(browser, customer, MASTERCARD)
    merchant.open(browser, customer)
    first, second = rows(browser, 2)
    assert "4242" in first and "Default" in first and "4444" in second

    browser.tap("#cards button.row", "4444")
    browser.tap("#make-default")
    browser.wait(lambda: "4444" in rows(browser, 2)[0], "the other card as the default")
    browser.tap("#cards button.row", "4242")
    browser.type("#name", "Family")
    browser.tap("#name-form .button")
    browser.see("#cards button.row", "Family")

    browser.tap("#cards button.row", "Family")
    browser.tap("#remove")
    browser.tap("#remove-yes")
    browser.count("#cards button.row", 1)
    browser.tap("#undo")
    browser.see("#cards button.row", "Family")
    assert merchant.cards(customer) == ["4444", "4242"]


def test_a_card_stays_removed_when_the_page_is_left(browser, merchant, customer):
    merchant.link(browser, customer, FRICTIONLESS)
    merchant.open(browser, customer)
    browser.tap("#cards button.row", "4242")
    browser.tap("#remove")
    browser.tap("#remove-yes")
    browser.see("#empty")
    assert merchant.cards(customer) == ["4242"]
    browser.driver.get("about:blank")
    browser.wait(lambda: merchant.cards(customer) == [], "the card to go")


def test_a_merchant_may_send_the_shopper_to_add_a_card(browser, merchant, customer):
    url = merchant.open(browser, customer, **{"flow_data[type]": "payment_method_update"})
    browser.at("/c/cs_test_")
    browser.view("enter")
    browser.tap("#back")
    browser.see("#empty")
    assert browser.driver.current_url.startswith(url)


def test_what_another_tab_removed_is_not_there_any_more(browser, merchant, customer):
    merchant.link(browser, customer, FRICTIONLESS)
    merchant.open(browser, customer)
    browser.tap("#cards button.row", "4242")
    [card] = merchant.ask("GET", f"/v1/customers/{customer}/payment_methods")["data"]
    merchant.ask("POST", f"/v1/payment_methods/{card['id']}/detach")
    browser.type("#name", "late")
    browser.tap("#name-form .button")
    browser.see("#toast", "changed meanwhile")
    browser.see("#empty")
