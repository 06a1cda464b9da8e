"""The plugin of pytest: the fixture `flopod`, and the crash matrix for every run that a test makes."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flopod.testing import Flopod
    from flopod_compiler.testing.source import Source

MARK = "flopod_crash_matrix"
_SOURCES = pytest.StashKey["dict[Path, Source]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of flopod."""
    group = parser.getgroup("flopod", "tests of durable workflows")
    group.addoption(
        "--flopod-crash-matrix",
        action="store_true",
        help="Kill every run that a test makes after each write of its log, resume it, and compare.",
    )
    parser.addini(
        "flopod_source",
        "The importable folder with the workflows, from the rootdir; by default src, else the rootdir.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and make the source importable that the ini-file names."""
    config.addinivalue_line(
        "markers", f"{MARK}: put every run of this test through the crash matrix, as the option does"
    )
    config.stash[_SOURCES] = {}
    if config.getini("flopod_source"):
        sys.path.insert(0, str(_source_of(config)))


def _source_of(config: pytest.Config) -> Path:
    given = str(config.getini("flopod_source") or "")
    if given:
        return config.rootpath / given
    usual = config.rootpath / "src"
    return usual if usual.is_dir() else config.rootpath


@pytest.fixture(scope="session")
def flopod_source(pytestconfig: pytest.Config) -> Path:
    """The folder with the workflows; a project may define this fixture anew."""
    return _source_of(pytestconfig)


@pytest.fixture
def flopod(flopod_source: Path, pytestconfig: pytest.Config) -> Iterator[Flopod]:
    """Runs workflows with a virtual clock and scripted leaves; the source is compiled once a session."""
    from flopod.testing import Flopod

    made = Flopod(lambda: _compiled(Path(flopod_source), pytestconfig.stash[_SOURCES]))
    yield made
    made.close()


def _compiled(src: Path, known: dict[Path, Source]) -> Source:
    from flopod_compiler.stored import cache_folder
    from flopod_compiler.testing.source import Source

    src = src.resolve()
    if src not in known:
        known[src] = Source(src, caching=cache_folder())
    return known[src]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Put the runs of a test that has passed through the crash matrix, if that is asked for."""
    result = yield
    flopod: Any = pyfuncitem.funcargs.get("flopod")
    wanted = pyfuncitem.config.getoption("--flopod-crash-matrix") or pyfuncitem.get_closest_marker(MARK)
    if wanted and flopod is not None:
        flopod.crash_all()
    return result
