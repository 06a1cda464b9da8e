"""A leaf that kills its process, under an engine with other runs: it parks, and nobody else pays for it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from msgspec import Raw

from flopod.engine.takeover import leaves_in_flight
from flopod.events import ActivityCompleted, ActivityFailed, ActivityStarted, Record, RunCompleted
from tests.cli.flows import clean_environment
from tests.contract.support import Place, started
from tests.reliability import deadly_server
from tests.reliability.deadly_server import MAX_CRASHES, OTHERS

pytestmark = pytest.mark.process
STATUSES = {"exit": 3, "kill": -signal.SIGKILL, "abort": -signal.SIGABRT}


@pytest.mark.parametrize(("how", "leaf"), [("exit", "plain"), ("kill", "second"), ("abort", "coroutine")])
def test_a_leaf_that_kills_the_process_parks_its_own_run_alone(
    place: Place, tmp_path: Path, how: str, leaf: str
) -> None:
    """After so many crashes it is not started again; runs that were under way at each of them all end."""
    journal = tmp_path / "journal"
    for _ in range(MAX_CRASHES):
        died = serve(place, how, leaf, journal)
        assert died.returncode == STATUSES[how], died.stderr
    for _ in range(2):
        done = serve(place, how, leaf, journal)
        assert done.returncode == 0, done.stderr
        first, *others = done.stdout.splitlines()
        assert first.startswith("deadly paused None die (")
        assert f"was running at {MAX_CRASHES} crashes in a row" in first
        assert others == [f"good{n} completed {2 * n} " for n in range(OTHERS)]
    check_logs(place)
    said = Counter(journal.read_text().split())
    assert said["death"] == MAX_CRASHES
    assert said["failed"] == (leaf == "second")


@pytest.mark.parametrize(("next_try", "is_counted"), [(None, False), (99, True), (101, False)])
def test_what_waits_for_its_next_attempt_has_killed_nobody(next_try: int | None, is_counted: bool) -> None:
    """Of a leaf that failed, a crash counts if its next attempt was due by then."""
    failed = ActivityFailed(path="die", attempt=1, error=Raw(b"null"), next_try=next_try)
    records = [
        Record(1, started()),
        Record(2, ActivityStarted(path="die", callee="", fingerprint="")),
        Record(3, failed),
    ]
    assert leaves_in_flight(records, now=100) == ({"die"} if is_counted else set())


def check_logs(place: Place) -> None:
    """The log of each of the others says once that it ended, and once what each leaf returned."""
    store = place.open()
    for n in range(OTHERS):
        events = [event for _, event in store.load(f"good{n}")]
        done = [event.path for event in events if isinstance(event, ActivityCompleted)]
        assert done == ["first", "second"]
        assert sum(isinstance(event, RunCompleted) for event in events) == 1
    summary = store.summary("deadly")
    assert summary is not None
    assert summary.status == "paused"


def serve(place: Place, how: str, leaf: str, journal: Path) -> "subprocess.CompletedProcess[str]":
    """Start the engine and wait until it has ended, one way or another."""
    where = place.address.removeprefix("file:").removeprefix("sqlite:")
    return subprocess.run(
        [sys.executable, deadly_server.__file__, place.kind, where, how, leaf, str(journal)],
        env={
            **clean_environment(),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "FLOPOD_MAX_CRASHES": str(MAX_CRASHES),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
