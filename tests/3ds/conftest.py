"""What the tests of this folder share."""

import pytest

from test_3ds import World


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.stop()
