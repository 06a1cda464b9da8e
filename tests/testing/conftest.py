"""The fixture `flopod` of these tests: the harness over the workflows of `project`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flopod.testing import Flopod
from flopod_compiler.testing.source import Source


@pytest.fixture(scope="session")
def source() -> Source:
    """The project, compiled."""
    return Source(Path(__file__).parent / "project")


@pytest.fixture
def flopod(source: Source) -> Iterator[Flopod]:
    """What users have under this name."""
    made = Flopod(lambda: source)
    yield made
    made.close()
