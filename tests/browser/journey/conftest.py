"""Fixtures of the journey: the running programs come from tests/conftest.py, the browsers from drive.py. Every test ends with: neither
browser complained of anything, no page broke its own policy."""

import pytest

import drive


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browsers")


@pytest.fixture(scope="session")
def chromium_browser(folder):
    with drive.chromium(folder) as browser:
        browser.look(drive.PHONE)
        yield browser


@pytest.fixture(scope="session")
def webkit_browser(folder):
    with drive.webkit(folder) as browser:
        yield browser


@pytest.fixture(params=["chromium", "webkit"])
def browser(request):
    one = request.getfixturevalue(f"{request.param}_browser")
    one.complaints()
    yield one
    one.driver.get("about:blank")
    assert one.complaints() == []


@pytest.fixture
def phone(sandbox):
    one = drive.Phone(sandbox)
    one.forget()
    return one


@pytest.fixture
def shopper(sandbox, phone, browser):
    one = drive.Shopper(sandbox, phone)
    one.sit_down(browser)
    return one
