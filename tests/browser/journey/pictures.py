#!/usr/bin/python3
"""Takes the pictures of README anew, from the running programs, in Chromium: tests/browser/journey/pictures.py [FOLDER]
(docs/pictures unless named). ONFILE_BUILD names the build folder."""

import contextlib
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
import drive  # noqa: E402
import palette  # noqa: E402
from running import Sandbox  # noqa: E402

ROOT = HERE.parents[2]
PHONE, DESKTOP = (390, 800), (1280, 800)


STILL = """
const inSight = (image) => image.checkVisibility() && image.getBoundingClientRect().top < innerHeight;
return document.readyState === "complete" && document.fonts.status === "loaded" &&
    [...document.images].every((image) => image.complete || !inSight(image)) &&
    document.getAnimations().every((one) => one.playState !== "running");
"""


class Camera:
    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder

    def look(self, size, dark=False):
        self.browser.look(size, dark)

    def take(self, name):
        """What is on the screen now, when every image, font and frame of it is there and nothing moves."""
        browser = self.browser
        browser.js("document.activeElement?.blur(); scrollTo(0, 0)")
        browser.wait(lambda: browser.js(STILL), f"a still picture for {name}")
        picture = palette.smaller(browser.driver.get_screenshot_as_png())
        (self.folder / f"{name}.png").write_bytes(picture)
        print(f"{name}.png {len(picture)} bytes")


def card_page(browser, camera, shopper, phone):
    camera.look(PHONE)
    shopper.open_link(browser)
    browser.fill(drive.MIR, name="ANNA SOYKINA")
    camera.take("card-filled-phone")
    camera.look(PHONE, dark=True)
    camera.take("card-filled-dark-phone")
    camera.look(DESKTOP)
    camera.take("card-filled-desktop")
    camera.look(PHONE)
    browser.tap("#submit")
    code = phone.code(browser, "0004")
    with browser.bank():
        browser.see("#code")
    camera.take("challenge-phone")
    with browser.other_tab():
        camera.look(PHONE)
        browser.driver.get(phone.page)
        browser.see(".notes")
        camera.take("phone")
    browser.confirm(code)
    browser.done("Mir •••• 0004")
    camera.take("card-done-phone")


def refused_card(browser, camera, shopper):
    shopper.open_link(browser)
    browser.link(drive.REFUSED)
    browser.failed("Your bank refused.")
    camera.take("card-failed-phone")


def shop(browser, camera, shopper):
    shopper.link(browser, drive.FRICTIONLESS)
    for name, size in (("shop-home-phone", PHONE), ("shop-home-desktop", DESKTOP)):
        camera.look(size)
        browser.driver.get(shopper.shop + "/")
        browser.see(".tile")
        camera.take(name)
    camera.look(PHONE)
    browser.driver.get(shopper.shop + "/cards")
    browser.count("main button.row", 2)
    camera.take("cards-phone")
    browser.driver.get(shopper.shop + "/goods/mug")
    browser.see(".buy")
    camera.take("goods-phone")
    browser.tap(".buy")
    browser.see("main h1", "Paid")
    camera.take("receipt-phone")


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        sandbox = Sandbox()
        stack.callback(sandbox.stop)
        profile = stack.enter_context(tempfile.TemporaryDirectory())
        browser = stack.enter_context(drive.chromium(profile))
        browser.look(PHONE)
        camera = Camera(browser, folder)
        phone = drive.Phone(sandbox)
        shopper = drive.Shopper(sandbox, phone)
        shopper.sit_down(browser)
        card_page(browser, camera, shopper, phone)
        refused_card(browser, camera, shopper)
        shop(browser, camera, shopper)


main()
