"""The pure parts, called one by one in both browsers: brands, formatting, dates, checks, the JWE, the proof of work, browser data."""

import hashlib

import pytest
from conftest import Browser, guarded

NUMBERS = [  # digits, brand, shown
    ("4", "visa", "4"), ("4242424242424242", "visa", "4242 4242 4242 4242"), ("424242424242424242", "visa", "4242 4242 4242 4242 42"),
    ("5555555555554444", "mastercard", "5555 5555 5555 4444"), ("2221000000000009", "mastercard", "2221 0000 0000 0009"),
    ("2720990000000007", "mastercard", "2720 9900 0000 0007"), ("2200000000000004", "mir", "2200 0000 0000 0004"),
    ("2204", "mir", "2204"), ("2205", "generic", "2205"), ("2", "generic", "2"), ("22", "generic", "22"), ("2721", "generic", "2721"),
    ("34", "amex", "34"), ("378282246310005", "amex", "3782 822463 10005"), ("3", "generic", "3"),
    ("6205500000000000004", "unionpay", "6205 5000 0000 0000 004"), ("6", "generic", "6"), ("62", "unionpay", "62"),
    ("3530111333300000", "jcb", "3530 1113 3330 0000"), ("35", "jcb", "35"), ("3529", "jcb", "3529"), ("3527", "generic", "3527"),
    ("6011000990139424", "discover", "6011 0009 9013 9424"), ("30569309025904", "diners", "3056 930902 5904"), ("5018", "maestro", "5018"),
    ("", "generic", ""), ("0", "generic", "0"), ("9999", "generic", "9999"),
]


@pytest.fixture(scope="module", params=["chromium", "webkit"])
def page(request, fake):
    """One page for all: what is called here leaves nothing behind in it."""
    browser = Browser(request.param, request.getfixturevalue(f"{request.param}_driver"), fake)
    guard = guarded(browser, fake)
    next(guard)
    browser.open(fake.session(f"cs_test_modules_{request.param}"))
    yield browser
    next(guard, None)


def test_numbers_and_brands(page):
    for digits, brand, shown in NUMBERS:
        edit = page.call("format.js", "editNumber", digits, len(digits))
        assert (edit["brand"]["id"], edit["text"], edit["caret"]) == (brand, shown, len(shown)), digits


def test_number_accepts_what_people_paste(page):
    for text in ("4242 4242 4242 4242", "4242-4242-4242-4242", " 4242  42424242 4242\n", "4242.4242.4242.4242", "４２４２４２４２４２４２４２４２", "card 4242424242424242"):
        assert page.call("format.js", "editNumber", text, len(text))["text"] == "4242 4242 4242 4242"
    long = "4" * 40
    assert page.call("format.js", "editNumber", long, 40)["digits"] == "4" * 19


def test_gap_goes_with_its_digit(page):
    # backspace took the gap of "4242 42" (caret behind it): the digit before the gap goes too
    edit = page.call("format.js", "editNumber", "424242", 4, "deleteContentBackward", 6)
    assert (edit["text"], edit["caret"]) == ("4244 2", 3)
    edit = page.call("format.js", "editNumber", "424242", 4, "deleteContentForward", 6)
    assert (edit["text"], edit["caret"]) == ("4242 2", 4)


DATES = [("1/30", 1, 2030), ("01/30", 1, 2030), ("0130", 1, 2030), ("01/2030", 1, 2030), ("01-2030", 1, 2030), ("01 30", 1, 2030),
         ("1.30", 1, 2030), ("130", 1, 2030), ("530", 5, 2030), ("012030", 1, 2030), ("12/30", 12, 2030), ("1230", 12, 2030),
         ("12 / 2030", 12, 2030), ("2030-01", 1, 2030), ("2030/12", 12, 2030), ("10/30", 10, 2030), ("1-2030", 1, 2030), ("９/３０", 9, 2030),
         (" 07/31 ", 7, 2031)]
NO_DATES = ["", "1", "12", "12/", "12/3", "00/30", "0/30", "13", "abc", "12/303"]


def test_dates(page):
    for text, month, year in DATES:
        assert page.call("format.js", "parseExpiry", text) == {"month": month, "year": year}, text
        shown = page.call("format.js", "editExpiry", text, len(text))["text"]
        assert page.call("format.js", "parseExpiry", shown) == {"month": month, "year": year}, shown
    for text in NO_DATES:
        assert page.call("format.js", "parseExpiry", text) is None, text


def test_date_checks(page):
    script = """const [rows, done] = arguments; import('/static/check.js').then(m =>
        done(rows.map(([text, now]) => m.checkExpiry(text, new Date(now)))));"""
    rows = [("11/26", "2026-11-23T12:00Z", ""), ("10/26", "2026-11-23T12:00Z", "error.expiry.past"), ("12/26", "2026-12-31T23:59Z", ""),
            ("12/26", "2027-01-01T11:59Z", ""), ("12/26", "2027-01-01T12:00Z", "error.expiry.past"), ("13/30", "2026-11-23T12:00Z", ""),
            ("00/30", "2026-11-23T12:00Z", "error.expiry.month"), ("12/3", "2026-11-23T12:00Z", "error.expiry.short"),
            ("", "2026-11-23T12:00Z", "error.expiry.empty"), ("12/2199", "2026-11-23T12:00Z", "error.expiry.far")]
    got = page.driver.execute_async_script(script, [r[:2] for r in rows])
    # 13/30 is read as 1/330 while typing and never stands in the field like that; as a text it is no date
    for (text, now, want), have in zip(rows, got):
        if text != "13/30":
            assert have == want, (text, now)
        else:
            assert have.startswith("error.expiry")


def test_number_checks(page):
    taken = ["visa", "mir", "amex"]
    for text, want in [("4242 4242 4242 4242", ""), ("4242 4242 4242 4241", "error.number.typo"), ("4242", "error.number.short"),
                       ("", "error.number.empty"), ("5555 5555 5555 4444", "error.number.brand"), ("3782 822463 10005", ""),
                       ("3782 822463 1000", "error.number.short"), ("2200 0000 0000 0004", ""), ("6011 0009 9013 9424", "error.number.brand")]:
        assert page.call("check.js", "checkNumber", text, taken) == want, text
    assert page.call("check.js", "checkNumber", "6205 5000 0000 0000 004", None) == ""


def test_luhn_against_our_own(page):
    for n in range(4000_0000_0000_0000, 4000_0000_0000_0040):
        digits = str(n)
        total = sum(int(d) if i % 2 == 0 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(digits)))
        assert page.call("brands.js", "luhn", digits) == (total % 10 == 0)


# RFC 7518, appendix C
Z_SCRIPT = """const done = arguments[0]; (async () => {
    const curve = {name: 'ECDH', namedCurve: 'P-256'};
    const alice = await crypto.subtle.importKey('jwk', {kty: 'EC', crv: 'P-256', x: 'gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0',
        y: 'SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps', d: '0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo'}, curve, false, ['deriveBits']);
    const bob = await crypto.subtle.importKey('jwk', {kty: 'EC', crv: 'P-256', x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
        y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck'}, curve, false, []);
    const z = new Uint8Array(await crypto.subtle.deriveBits({name: 'ECDH', public: bob}, alice, 256));
    const m = await import('/static/jwe.js');
    const text = new TextEncoder();
    return m.base64url(await m.concatKdf(z, 'A128GCM', 128, text.encode('Alice'), text.encode('Bob')));
})().then(done, e => done(String(e)));"""

OPEN_SCRIPT = """const [jwe, done] = arguments; (async () => {
    const bytes = s => Uint8Array.from(atob(s.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
    const [header, key, iv, text, tag] = jwe.split('.');
    const head = JSON.parse(new TextDecoder().decode(bytes(header)));
    const curve = {name: 'ECDH', namedCurve: 'P-256'};
    const bob = await crypto.subtle.importKey('jwk', {kty: 'EC', crv: 'P-256', x: 'weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ',
        y: 'e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck', d: 'VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw'}, curve, false, ['deriveBits']);
    const epk = await crypto.subtle.importKey('jwk', head.epk, curve, false, []);
    const z = new Uint8Array(await crypto.subtle.deriveBits({name: 'ECDH', public: epk}, bob, 256));
    const part = s => [0, 0, 0, s.length, ...new TextEncoder().encode(s)];
    const info = new Uint8Array([0, 0, 0, 1, ...z, ...part(head.enc), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    const raw = await crypto.subtle.digest('SHA-256', info);
    const aes = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
    const all = new Uint8Array([...bytes(text), ...bytes(tag)]);
    const plain = await crypto.subtle.decrypt({name: 'AES-GCM', iv: bytes(iv), additionalData: new TextEncoder().encode(header)}, aes, all);
    return {head, key, iv: bytes(iv).length, tag: bytes(tag).length, value: JSON.parse(new TextDecoder().decode(plain))};
})().then(done, e => done(String(e)));"""


def test_key_derivation_is_the_rfc_s(page):
    assert page.driver.execute_async_script(Z_SCRIPT) == "VqqN6vgjbSBcIijNcacQGg"


def test_jwe_opens(page):
    from fake_core import KEY
    value = {"number": "4242424242424242", "name": "Пётр", "exp_year": 2030}
    first, second = (page.call("jwe.js", "encrypt", KEY, value) for _ in range(2))
    assert first.split(".")[0] != second.split(".")[0], "each message has a key of its own"
    for jwe in (first, second):
        got = page.driver.execute_async_script(OPEN_SCRIPT, jwe)
        assert got["value"] == value
        assert (got["key"], got["iv"], got["tag"]) == ("", 12, 16)
        assert {k: got["head"][k] for k in ("alg", "enc", "kid")} == {"alg": "ECDH-ES", "enc": "A256GCM", "kid": "test-1"}
        assert set(got["head"]["epk"]) == {"kty", "crv", "x", "y"}


def test_key_choice(page):
    from fake_core import KEY
    assert page.call("jwe.js", "usableKey", {"keys": [{"kty": "RSA"}, {**KEY, "use": "sig"}, KEY]})["kid"] == "test-1"
    assert page.call("jwe.js", "usableKey", {"keys": []}) is None


def test_sha256(page):
    script = "const [texts, done] = arguments; import('/static/proof.js').then(m => done(texts.map(t => [...m.sha256(t)].map(w => w >>> 0))));"
    texts = ["", "abc", "a" * 55, "a" * 56, "a" * 63, "a" * 64, "x" * 300]
    for text, words in zip(texts, page.driver.execute_async_script(script, texts)):
        assert b"".join(w.to_bytes(4, "big") for w in words) == hashlib.sha256(text.encode()).digest()


def test_proof(page):
    got = page.call("proof.js", "solve", {"nonce": "n0nce", "bits": 14})
    assert got.startswith("n0nce:")
    assert int.from_bytes(hashlib.sha256(got.encode()).digest(), "big") >> (256 - 14) == 0


def test_browser_data(page):
    for tag, want in [("ru-RU", "ru-RU"), ("C", "en"), ("", "en"), (None, "en"), ("zh-Hant-TW", "zh-TW"), ("sr-Latn", "sr-Latn"),
                      ("de-DE-1996", "de-DE"), ("en_US", "en")]:
        assert page.call("browser.js", "language", tag) == want
    for bits, want in [(30, 24), (24, 24), (32, 32), (48, 48), (12, 8), (0, 1)]:
        assert page.call("browser.js", "depth", bits) == want
    assert [page.call("browser.js", "challengeWindow", w, h) for w, h in ((360, 740), (1280, 800), (1280, 600))] == ["05", "03", "02"]
    data = page.call("browser.js", "browserData")
    assert data["java"] in ("true", "false") and int(data["screen_width"]) > 0 and int(data["time_zone"]) in range(-840, 721)
