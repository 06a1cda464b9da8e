"""What all tests share: quiet warnings, a cache of their own, and what they tell at the end."""

import gc
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.postgres.server import Server

hypothesis.settings.register_profile("flopod", deadline=None)  # others may use the machine
hypothesis.settings.load_profile("flopod")

LEFT_OUT = "no Chromium was found"
"""What the reason says of tests that are left out loudly."""

CACHE = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Hush the two warnings that say nothing here: foreign golden names and coroutines left on purpose."""
    config.addinivalue_line("filterwarnings", r"ignore:\s*Can not relate snapshot:UserWarning")
    config.addinivalue_line("filterwarnings", "ignore:coroutine .* was never awaited:RuntimeWarning")
    config.stash[CACHE] = tempfile.TemporaryDirectory(prefix="flopod-cache-")
    os.environ["XDG_CACHE_HOME"] = config.stash[CACHE].name  # the commands' own cache is the user's
    if not hasattr(config, "workerinput"):
        # Most of what a command does here is to start: its modules are compiled once for all of them.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = config.stash[CACHE].name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the commands have cached."""
    config.stash[CACHE].cleanup()


def pytest_collection_finish() -> None:
    """Keep the thousands of tests out of what each collection of garbage looks at."""
    _freeze()


@pytest.fixture
def small_heap() -> None:
    """For a test that collects garbage again and again: it looks only at what is new."""
    _freeze()


def _freeze() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Server]":
    """A PostgreSQL server, started when the first test asks for it; no test may leave it stopped."""
    from tests.postgres.server import Server

    server = Server()
    yield server
    server.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have recorded as their properties, wherever they ran, and what is left out."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for title, text in report.user_properties if report.when == "call" else ():
            terminalreporter.section(title)
            terminalreporter.write_line(str(text))
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.getreports("skipped"))
    for reason, amount in reasons.items():
        if LEFT_OUT in reason:
            terminalreporter.section("LEFT OUT", yellow=True, bold=True)
            terminalreporter.write_line(f"{amount} tests: {reason.removeprefix('Skipped: ')}", yellow=True)
