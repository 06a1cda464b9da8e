"""The source that pages are tried with, compiled once."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from flopod_compiler.testing.source import Source
from tests.server.pages.world import TRAVEL


@pytest.fixture(scope="session")
def travel() -> Source:
    """The travel agency."""
    return Source(TRAVEL)


@pytest.fixture
def services(travel: Source) -> Iterator[ModuleType]:
    """The services of the agency, which behave again after the test."""
    found = travel.import_module("travel.services")
    yield found
    found.pace[0] = 0.0
    found.trouble.clear()
