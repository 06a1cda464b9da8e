"""Each test begins with no calls."""

import pytest

from tests.sidechains.blocks import called


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    called.clear()
