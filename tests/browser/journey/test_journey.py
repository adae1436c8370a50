"""The whole journey in real browsers against the real programs: sign up, link a card, confirm it with the bank, buy in one tap; and
everything that goes wrong on the way."""

import drive

FRICTIONLESS = "4242424242424242"


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
    browser.done("Visa •••• 4242")
    browser.back_to_shop()
    browser.see("main h1", "Card linked")

    browser.driver.get(shop + "/cards")
    [row] = browser.count("main button.row", 1)
    assert "Visa •••• 4242" in row.text.replace("\u00a0", " ") and "Default" in row.text

    browser.driver.get(shop + "/goods/mug")
    browser.tap(".buy")
    browser.see("main h1", "Paid")
    assert "4242" in browser.see(".receipt").text
