"""The summary that is folded from the events of a run."""

import msgspec
import pytest
from msgspec import Raw

from flopod.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    BranchTaken,
    ChildCompleted,
    ChildStarted,
    Event,
    EventReceived,
    IterationCompleted,
    Log,
    RunCancelled,
    RunCompleted,
    RunDiverged,
    RunFailed,
    RunPaused,
    RunResumed,
    RunStarted,
    RunSummary,
    SleepCompleted,
    SleepStarted,
    WaitCompleted,
    WaitStarted,
    fold,
)

START = RunStarted(workflow="fulfil", input=Raw(b"{}"), build="b1", run_id="r", parent="p", at=10)
LEAF = ActivityStarted(path="a", callee="m:f", fingerprint="0")
LEAF_DONE = ActivityCompleted(path="a", result=Raw(b"1"))
WAIT = WaitStarted(path="w", event="ok", due=90)
SLEEP = SleepStarted(path="s", due=50)
CHILD = ChildStarted(path="c", child="r2", workflow="x", input=Raw(b"{}"))


def summary_of(*events: Event) -> RunSummary:
    """Fold a run that begins with `START`."""
    summary = fold(None, 1, START)
    for seq, event in enumerate(events, start=2):
        summary = fold(summary, seq, event)
    return summary


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], "pending"),
        ([BranchTaken(key=Raw(b"true"))], "running"),
        ([LEAF], "running"),
        ([LEAF, LEAF_DONE], "running"),
        ([WAIT], "waiting"),
        ([SLEEP], "waiting"),
        ([CHILD], "waiting"),
        ([WAIT, LEAF], "running"),
        ([WAIT, LEAF, LEAF_DONE], "waiting"),
        ([WAIT, Log(message="x")], "waiting"),
        ([WAIT, WaitCompleted(path="w", timed_out=True)], "running"),
        ([SLEEP, SleepCompleted(path="s")], "running"),
        ([CHILD, ChildCompleted(path="c", child="r2")], "running"),
        ([LEAF, ActivityFailed(path="a", attempt=1, error=Raw(b"{}"), next_try=70)], "running"),
        ([WAIT, RunPaused(reason="x")], "paused"),
        ([WAIT, RunPaused(), EventReceived(path="w", event="ok", payload=Raw(b"1"), inbox=1)], "paused"),
        ([WAIT, RunPaused(), RunResumed(build="b1")], "waiting"),
        ([LEAF, RunDiverged(reason="x")], "diverged"),
        ([LEAF, RunDiverged(reason="x"), RunResumed(build="b2")], "running"),
        ([LEAF, RunCancelled(reason="x")], "cancelled"),
        ([LEAF, RunFailed(error=Raw(b"{}"))], "failed"),
        ([LEAF, RunFailed(error=Raw(b"{}")), RunResumed(build="b1")], "running"),
        ([LEAF_DONE, RunCompleted(result=Raw(b"1"))], "completed"),
        ([LEAF_DONE, RunCompleted(result=Raw(b"1")), Log(message="late")], "completed"),
    ],
)
def test_the_status(events: list[Event], status: str) -> None:
    """The status follows from the events, and a run at rest leaves it only by being resumed."""
    assert summary_of(*events).status == status


def test_the_counts() -> None:
    """Started, done, failed for good, retries and crashes are counted; a leaf run again is one leaf."""
    failed = ActivityFailed(path="b", attempt=1, error=Raw(b"{}"), next_try=70)
    summary = summary_of(
        LEAF,
        LEAF_DONE,
        ActivityStarted(path="b", callee="m:f", fingerprint="0"),
        failed,
        RunResumed(build="b2", crashed=True),
        ActivityStarted(path="b", callee="m:f", fingerprint="0"),
        ActivityFailed(path="b", attempt=2, error=Raw(b"{}")),
    )
    assert (summary.activities_started, summary.activities_done, summary.activities_failed) == (2, 1, 1)
    assert (summary.retries, summary.crashes, summary.build, summary.seq) == (1, 1, "b2", 8)


def test_what_is_open() -> None:
    """Open operations are known by path, with event, time and attempt, until they end."""
    retry = ActivityFailed(path="a", attempt=1, error=Raw(b"{}"), next_try=70)
    summary = summary_of(LEAF, retry, WAIT, SLEEP, WaitStarted(path="for-ever", event="x"), CHILD)
    assert summary.running == {"a": 2}
    assert {path: (wait.event, wait.due) for path, wait in summary.waits.items()} == {
        "w": ("ok", 90),
        "for-ever": ("x", None),
    }
    assert summary.children == {"c": "r2"}
    assert summary.timers() == {"a": 70, "s": 50, "w": 90}
    assert (summary.next_due, summary.open_count) == (50, 5)
    assert summary_of(LEAF).next_due is None


def test_the_end_closes_everything() -> None:
    """An ended run waits for nothing, and knows when and how it ended."""
    summary = summary_of(LEAF, WAIT, SLEEP, CHILD, RunCompleted(result=Raw(b"[1, 2]"), at=99))
    assert (summary.open_count, summary.next_due) == (0, None)
    assert (summary.ended_at, summary.updated_at, summary.result_size) == (99, 99, 6)


def test_why_a_run_rests() -> None:
    """The last line of the traceback, or the reason, is the error until the run is resumed."""
    traceback = "Traceback (most recent call last):\n  ...\nshop.NoMoney: 3 EUR missing\n"
    assert summary_of(RunFailed(error=Raw(b"{}"), traceback=traceback)).error == "shop.NoMoney: 3 EUR missing"
    assert summary_of(RunFailed(error=Raw(b'{"x":1}'))).error == '{"x":1}'
    assert summary_of(RunPaused(reason="by hand")).error == "by hand"
    assert summary_of(RunDiverged(reason="x" * 900)).error == "x" * 500
    assert summary_of(RunDiverged(reason="x"), RunResumed(build="b1")).error == ""


def test_what_was_cancelled_is_closed() -> None:
    """A timeout that was not needed is no timer any more, and wakes nobody."""
    summary = summary_of(LEAF, SLEEP, Abandoned(paths=["s"]))
    assert (summary.open_count, summary.next_due) == (1, None)


def test_the_end_of_an_iteration_closes_what_is_left_in_it() -> None:
    """A cancelled arm leaves nothing open in the iteration that ended, whose neighbours are untouched."""
    inside = [SleepStarted(path=f"lines[{key}]/sleep", due=1) for key in ("2", "22", "2]/x[2")]
    summary = summary_of(*inside, IterationCompleted(path="lines", index=2, key="2"))
    assert list(summary.sleeps) == ["lines[22]/sleep"]
    summary = summary_of(*inside, IterationCompleted(path="lines[22]", index=22, key="22"))
    assert "lines[22]/sleep" not in summary.sleeps


def test_a_mark_of_the_storage_ends_with_the_next_event() -> None:
    """An event that could be appended shows that the storage is well again."""
    summary = summary_of(LEAF)
    summary.status, summary.error = "storage_error", "full"
    summary = fold(summary, 3, LEAF_DONE)
    assert (summary.status, summary.error) == ("running", "")


def test_a_summary_survives_json() -> None:
    """A stored summary comes back equal, and says by which version it was folded."""
    summary = summary_of(LEAF, WAIT, SLEEP, CHILD)
    back = msgspec.json.decode(msgspec.json.encode(summary), type=RunSummary)
    assert back == summary
    assert back.is_current
    assert not msgspec.json.decode(b'{"run_id":"old"}', type=RunSummary).is_current


def test_head_data() -> None:
    """Workflow, build, parent and start come from the first event."""
    summary = summary_of()
    assert (summary.run_id, summary.workflow, summary.build, summary.parent) == ("r", "fulfil", "b1", "p")
    assert (summary.started_at, summary.seq) == (10, 1)
