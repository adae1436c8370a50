"""Fixtures of the journey: the running programs come from tests/conftest.py, the browsers from drive.py. Every test ends with: Chromium
complained of nothing, so no page threw an error or broke its own policy."""

import pytest

import drive


def pytest_addoption(parser):
    parser.addoption("--deep", action="store_true", help="what goes wrong on the way in both browsers, not in Chromium alone")


def pytest_collection_modifyitems(config, items):
    """The journey itself is always made in both browsers; its troubles in WebKitGTK only by --deep."""
    later = [item for item in items if item.path.name == "test_trouble.py" and "webkit" in item.name and not config.getoption("--deep")]
    config.hook.pytest_deselected(items=later)
    items[:] = [item for item in items if item not in later]


def pytest_configure(config):
    config.addinivalue_line("markers", "back: steps back between sites")


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


@pytest.fixture(scope="session")
def impatient_browser(folder):
    """WebKitGTK 2.50 shows the page after a step back between two sites, of which one has a Cross-Origin-Opener-Policy (the shop has),
    but never says that it is loaded; WebDriver would wait for that for ever. A person sees no difference but the wheel that turns."""
    with drive.webkit(folder, patient=False) as browser:
        yield browser


@pytest.fixture(params=["chromium", "webkit"])
def browser(request):
    back = request.node.get_closest_marker("back") and request.param == "webkit"
    one = request.getfixturevalue("impatient_browser" if back else f"{request.param}_browser")
    one.complaints()
    yield one
    one.driver.get("about:blank")
    assert one.complaints() == []


@pytest.fixture
def phone(sandbox):
    one = drive.Phone(sandbox)
    one.forget()
    return one


@pytest.fixture(params=["en"])
def language(request):
    return request.param


@pytest.fixture
def shopper(sandbox, phone, browser, language):
    one = drive.Shopper(sandbox, phone, language)
    one.sit_down(browser)
    return one
