"""An engine that is stopped for longer than its lease, and another one: no run ends twice, and none hangs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import Raw

from flopod.backends import database
from flopod.backends.base import Filter
from flopod.errors import StorageError
from flopod.events import ActivityCompleted, RunCompleted
from tests.cli.flows import clean_environment
from tests.contract.support import Place, opened_place
from tests.postgres.server import Server
from tests.reliability import rival_server
from tests.reliability.rival_server import RUNS

pytestmark = pytest.mark.process
PATIENCE = 40.0


class Rivals:
    """Engines of names of their own in one place, and what they have noted in a folder."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place = place
        self.folder = folder

    @contextlib.contextmanager
    def start(self, name: str, *how: str) -> "Iterator[subprocess.Popen[str]]":
        """Start an engine, which is killed at the end if it is still there."""
        where = self.place.address.removeprefix("file:").removeprefix("sqlite:")
        process = subprocess.Popen(
            [sys.executable, rival_server.__file__, self.place.kind, where, name, str(self.folder), *how],
            env={**clean_environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    @contextlib.contextmanager
    def stopped(self, name: str) -> "Iterator[subprocess.Popen[str]]":
        """Start an engine, and stop it when it is in the midst of all runs."""
        with self.start(name) as process:
            until(lambda: self.has_begun_all(name), process)
            stop(process)
            yield process

    def go(self, name: str) -> None:
        """Let the leaves of an engine return."""
        (self.folder / f"go-{name}").touch()

    def has_begun_all(self, name: str) -> bool:
        """Whether each of the runs has called its first leaf there."""
        journal = self.folder / "journal"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return {line.split()[1] for line in lines if line.startswith(f"{name} ")} >= set(RUNS)

    def is_refused(self, name: str) -> bool:
        """Whether it was refused all of the runs."""
        return (self.folder / f"refused-{name}").exists()

    def answer(self) -> None:
        """Deliver what some of the runs wait for."""
        store = self.place.open()
        for run_id, (kind, _) in RUNS.items():
            if kind == "asks":
                store.deliver(run_id, "answer", "answer", Raw(b"7"))

    def check(self) -> None:
        """Each run ended once, children included, and the outcome of each leaf is there once."""
        store = self.place.open()
        found = store.find(Filter())
        assert len(found) == len(RUNS) + 2
        for run in found:
            assert run.status == "completed", run
            events = [event for _, event in store.load(run.run_id)]
            done = [event.path for event in events if isinstance(event, ActivityCompleted)]
            assert len(done) == len(set(done))
            assert [isinstance(event, RunCompleted) for event in events].count(True) == 1


def until(holds: Callable[[], bool], *processes: "subprocess.Popen[str]") -> None:
    """Wait for something to become true while these processes are there."""
    end = time.monotonic() + PATIENCE
    while not holds():
        for process in processes:
            assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def ends_well(process: "subprocess.Popen[str]") -> None:
    """The engine comes to its end, with the results of all runs."""
    out, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "all\n"), said


def is_stopped(process: "subprocess.Popen[str]") -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGSTOP)
    until(lambda: is_stopped(process), process)


@pytest.fixture
def leased(postgres: Server, tmp_path: Path) -> Iterator[Rivals]:
    """Give engines that hold their runs by leases."""
    place = Place("postgres", tmp_path, postgres.database())
    yield Rivals(place, tmp_path)
    place.close()


@pytest.mark.parametrize("when", ["after", "amid", "killed"])
def test_an_engine_that_is_stopped_for_longer_than_its_lease(leased: Rivals, when: str) -> None:
    """Another one goes on with its runs; when it wakes it is fenced, and ends with the same results.

    It wakes when the other has ended, or is in the midst of the runs, or was killed there.
    """
    with leased.stopped("one") as one, leased.start("two") as two:
        until(lambda: leased.has_begun_all("two"), two)
        leased.answer()
        if when == "after":
            leased.go("two")
            ends_well(two)
        elif when == "killed":
            two.kill()
            two.wait()
        leased.go("one")
        one.send_signal(signal.SIGCONT)
        if when == "amid":
            until(lambda: leased.is_refused("one"), one, two)
            leased.go("two")
            ends_well(two)
        ends_well(one)
    leased.check()


@pytest.fixture(params=["file", "sqlite"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rivals]:
    """Give engines whose runs the system locks, as long as their process is there."""
    with opened_place(request, tmp_path) as place:
        yield Rivals(place, tmp_path)


def test_what_a_stopped_engine_has_locked_is_its_own(locked: Rivals) -> None:
    """However long it is stopped, the other one is refused its runs, and hears of their ends at last."""
    with locked.stopped("one") as one, locked.start("two") as two:
        until(lambda: locked.is_refused("two"), two)
        locked.answer()
        assert not locked.has_begun_all("two")
        locked.go("one")
        locked.go("two")
        one.send_signal(signal.SIGCONT)
        ends_well(one)
        ends_well(two)
    locked.check()


def test_an_engine_that_is_stopped_in_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite it keeps others from writing, not from reading: they are told so, and go on when it does."""
    rivals = Rivals(Place("sqlite", tmp_path), tmp_path)
    with rivals.start("one", "stops") as one:
        until(lambda: is_stopped(one), one)
        with monkeypatch.context() as patch:
            patch.setattr(database, "PATIENCE", 0.2)
            with pytest.raises(StorageError, match=r"another process has been writing for more than 0\.2 s"):
                rivals.answer()
            assert rivals.place.open().summaries() == []
        one.send_signal(signal.SIGCONT)
        rivals.answer()
        rivals.go("one")
        ends_well(one)
    rivals.check()
    rivals.place.close()
