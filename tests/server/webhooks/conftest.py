"""A receiver for each test that wants one."""

from collections.abc import Iterator

import pytest

from tests.server.webhooks.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()
