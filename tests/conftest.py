"""What every test of the repository shares: quiet warnings, and the coverage table of random programs."""

import pytest

from tests.differential.coverage import Coverage

COVERAGE = pytest.StashKey[Coverage]()


def pytest_configure(config: pytest.Config) -> None:
    """Hush the two warnings that say nothing here: foreign golden names and coroutines left on purpose."""
    config.addinivalue_line("filterwarnings", r"ignore:\s*Can not relate snapshot:UserWarning")
    config.addinivalue_line("filterwarnings", "ignore:coroutine .* was never awaited:RuntimeWarning")
    config.stash[COVERAGE] = Coverage()


@pytest.fixture
def coverage(request: pytest.FixtureRequest) -> Coverage:
    """The counts of the random programs of this session."""
    return request.config.stash[COVERAGE]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the coverage table if random programs were run."""
    counts = config.stash[COVERAGE]
    if counts.programs:
        terminalreporter.section("random programs")
        terminalreporter.write_line(counts.table())
