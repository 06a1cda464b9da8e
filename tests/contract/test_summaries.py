"""Summaries and listings, the same for every store."""

from pathlib import Path

import pytest
from msgspec import Raw

from flopod.backends import Backend, cursor_after
from flopod.backends.base import Timer
from flopod.backends.values import ValuesBackend
from flopod.errors import BadInput
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    Event,
    EventReceived,
    RunCompleted,
    RunFailed,
    RunPaused,
    RunResumed,
    RunSummary,
    SleepCompleted,
    SleepStarted,
    WaitCompleted,
    WaitStarted,
    fold,
)
from tests.contract.support import Place, started, step

STORY: list[Event] = [
    started(at=10),
    *step(0, at=20),
    ActivityStarted(path="reserve", callee="shop:reserve", fingerprint="1", at=30),
    ActivityFailed(path="reserve", attempt=1, error=Raw(b"{}"), next_try=500, at=31),
    ActivityCompleted(path="reserve", attempt=2, result=Raw(b"1"), at=32),
    WaitStarted(path="approved", event="approved", due=900, at=40),
    SleepStarted(path="sleep", due=700, at=41),
    RunPaused(reason="by hand", at=50),
    RunResumed(build="b2", crashed=True, at=60),
    SleepCompleted(path="sleep", at=61),
    EventReceived(path="approved", event="approved", payload=Raw(b"true"), inbox=1, at=62),
    WaitCompleted(path="approved", payload=Raw(b"true"), event_seq=12, at=62),
    ActivityStarted(path="charge", callee="shop:charge", fingerprint="2", at=63),
    ActivityFailed(path="charge", attempt=1, error=Raw(b"{}"), at=64),
    RunFailed(error=Raw(b"{}"), traceback="Traceback\n  ...\nValueError: no money\n", at=70),
]


def folded(events: list[Event], run_id: str = "run") -> RunSummary:
    """Return the summary of `events` as the fold alone makes it."""
    summary: RunSummary | None = None
    for seq, event in enumerate(events, start=1):
        summary = fold(summary, seq, event)
    assert summary is not None
    summary.run_id = run_id
    return summary


def as_told(store: Backend, expected: RunSummary) -> RunSummary:
    """What a store tells of a run: one that encrypts keeps what was raised, and how long a result is."""
    found = store.summary("run")
    if isinstance(store, ValuesBackend) and found is not None:
        assert bool(found.error) == bool(expected.error)
        expected.error, expected.result_size = found.error, found.result_size
    return expected


def test_a_summary_is_the_fold_of_the_log_at_every_step(store: Backend) -> None:
    """After each append the summary and the listing say what folding the whole log says."""
    for seq, event in enumerate(STORY):
        store.append("run", seq, [event])
        expected = folded(STORY[: seq + 1])
        assert store.summary("run") == as_told(store, expected)
        assert store.summaries() == [expected]
        assert store.summaries(status=expected.status) == [expected]


def test_another_process_sees_the_same_summary(place: Place) -> None:
    """A store that did not write the log lists it as exactly as the one that did."""
    writer = place.open()
    for seq, event in enumerate(STORY):
        writer.append("run", seq, [event])
        expected = folded(STORY[: seq + 1])
        reader = place.open()
        assert reader.summary("run") == as_told(reader, expected)
        assert reader.summaries(status=expected.status) == [expected]


def test_a_summary_survives_a_writer_that_never_closed(place: Place) -> None:
    """Counts are right after many appends whose writer was killed before it wrote a summary."""
    writer = place.open()
    events = [started(), *(event for number in range(400) for event in step(number))]
    for seq, event in enumerate(events):
        writer.append("run", seq, [event])
    summary = place.open().summary("run")
    assert summary is not None
    assert summary == folded(events)
    assert summary.activities_done == 400
    heir = place.open()
    assert heir.append("run", len(events), step(400)) == len(events) + 2
    heir.close()
    assert place.open().summary("run") == folded([*events, *step(400)])


def test_a_summary_follows_writers_in_turn(place: Place) -> None:
    """Two stores that append to a run in turn, each after loading, count what the other appended."""
    stores = [place.open(), place.open()]
    events: list[Event] = [started()]
    stores[0].append("run", 0, events)
    for number in range(6):
        store = stores[number % 2]
        assert store.append("run", len(store.load("run")), step(number)) == len(events) + 2
        events += step(number)
        assert store.summary("run") == folded(events)
        assert store.summaries() == [folded(events)]


def test_a_given_summary_is_a_copy(store: Backend) -> None:
    """Changing a summary that was handed out changes nothing in the store."""
    store.append("run", 0, [started(), WaitStarted(path="w", event="e")])
    summary = store.summary("run")
    assert summary is not None
    summary.waits.clear()
    summary.status = "failed"
    again = store.summary("run")
    assert again is not None
    assert (list(again.waits), again.status) == (["w"], "waiting")


def test_runs_are_listed_youngest_first_and_filtered(store: Backend) -> None:
    """The listing is ordered by start, then id, and cut by workflow, status and limit."""
    store.append("a", 0, [started(at=5)])
    store.append("c", 0, [started(at=9), RunCompleted(result=Raw(b"1"), at=10)])
    store.append("b", 0, [started(at=9, workflow="census")])
    store.append("d", 0, [started(at=7), *step(0)])
    assert [run.run_id for run in store.summaries()] == ["c", "b", "d", "a"]
    assert [run.run_id for run in store.summaries(workflow="fulfil")] == ["c", "d", "a"]
    assert [run.run_id for run in store.summaries(status="pending")] == ["b", "a"]
    assert [run.run_id for run in store.summaries(status="completed", workflow="census")] == []
    assert [run.run_id for run in store.summaries(limit=2)] == ["c", "b"]


def test_a_listing_can_be_read_in_pages(store: Backend) -> None:
    """Each page begins right after the last run of the one before, also among equal start times."""
    for number in range(7):
        store.append(f"run{number}", 0, [started(at=number // 3)])
    seen: list[str] = []
    cursor: str | None = None
    while page := store.summaries(limit=2, cursor=cursor):
        seen += [run.run_id for run in page]
        cursor = cursor_after(page[-1])
    assert seen == [f"run{number}" for number in range(6, -1, -1)]


def test_runs_are_counted_by_status(place: Place) -> None:
    """The counts follow every append, mark and deletion, and a store opened later counts the same."""
    store = place.open()
    assert store.counts() == {}
    store.append("a", 0, [started(at=1)])
    store.append("b", 0, [started(at=2), *step(0)])
    store.append("c", 0, [started(at=3), *step(0)])
    assert store.counts() == {"pending": 1, "running": 2} == place.open().counts()
    store.append("b", 3, [RunCompleted(result=Raw(b"1"), at=5)])
    assert store.mark("c", "storage_error", "the disk is full")
    assert store.counts() == {"pending": 1, "completed": 1, "storage_error": 1} == place.open().counts()
    store.delete("a")
    assert store.counts() == {"completed": 1, "storage_error": 1} == place.open().counts()


def test_a_cursor_of_no_listing_is_refused(store: Backend) -> None:
    """A cursor that was made up is bad input, not an empty page."""
    with pytest.raises(BadInput):
        store.summaries(cursor="yesterday")


def test_due_timers_come_from_open_sleeps_waits_and_retries(store: Backend) -> None:
    """Every open wake-up time before the given one is listed, the earliest first, and no ended one."""
    store.append("run", 0, [*STORY[:5], *STORY[6:8]])
    store.append(
        "other", 0, [started(), SleepStarted(path="nap", due=600), SleepStarted(path="long", due=9000)]
    )
    store.append("ended", 0, [started(), SleepStarted(path="nap", due=1), RunCompleted(result=Raw(b"1"))])
    store.append("paused", 0, [started(), SleepStarted(path="nap", due=1), RunPaused()])
    assert store.due_timers(900) == [
        Timer("run", "reserve", 500),
        Timer("other", "nap", 600),
        Timer("run", "sleep", 700),
    ]


def test_a_mark_shows_until_the_next_event(place: Place) -> None:
    """A status set without an event is seen by others, and gone once something can be appended."""
    store = place.open()
    store.append("run", 0, [started(), *step(0)])
    assert store.mark("run", "storage_error", "the disk is full")
    marked = place.open().summary("run")
    assert marked is not None
    assert (marked.status, marked.error) == ("storage_error", "the disk is full")
    assert [run.run_id for run in place.open().summaries(status="storage_error")] == ["run"]
    store.append("run", 3, step(1))
    assert place.open().summary("run") == folded([started(), *step(0), *step(1)])


def test_a_mark_shows_to_those_who_have_read_the_run(place: Place) -> None:
    """It is not in the log, so that a summary that is remembered does not tell of it."""
    reader, writer = place.open(), place.open()
    writer.append("run", 0, [started(), *step(0)])
    assert len(reader.load("run")) == 3
    assert writer.mark("run", "storage_error", "the disk is full")
    summary = reader.summary("run")
    assert summary is not None
    assert summary.status == "storage_error"


def test_nothing_marks_a_run_that_is_not_there(store: Backend) -> None:
    """Marking an unknown run creates none and says so."""
    assert not store.mark("nobody", "storage_error", "")
    assert store.summaries() == []


def test_a_lost_summary_is_made_again(shared: Place) -> None:
    """Removing the stored summaries, or spoiling them, loses nothing that the log has."""
    store = shared.open()
    store.append("run", 0, [started(), *step(0)])
    store.close()
    for spoil in (_remove_summaries, _spoil_summaries):
        spoil(shared)
        assert shared.open().summaries(status="running") == [folded([started(), *step(0)])]


def _remove_summaries(place: Place) -> None:
    if place.kind == "file":
        (place.folder / "runs/summaries/run.json").unlink()
    elif place.kind == "postgres":
        _execute_in_postgres(place.dsn, "DELETE FROM flopod.runs")
    else:
        _execute(place.folder / "runs.db", "DELETE FROM summaries", "DELETE FROM runs")


def _spoil_summaries(place: Place) -> None:
    if place.kind == "file":
        (place.folder / "runs/summaries/run.json").write_text('{"offset": 3, "summ')
    elif place.kind == "postgres":
        _execute_in_postgres(place.dsn, "UPDATE flopod.runs SET summary = 'x'")
    else:
        _execute(place.folder / "runs.db", "UPDATE summaries SET body = 'x'")


def _execute(file: Path, *statements: str) -> None:
    import sqlite3

    db = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def _execute_in_postgres(dsn: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(dsn) as db:
        db.execute(statement.encode())
