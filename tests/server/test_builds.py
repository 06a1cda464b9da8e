"""Builds that a store keeps: what runs need to go on, and what people see of them."""

from pathlib import Path

import pytest
from msgspec import Raw

from flopod import FileBackend, SqliteBackend
from flopod.backends.base import Backend
from flopod.events import RunCompleted, RunPaused, RunStarted
from flopod.manifest import Manifest
from flopod.server import builds
from flopod.server.builds import KeptBuilds
from flopod.server.host import Build


@pytest.fixture(params=["file", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    return FileBackend(tmp_path) if request.param == "file" else SqliteBackend(tmp_path / "runs.db")


def _build(name: str) -> Build:
    return Build(Manifest(name, "shop", {}), {"shop.py": "x = 1\n"}, {"shop.py": "x = 2\n"})


def _begin(store: Backend, run_id: str, build: str) -> None:
    store.append(run_id, 0, [RunStarted(at=1, workflow="w", input=Raw(b"[]"), build=build, run_id=run_id)])


def test_a_build_is_there_for_another_process(store: Backend, tmp_path: Path) -> None:
    """Its texts, and the file that runs it."""
    KeptBuilds(store).keep(_build("b1"), b"print(1)\n")
    again = KeptBuilds(store)
    assert again.get("b1") == _build("b1")
    assert again.can_run("b1")
    assert again.write("b1", tmp_path).read_bytes() == b"print(1)\n"
    assert again.get("b2") is None
    assert not again.can_run("b2")
    with pytest.raises(KeyError):
        again.write("b2", tmp_path)


def test_the_files_of_builds_are_dropped_that_no_open_run_needs(store: Backend) -> None:
    """A paused run needs its build, one that is over does not; what people see of a build stays."""
    kept = KeptBuilds(store)
    for name in ("current", "open", "paused", "over"):
        kept.keep(_build(name), b"x")
        if name != "current":
            _begin(store, f"run-{name}", name)
    store.append("run-paused", 1, [RunPaused(at=2)])
    store.append("run-over", 1, [RunCompleted(at=2, result=Raw(b"1"))])
    kept.drop_unused("current")
    assert [name for name in ("current", "open", "paused", "over") if kept.can_run(name)] == [
        "current",
        "open",
        "paused",
    ]
    assert KeptBuilds(store).get("over") is not None


def test_the_file_of_a_build_that_is_served_lately_stays(
    store: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server may begin a run right after another one has looked at the runs; an hour later it is gone."""
    kept = KeptBuilds(store)
    for name in ("current", "beside"):
        kept.keep(_build(name), b"x")
        kept.note_served(name)
    kept.drop_unused("current")
    assert kept.can_run("beside")
    later = builds.now_ms() + 3_600_001
    monkeypatch.setattr(builds, "now_ms", lambda: later)
    kept.drop_unused("current")
    assert not kept.can_run("beside")
