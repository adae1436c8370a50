"""What a person sees: nothing cut off at any width, in both languages and with large text; no shift; weight; contrast; complete tables."""

import gzip
import itertools
import json
import os
import pathlib
import re

import pytest
from conftest import PHONE, WIDE, until
from fake_core import CARDS, WEB
from shift import moved

STATIC = WEB / "static"
VIEWS = {
    "enter": lambda s: s, "wrong": lambda s: s.set(error="wrong"), "busy": lambda s: s.set(step="authenticating"),
    "waiting": lambda s: s.set(step="waiting", challenge={"info": "Откройте приложение Sandbox Bank и подтвердите запрос."}),
    "done": lambda s: s.done(), "refused": lambda s: s.set(error="refused"), "fault": lambda s: s.set(error="fault"),
    "limit": lambda s: s.set(error="limit"), "expired": lambda s: s.set(step="expired"), "bank": lambda s: s.challenge("05"),
    "choose": lambda s: s.choose(), "methods": lambda s: s.portal(CARDS), "no methods": lambda s: s.portal([]),
}
# Text that is wider than its box, outside what is hidden on purpose and the drawn card (which is decoration).
CUT = """const bad = []; const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) bad.push(`the page is ${wide} px too wide`);
    for (const e of document.querySelectorAll('body *')) {
        if (e.closest('.art, .visually-hidden, noscript, svg, option') || !e.checkVisibility() || e.matches('.wait, .visually-hidden')) continue;
        const box = e.getBoundingClientRect();
        if (box.width === 0) continue;
        if (box.right > document.documentElement.clientWidth + 0.5 || box.left < -0.5) bad.push(`${e.tagName}#${e.id}.${e.className} reaches from ${box.left} to ${box.right}`);
        const style = getComputedStyle(e);
        if (e.matches('input')) {
            if (e.scrollWidth > e.clientWidth + 1) bad.push(`input#${e.id} cuts its text`);
            const c = document.createElement('canvas').getContext('2d'); c.font = style.font;
            const room = e.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
            if (c.measureText(e.placeholder).width > room) bad.push(`input#${e.id} cuts its placeholder`);
        } else if (style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) bad.push(`${e.tagName}#${e.id} cuts its text`);
    }
    return bad;"""


@pytest.fixture
def sized(chromium):
    def size(width, height=740, mobile=True):
        chromium.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile})
    yield size
    chromium.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def see(browser, session, view):
    VIEWS[view](session)
    browser.driver.get(f"{browser.fake.pay}/{'p' if session.state['mode'] == 'portal' else 'c'}/{session.token}")
    if view == "bank":
        until(lambda: browser.js("return document.getElementById('cover')?.hidden"), "the bank's page")
    else:
        until(lambda: browser.at() not in (None, "load"), "a view")


# A link in running text is as high as its line; a button is not excused by the paragraph around it, unless it is such a link.
SMALL = """return [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(e => e.checkVisibility() && !(e.closest('p') && e.matches('a, .link')))
    .map(e => e.closest('label') ?? e)
    .map(e => [e.id, e.getBoundingClientRect()]).filter(([, r]) => r.height < 44 || r.width < 44).map(([id, r]) => [id, r.width, r.height])"""
AXE = os.environ.get("AXE_CORE")  # path of axe.min.js (npm axe-core)
RUN_AXE = "axe.run(document, {iframes: false}).then(r => arguments[0](r.violations), e => arguments[0](String(e)))"


def emulate(browser, scheme):
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}, *(
        [{"name": "prefers-reduced-motion", "value": "reduce"}] if scheme else [])]})


def cuts(browser, sized):
    """What is cut off at each width and size of text."""
    found = {}
    for (width, height), large in itertools.product([(320, 640), (360, 740), (768, 1024), (1280, 800)], [False, True]):
        sized(width, height)
        browser.js("document.documentElement.style.fontSize = arguments[0] ? '200%' : ''", large)
        found[f"{width} px, {'large' if large else 'normal'} text"] = browser.js(CUT)
    return found


def axe(browser, scheme):
    emulate(browser, scheme)
    got = browser.driver.execute_async_script(RUN_AXE)
    return [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in got]


@pytest.fixture(scope="module")
def looked():
    return {}


@pytest.fixture
def look(chromium, session, sized, looked):
    """All that is measured of a view in a language, from one load; then from memory."""
    def measure(view, lang="en"):
        session.state["locale"] = lang
        sized(360, 740)
        see(chromium, session, view)
        seen = {"shift": moved(chromium.driver), "small": chromium.js(SMALL)}
        if view == "enter":
            chromium.js("document.getElementById('submit').click()")  # from here on with every error shown
        if AXE and lang == "en":
            chromium.js(pathlib.Path(AXE).read_text())
            seen |= {scheme: axe(chromium, scheme) for scheme in ("light", "dark")}
            emulate(chromium, "")
        return seen | {"cut": cuts(chromium, sized)}

    def get(view, lang="en"):
        if (view, lang) not in looked:
            looked[view, lang] = measure(view, lang)
        return looked[view, lang]
    return get


@pytest.mark.parametrize("lang", ["ru", "en"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_cut_off(look, view, lang):
    cut = look(view, lang)["cut"]
    assert len(cut) == 8 and {at: bad for at, bad in cut.items() if bad} == {}


@pytest.mark.parametrize("view", ["enter", "busy", "done", "refused", "bank", "choose", "methods"])
def test_nothing_is_cut_off_in_webkit(webkit, session, view):
    session.state["locale"] = "ru"
    see(webkit, session, view)
    assert webkit.js(CUT) == []
    webkit.driver.set_window_size(*WIDE)
    try:
        until(lambda: webkit.js("return innerWidth") > 900, "a wide window")
        assert webkit.js(CUT) == []
    finally:
        webkit.driver.set_window_size(*PHONE)


def test_the_check_itself_sees_a_cut(chromium, session, sized):
    see(chromium, session, "enter")
    sized(320, 640)
    chromium.js("document.getElementById('submit').style.width = '400px'")
    assert chromium.js(CUT) != []


@pytest.mark.parametrize("view", ["enter", "busy", "done", "refused", "choose", "methods"])
def test_no_layout_shift(look, view):
    assert look(view)["shift"] == []


@pytest.mark.parametrize("view", ["enter", "done", "refused", "waiting", "bank", "choose", "methods"])
def test_targets_are_large_enough(look, view):
    assert look(view)["small"] == []


def test_keyboard_order(chromium, session):
    see(chromium, session, "enter")
    order = ["back", "language", "number", "expiry", "code", "name", "submit", "safe-more"]
    chromium.js("document.activeElement.blur(); scrollTo(0, 0)")
    got = []
    for _ in order:
        chromium.keys("\ue004")
        got.append(chromium.focus())
    assert got == order


def test_sheet_opens_and_closes_by_keyboard(browser, session):
    see(browser, session, "enter")
    browser.js("document.getElementById('safe-more').focus()")
    browser.keys("\ue007")
    until(lambda: browser.js("return document.getElementById('safe-sheet').open"), "the sheet")
    browser.keys("\ue00c")
    until(lambda: not browser.js("return document.getElementById('safe-sheet').open"), "the sheet's end")
    assert browser.focus() == "safe-more"


def weight(page):
    """Everything that the page loads, compressed as web would send it."""
    html = (WEB / "pages" / page).read_text()
    files = {WEB / "pages" / page}
    files |= {STATIC / name for name in re.findall(r'(?:href|src)="/static/([^"]+)"', html)}
    open_files = [f for f in files if f.suffix == ".js"]
    while open_files:
        file = open_files.pop()
        for name in re.findall(r'from "\./([^"]+)"|import "\./([^"]+)"', file.read_text()):
            found = STATIC / (name[0] or name[1])
            if found not in files:
                files.add(found)
                open_files.append(found)
    if page == "card.html":
        files |= set((STATIC / "brands").glob("*.svg"))
    return files, sum(len(gzip.compress(f.read_bytes(), 6)) for f in files)


@pytest.mark.parametrize("page", sorted(p.name for p in (WEB / "pages").glob("*.html")))
def test_weight(page):
    assert weight(page)[1] < 40_000


def test_every_module_is_preloaded():
    html = (WEB / "pages" / "card.html").read_text()
    wanted = {f.name for f in weight("card.html")[0] if f.suffix == ".js"}
    assert wanted == set(re.findall(r'modulepreload" href="/static/([^"]+)"', html))


def tables(family="text"):
    out = {}
    for lang in ("en", "ru"):
        text = (STATIC / f"{family}-{lang}.js").read_text()
        out[lang] = dict(re.findall(r'^\t"([^"]+)": ("(?:[^"\\]|\\.)*"),$', text, re.M))
        lines = [line for line in text.splitlines() if line.startswith("\t")]
        assert len(lines) == len(out[lang]), "a line that is not read, or a key that stands twice"
    return out


@pytest.mark.parametrize("family", ["text", "methods"])
def test_tables_are_equal(family):
    both = tables(family)
    assert list(both["en"]) == list(both["ru"])
    for key, words in both["en"].items():
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", both["ru"][key])) or \
            (not re.search(r"\{(?!merchant)\w+\}", words) and not re.search(r"\{(?!merchant)\w+\}", both["ru"][key])), key
        assert json.loads(words) and json.loads(both["ru"][key])
    mixed = [k for k, v in both["ru"].items() if not re.search("[а-яА-Я]", v) and k not in ("other", "failed.who.shop")]
    assert mixed == []


def test_every_key_is_used_and_there():
    keys = {key for family in ("text", "methods") for key in tables(family)["en"]}
    used = set()
    for file in [*WEB.glob("pages/*.html"), *STATIC.glob("*.js")]:
        text = file.read_text()
        used |= set(re.findall(r'data-t(?:-\w+)?="([^"]+)"', text))
        if not file.name.startswith(("text-", "methods-")):
            used |= {k for k in re.findall(r'"([a-z]+(?:\.[a-z0-9_]+)*)"', text) if k in keys}
    for family in ("failed.who.", "error.field.", "net.", "busy."):  # built from a value of the state
        used |= {k for k in keys if k.startswith(family)}
    used |= {"methods.until", "methods.soon", "methods.over"}
    used |= {k for k in keys if k.endswith(".payment")} | {"lost.title", "lost.lead", "challenge.opening"}
    assert used - keys - {"setup"} == set(), "asked for, but not in the table"
    assert keys - used == set(), "in the table, but nobody asks for it"


def test_plain_pages_speak_both_languages():
    html = (WEB / "pages" / "lost.html").read_text()
    for table in tables().values():
        assert json.loads(table["lost.title"]) in html and json.loads(table["lost.lead"]) in html
    for page in ("lost", "away", "returned"):
        html = (WEB / "pages" / f"{page}.html").read_text()
        assert html.count('<section class="stack stack-8" lang="en">') == html.count('<section class="stack stack-8" lang="ru">') == 1


def palettes():
    css = (STATIC / "tokens.css").read_text()
    light = css[css.index(":root {"):]
    system = css[css.index(':root:not([data-theme="light"]) {'):]
    chosen = css[css.index(':root[data-theme="dark"] {'):]
    return [dict(re.findall(r"(--[\w-]+|color-scheme): ([^;]+);", block[:block.index("}")])) for block in (light, system, chosen)]


def test_dark_is_the_same_twice():
    light, system, chosen = palettes()
    assert system == chosen
    assert set(system) <= set(light)


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_contrast(theme):
    colours = palettes()[theme]
    grounds = ["--ground", "--surface", "--sunken"]
    pairs = [(t, g) for t in ("--text", "--text-muted", "--accent") for g in grounds]
    pairs += [("--on-accent", "--accent"), ("--on-accent", "--accent-press"), ("--on-danger", "--danger"), ("--on-danger", "--danger-press"),
              ("--accent", "--accent-soft"), ("--danger", "--danger-soft"), ("--danger", "--ground"), ("--good", "--good-soft"),
              ("--good", "--ground"), ("--warn", "--warn-soft"), ("--text", "--danger-soft"), ("--text", "--warn-soft"), ("--text", "--good-soft")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for edge, ground in (("--border", "--surface"), ("--border", "--ground"), ("--focus", "--ground"), ("--focus", "--sunken")):
        assert contrast(colours[edge], colours[ground]) >= 3, (edge, ground)


def test_no_inline_script_or_style():
    for file in WEB.glob("pages/*.html"):
        text = file.read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", text), file.name
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), file.name


@pytest.mark.skipif(not AXE, reason="AXE_CORE does not name axe-core's axe.min.js")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe(look, view, scheme):
    assert look(view)[scheme] == []
