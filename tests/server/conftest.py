"""What the tests of the control plane share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.server.browsing import chromium


@pytest.fixture
def anyio_backend() -> str:
    """Coroutine tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module, which run no event loop of their own."""
    with chromium() as browser:
        yield browser
