"""The shop's back end, by HTTP: sign-in, cards, orders that are paid exactly once, what must not work."""
import re
import time

import pytest
import requests
from conftest import Person, last_code


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


# Sign-in

def test_a_new_number_registers_and_a_known_one_signs_in(shop):
    first, second = Person(shop), Person(shop)
    a = first.sign_in("8 (900) 123-45-67")
    b = second.sign_in("+79001234567")
    assert a["id"] == b["id"] and a["phone"] == "+7 900 123-45-67"


def test_the_sms_ends_in_the_line_that_phones_fill_in(shop, fake, person):
    person.ask_code("+79001234567")
    to, text = fake.state.messages[-1]
    assert to == "+79001234567"
    assert re.search(r"\n@shop\.localhost #\d{6}$", text)


def test_the_cookie_is_for_this_site_and_not_for_scripts(shop, person):
    challenge, code = person.ask_code("+79001234567")
    cookie = person.post("/api/sign-in", {"challenge": challenge, "code": code}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie


def test_on_https_the_cookie_is_secure_and_bound_to_the_host(make_shop):
    shop = make_shop(url="https://shop.example")
    person = Person(shop)
    shop.url = "https://shop.example"
    challenge, code = person.ask_code("+79001234567")
    cookie = person.post("/api/sign-in", {"challenge": challenge, "code": code}).headers["Set-Cookie"]
    assert cookie.startswith("__Host-soyka=") and "; Secure" in cookie


def other(code):
    return f"{(int(code) + 1) % 1000000:06d}"


def test_three_wrong_codes_end_it_even_for_the_right_one(shop, person):
    challenge, code = person.ask_code("+79001234567")
    for left in (2, 1):
        answer = person.post("/api/sign-in", {"challenge": challenge, "code": other(code)})
        assert answer.status_code == 400 and answer.json()["error"] == {"code": "code_wrong", "left": left}
    answer = person.post("/api/sign-in", {"challenge": challenge, "code": other(code)})
    assert answer.json()["error"]["code"] == "code_over"
    answer = person.post("/api/sign-in", {"challenge": challenge, "code": code})
    assert answer.json()["error"]["code"] == "code_over"
    assert person.get("/api/me").json()["account"] is None


def test_a_code_is_good_once(shop, person):
    challenge, code = person.ask_code("+79001234567")
    assert person.post("/api/sign-in", {"challenge": challenge, "code": code}).status_code == 200
    again = Person(shop).post("/api/sign-in", {"challenge": challenge, "code": code})
    assert again.json()["error"]["code"] == "code_over"


def test_a_code_is_bound_to_the_browser_that_asked(shop, fake):
    asked, thief = Person(shop), Person(shop)
    _, code = asked.ask_code("+79001234567")
    other_challenge, other_code = thief.ask_code("+79007654321")
    if code != other_code:
        assert thief.post("/api/sign-in", {"challenge": other_challenge, "code": code}).status_code == 400
    assert thief.post("/api/sign-in", {"challenge": "", "code": code}).json()["error"]["code"] == "code_over"


def test_codes_are_limited_to_one_a_minute_by_default(make_shop):
    shop = make_shop(**{"sms__per_minute": 1})
    person = Person(shop)
    person.ask_code("+79001234567")
    answer = person.post("/api/code", {"phone": "8 900 123 45 67"})
    assert answer.status_code == 429
    assert 0 < answer.json()["error"]["at"] - time.time() <= 61
    assert person.post("/api/code", {"phone": "+79001234568"}).status_code == 200


@pytest.mark.parametrize("key", ["sms__per_ten_minutes", "sms__per_day"])
def test_codes_are_limited_over_longer_times(make_shop, key):
    person = Person(make_shop(**{key: 2}))
    person.ask_code("+79001234567")
    person.ask_code("+79001234567")
    assert person.post("/api/code", {"phone": "+79001234567"}).status_code == 429


def test_bad_numbers_and_a_dead_gateway_are_said(shop, fake, person):
    assert person.post("/api/code", {"phone": "12345"}).json()["error"]["code"] == "phone"
    fake.state.sms_down = True
    assert person.post("/api/code", {"phone": "+79001234567"}).json()["error"]["code"] == "sms_failed"


def test_codes_are_not_stored_readable(shop, person, tmp_path, fake):
    person.ask_code("+79001234567")
    code = last_code(fake).encode()
    for file in (tmp_path / "data").iterdir():
        assert code not in file.read_bytes()


def test_signing_out_ends_the_session_for_a_stolen_cookie_too(shop, person):
    person.sign_in()
    stolen = Person(shop)
    stolen.session.cookies.update(person.session.cookies)
    assert stolen.get("/api/cards").status_code == 200
    person.post("/api/sign-out")
    assert stolen.get("/api/cards").status_code == 401


# Who may ask

@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://pay.localhost:8081", None])
def test_changes_come_from_the_own_page_only(shop, person, origin):
    person.sign_in()
    assert person.post("/api/profile", {"name": "X"}, origin=origin).status_code == 403
    assert person.get("/api/me").json()["account"]["name"] == ""


@pytest.mark.parametrize("path", ["/api/cards", "/api/orders", "/api/orders/S-1", "/api/cards/linked/cs_1"])
def test_reading_needs_an_account(shop, person, path):
    assert person.get(path).json()["error"]["code"] == "sign_in"


def test_unknown_routes_and_methods(shop, person):
    assert person.get("/api/nothing").status_code == 404
    assert person.get("/api/sign-in").status_code == 405
    assert person.get("/nothing").status_code == 404
    assert person.post("/api/code", {"phone": "1" * 20000}).status_code == 413


def test_what_is_no_json_object_is_refused(shop, person):
    for body, kind in ((b"[]", "application/json"), (b"{", "application/json"), (b'{"a":1,"a":2}', "application/json"),
                       (b"phone=1", "application/x-www-form-urlencoded"), (b"\xff", "application/json")):
        answer = person.session.post(shop.address + "/api/code", data=body,
                                     headers={"Origin": shop.url, "Content-Type": kind})
        assert answer.status_code == 400, body


def test_names_are_kept_and_checked(shop, person):
    person.sign_in()
    assert person.post("/api/profile", {"name": "Анна", "language": "en"}).json()["account"]["name"] == "Анна"
    assert person.get("/api/me").json()["account"]["language"] == "en"
    assert person.post("/api/profile", {"name": "a\nb"}).status_code == 400
    assert person.post("/api/profile", {"name": "я" * 70}).status_code == 400


# Pages

def test_pages_carry_a_strict_policy_and_no_secret(shop, person):
    answer = person.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "sk_test_shop" not in answer.text
    assert "<script>" not in answer.text and "style=" not in answer.text


@pytest.mark.parametrize("language,word", [("ru", "Кружка"), ("en", "Mug")])
def test_pages_say_something_without_script(shop, language, word):
    text = Person(shop, language).get("/").text
    assert f'<html lang="{language}"' in text
    assert word in text.split("<noscript>")[1]


def test_static_files_are_revalidated(shop, person):
    first = person.get("/static/tokens.css")
    again = person.session.get(shop.address + "/static/tokens.css", headers={"If-None-Match": first.headers["ETag"]})
    assert first.status_code == 200 and again.status_code == 304


# Cards

def test_a_linked_card_is_shown_and_is_the_default(shop, person):
    person.sign_in()
    assert person.cards() == []
    card = person.link("mir", "0004")
    assert (card["brand"], card["last4"]) == ("mir", "0004")
    assert [c["default"] for c in person.cards()] == [True]


def test_one_account_is_one_customer(shop, fake):
    for _ in range(2):
        person = Person(shop)
        person.sign_in()
        person.link()
    assert len(fake.state.customers) == 1


def test_the_way_back_does_not_say_who_paid(shop, fake):
    """The session in the address of the way back counts only for the account that opened it."""
    anna, boris = Person(shop), Person(shop)
    anna.sign_in("+79000000001")
    boris.sign_in("+79000000002")
    anna.post("/api/cards/link", {})
    session = next(iter(fake.state.sessions))
    assert boris.get(f"/api/cards/linked/{session}").status_code == 404
    assert anna.get(f"/api/cards/linked/{session}").json()["card"] is None


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a b"])
def test_the_way_back_stays_in_the_shop(shop, fake, person, path):
    person.sign_in()
    person.post("/api/cards/link", {"next": path})
    session = next(iter(fake.state.sessions.values()))
    assert session["cancel_url"] == shop.url + "/cards"


def test_cards_of_others_cannot_be_touched(shop, fake):
    anna, boris = Person(shop), Person(shop)
    anna.sign_in("+79000000001")
    boris.sign_in("+79000000002")
    card = anna.link()
    boris.link()
    assert boris.order(card["id"]).status_code == 404
    assert len(anna.cards()) == 1 and not fake.state.intents


def test_everything_else_is_done_on_onfiles_page(shop, fake, person):
    person.sign_in()
    person.link()
    url = person.post("/api/cards/manage").json()["url"]
    assert url.startswith(fake.url)
    [form] = [form for method, path, form, _ in fake.state.requests if path == "/v1/billing_portal/sessions"]
    assert form["return_url"] == shop.url + "/cards" and form["customer"] in fake.state.customers


# Orders

def test_an_order_is_paid_in_one_call(shop, fake, person):
    person.sign_in()
    card = person.link("mir", "0004")
    order = person.order(card["id"], [{"id": "mug", "count": 2}]).json()["order"]
    assert order["state"] == "paid" and order["card"]["last4"] == "0004"
    assert order["amount"] == 2 * order["items"][0]["price"]
    assert fake.state.charges(order["id"]) == 1
    assert person.get("/api/orders").json()["orders"][0]["id"] == order["id"]


def test_who_has_no_card_pays_on_onfiles_page_and_keeps_it(shop, fake, person):
    person.sign_in()
    answer = person.order("")
    order = answer.json()["order"]
    assert order["state"] == "action" and order["action"].startswith(fake.url + "/c/cs_test_") and order["card"]["last4"] == ""
    look = lambda: person.get(f"/api/orders/{order['id']}").json()["order"]  # noqa: E731
    assert look()["state"] == "action" and fake.state.charges(order["id"]) == 0
    requests.post(order["action"], data={"brand": "mir", "last4": "0004"}, allow_redirects=False)
    assert look()["state"] == "paid" and look()["card"]["last4"] == "0004" and fake.state.charges(order["id"]) == 1
    assert [card["last4"] for card in person.cards()] == ["0004"]


def test_an_order_whose_page_expired_can_be_paid_with_a_card(shop, fake, person):
    person.sign_in()
    order = person.order("").json()["order"]
    next(iter(fake.state.intents.values())).update(status="canceled")
    assert person.get(f"/api/orders/{order['id']}").json()["order"]["state"] == "failed"
    card = person.link()
    assert person.post(f"/api/orders/{order['id']}/pay", {"card": card["id"]}).json()["order"]["state"] == "paid"


def test_the_price_is_the_shops(shop, fake, person):
    person.sign_in()
    card = person.link()
    order = person.order(card["id"], [{"id": "mug", "count": 1, "price": 1}]).json()["order"]
    assert order["amount"] > 100 and fake.state.intents[next(iter(fake.state.intents))]["amount"] == order["amount"]


@pytest.mark.parametrize("items", [[], [{"id": "mug", "count": 0}], [{"id": "mug", "count": -1}], [{"id": "none", "count": 1}],
                                   [{"id": "mug", "count": 21}], [{"id": "mug", "count": 1.5}], [{"id": "mug"}],
                                   [{"id": "mug", "count": 1}] * 31, "mug", [7]])
def test_bad_baskets_are_refused(shop, fake, person, items):
    person.sign_in()
    card = person.link()
    body = {"items": items, "card": card["id"], "key": "0123456789abcdef"}
    assert person.post("/api/orders", body).status_code == 400
    assert not fake.state.intents


def test_the_same_tap_is_one_order(shop, fake, person):
    person.sign_in()
    card = person.link()
    first = person.order(card["id"], key="0123456789abcdef").json()["order"]
    second = person.order(card["id"], key="0123456789abcdef").json()["order"]
    assert first["id"] == second["id"] and fake.state.charges(first["id"]) == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_key(shop, fake, person):
    person.sign_in()
    card = person.link()
    fake.state.cut = 99
    order = person.order(card["id"]).json()["order"]
    assert order["state"] == "paying"
    assert fake.state.charges(order["id"]) == 1
    fake.state.cut = 0
    seen = person.get(f"/api/orders/{order['id']}").json()["order"]
    assert seen["state"] == "paid" and fake.state.charges(order["id"]) == 1
    keys = [key for method, path, _, key in fake.state.requests if path == "/v1/payment_intents"]
    assert len(keys) >= 2 and len(set(keys)) == 1


def test_a_crash_between_is_resolved_without_a_look(make_shop, fake):
    shop = make_shop()
    person = Person(shop)
    person.sign_in()
    card = person.link()
    fake.state.cut = 99
    order = person.order(card["id"]).json()["order"]
    assert order["state"] == "paying"
    shop.kill()
    fake.state.cut = 0
    shop.start()
    wait_for(lambda: person.get("/api/orders").json()["orders"][0]["state"] == "paid")
    assert fake.state.charges(order["id"]) == 1


def test_a_refusal_is_told_and_another_card_pays_the_same_order(shop, fake, person):
    person.sign_in()
    bad = person.link("visa", "9995")
    good = person.link("mir", "0004")
    order = person.order(bad["id"]).json()["order"]
    assert order["state"] == "failed"
    assert order["error"]["messages"]["ru"].startswith("Недостаточно средств")
    assert order["error"]["reference"] and order["error"]["who"] == "shopper"
    paid = person.post(f"/api/orders/{order['id']}/pay", {"card": good["id"]}).json()["order"]
    assert paid["state"] == "paid" and paid["id"] == order["id"] and "error" not in paid
    assert fake.state.charges(order["id"]) == 1 and len(fake.state.intents) == 1
    again = person.post(f"/api/orders/{order['id']}/pay", {"card": good["id"]}).json()["order"]
    assert again["state"] == "paid" and fake.state.charges(order["id"]) == 1


def test_refusals_are_kept_in_both_languages(shop, fake):
    person = Person(shop, "en")
    person.sign_in()
    order = person.order(person.link("visa", "0341")["id"]).json()["order"]
    assert order["error"]["messages"]["en"].startswith("Your bank refused.")
    assert order["error"]["titles"]["ru"] == "Банк отказал"
    assert "decline" not in str(order) and "card_declined" not in str(order)


def test_a_question_of_the_bank_is_an_address_and_resolves_on_return(shop, fake, person):
    person.sign_in()
    order = person.order(person.link("visa", "3184")["id"]).json()["order"]
    assert order["state"] == "action" and order["action"].startswith("http")
    intent = next(iter(fake.state.intents.values()))
    intent.update(status="succeeded", next_action=None)
    assert person.get(f"/api/orders/{order['id']}").json()["order"]["state"] == "paid"


def test_onfile_down_leaves_the_order_open_and_it_is_paid_once_it_is_back(shop, fake, person):
    person.sign_in()
    card = person.link()
    fake.state.down = True
    assert person.order(card["id"]).json()["error"]["code"] == "onfile_away"
    fake.state.down = False
    assert person.order(card["id"]).json()["order"]["state"] == "paid"


def test_orders_of_others_are_not_there(shop, person):
    person.sign_in()
    order = person.order(person.link()["id"]).json()["order"]
    boris = Person(shop)
    boris.sign_in("+79000000002")
    assert boris.get(f"/api/orders/{order['id']}").status_code == 404
    assert boris.post(f"/api/orders/{order['id']}/pay", {"card": "pm_1"}).status_code == 404
    assert boris.get("/api/orders").json()["orders"] == []
