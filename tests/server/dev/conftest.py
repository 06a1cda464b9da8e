"""One `flopod dev` a test, or one for those that look only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.dev.developing import Developed


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Developed]:
    """The post office, served and ready to start runs."""
    with Developed(tmp_path) as dev:
        dev.until_ready()
        yield dev
