"""The journey in real browsers against the real programs, as it should go: sign up, link a card, confirm it with the bank, buy in one tap."""

import drive
from drive import APP, ASKS_ALWAYS, BY_SMS, FRICTIONLESS, MASTERCARD


def test_from_the_first_visit_to_the_receipt(browser, sandbox, phone):
    shop = f"http://shop.localhost:{sandbox.shop}"
    drive.stand_up(browser, shop)
    browser.driver.get(shop + "/profile")
    browser.speak("en")
    number = drive.new_number()
    browser.type("#phone", number)
    browser.tap("form .button")
    browser.see("#code")
    browser.type("#code", phone.code(browser, number))
    browser.see("main h1", "Profile")

    browser.tap("main a[href='/cards'], nav.side a[href='/cards']")
    browser.see("main h2", "No cards yet")
    browser.tap("main .button", "Add")
    browser.tap("dialog button.row", "Bank card")
    browser.at(f"http://pay.localhost:{sandbox.public}/c/cs_")
    browser.link(FRICTIONLESS, name="IVAN PETROV")
    browser.done("Visa •••• 4242", stay=False)
    browser.see("main h1", "Card linked")  # nobody tapped: the card page goes back by itself

    browser.driver.get(shop + "/cards")
    [row] = browser.count("main button.row", 1)
    assert "Visa •••• 4242" in row.text.replace("\u00a0", " ") and "Default" in row.text

    browser.driver.get(shop + "/goods/mug")
    price = browser.see(".buy", "₽").text.removeprefix("Buy for ")
    browser.tap(".buy")
    browser.see("main h1", "Paid")
    receipt = browser.see(".receipt").text
    assert "4242" in receipt and price in receipt
    browser.driver.refresh()
    browser.see("main h1", "Paid")
    browser.driver.get(shop + "/orders")
    browser.count(".order-row", 1)


def test_code_typed_wrong_once_then_right(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(BY_SMS)
    code = phone.code(browser, "3155")
    browser.confirm(drive.wrong(code))
    with browser.bank():
        browser.see("#code-error", "2")  # tries are left
    assert shopper.cards() == []
    browser.confirm(code)
    browser.done("Visa •••• 3155")
    browser.back_to_shop()
    browser.see("main h1", "Card linked")
    assert [last4 for _, last4 in shopper.cards()] == ["3155"]


def test_tap_in_the_banks_app(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(APP)
    with browser.bank():
        browser.see(".steps")
        assert browser.find("#code") is None
    with browser.other_tab():
        browser.driver.get(phone.page + "#bank")
        browser.see(".ask", "3246")
        browser.tap(".ask .button:not(.button-quiet)")
        browser.gone(".ask")
    browser.done("Visa •••• 3246")
    assert [last4 for _, last4 in shopper.cards()] == ["3246"]


def test_no_in_the_banks_app(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(APP)
    with browser.bank():
        browser.see(".steps")
    with browser.other_tab():
        browser.driver.get(phone.page + "#bank")
        browser.tap(".ask .button-quiet")
        browser.gone(".ask")
    browser.failed("The bank could not confirm that it is you.")
    assert shopper.cards() == []


def test_same_card_again_keeps_its_id(browser, shopper):
    first = shopper.link(browser, FRICTIONLESS)
    other = shopper.link(browser, MASTERCARD)
    again = shopper.link(browser, FRICTIONLESS, expiry="01/32")
    assert again == first != other
    assert sorted(id for id, _ in shopper.cards()) == sorted([first, other])
    [card] = [one for one in shopper.get("/api/cards")["cards"] if one["id"] == first]
    assert (card["exp_month"], card["exp_year"]) == (1, 2032), "what was typed last is what is kept"


def test_the_default_is_chosen_on_onfiles_page(browser, shopper):
    visa = shopper.link(browser, FRICTIONLESS)
    mastercard = shopper.link(browser, MASTERCARD)
    assert [id for id, _ in shopper.cards()] == [visa, mastercard], "the first card is the default"
    browser.driver.get(shopper.shop + "/cards")
    browser.tap("main button.row", "4444")
    browser.at("/p/bps_")
    browser.tap("#cards button.row", "4444")
    browser.tap("#make-default")
    browser.see("#toast", "4444")
    browser.tap("#back")
    browser.wait(lambda: "4444" in browser.count("main button.row", 2)[0].text, "the new default on top")
    assert [id for id, _ in shopper.cards()] == [mastercard, visa]


def test_the_first_purchase_keeps_the_card(browser, shopper, phone):
    browser.driver.get(shopper.shop + "/goods/mug")
    browser.tap(".buy", "by card")
    browser.see("#submit", "Pay RUB")
    browser.link(BY_SMS)
    browser.confirm(phone.code(browser, "3155"))
    browser.see("main h1", "Paid")  # the page goes back by itself
    assert "3155" in browser.see(".receipt").text
    assert [last4 for _, last4 in shopper.cards()] == ["3155"]


def test_payment_that_asks_for_the_code(browser, shopper, phone):
    shopper.open_link(browser)
    browser.link(ASKS_ALWAYS)
    browser.confirm(phone.code(browser, "3184"))
    browser.done("Visa •••• 3184")
    browser.driver.get(shopper.shop + "/goods/mug")
    browser.tap(".buy")
    code = phone.code(browser, "3184")
    [order] = shopper.get("/api/orders")["orders"]
    assert order["state"] == "action", "nothing is paid before the code"
    browser.confirm(code)
    browser.done("Visa •••• 3184")
    browser.tap("#done-back")
    browser.at(f"{shopper.shop}/orders/{order['id']}")
    browser.see("main h1", "Paid")
    [order] = shopper.get("/api/orders")["orders"]
    assert order["state"] == "paid"
