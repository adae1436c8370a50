"""Lines that many tests use, and lines of one test."""

import pytest

from parts import LINES, Bank, Driver, Rogue


@pytest.fixture(scope="module", params=LINES)
def each_line(request):
    parameters, line = LINES[request.param]
    bank = Bank(line)
    driver = Driver(bank.port, **parameters).up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.stop()


@pytest.fixture(scope="module")
def line():
    bank = Bank()
    driver = Driver(bank.port).up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.stop()


@pytest.fixture
def rogue():
    bank = Rogue()
    driver = Driver(bank.port, dialect="1987-ascii", length_header="ascii4", country="643", mcc="5411").up()
    driver.bank = bank
    yield driver
    driver.stop()
    bank.close()
