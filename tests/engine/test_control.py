"""Operating runs from outside: cancel, pause, resume, retry and delete."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Backend, Filter
from flopod.backends.memory import MemoryBackend
from flopod.engine import control
from flopod.engine.control import Done
from flopod.engine.copies import fork
from flopod.errors import Conflict, RunHeld, UnknownRun
from flopod.events import CancelRequested, RunPaused, RunStarted
from tests.engine.controlled import broken, drive, go, may_break, three, tidies
from tests.engine.support import calls, note


@pytest.fixture(autouse=True)
def _mended() -> None:
    broken[0] = False


async def linger(x: Any) -> Any:
    calls.append(x)
    await asyncio.sleep(60)
    return x


async def short(x: Any) -> Any:
    calls.append(x)
    await asyncio.sleep(0.4)
    return x


async def swallows(wf: Any) -> str:
    try:
        await wf.activity("a", linger, "long")
    except asyncio.CancelledError:
        return str(await wf.activity("b", note, "instead"))
    return "not cancelled"


async def two(wf: Any) -> Any:
    await wf.activity("a", short, 1)
    return await wf.activity("b", note, 2)


async def meanwhile(backend: Backend, fn: Any, holds: Callable[[], bool], order: Callable[[], Any]) -> Any:
    """Drive a run, give an order when something holds, and return both outcomes."""
    driving = asyncio.create_task(drive(backend, fn))
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)
    told = order()
    return told, await driving


def waits(backend: Backend) -> bool:
    """Whether the run waits."""
    summary = backend.summary("r")
    return summary is not None and summary.status == "waiting"


# -- cancel --------------------------------------------------------------------------------------


def test_a_cancelled_run_cleans_up_durably(backend: Backend) -> None:
    """CancelledError is raised where it waits; its `finally` calls leaves; then it is cancelled."""
    told, outcome = asyncio.run(
        meanwhile(backend, tidies, lambda: waits(backend), lambda: control.cancel(backend, "r", "enough"))
    )
    assert (told, outcome.status, outcome.reason) == (Done.TOLD, "cancelled", "enough")
    assert calls == ["cleanup 1", "cleanup 2"]
    assert backend.summary("r").status == "cancelled"  # type: ignore[union-attr]
    assert go(backend, tidies).status == "cancelled"
    assert control.cancel(backend, "r") is Done.ALREADY


def test_the_cleaning_up_survives_a_kill_anywhere() -> None:
    """After any record, a resume ends cancelled, and what was recorded is not done again."""
    backend = MemoryBackend()
    asyncio.run(
        meanwhile(backend, tidies, lambda: waits(backend), lambda: control.cancel(backend, "r", "enough"))
    )
    lines = backend.lines("r")
    for count in range(2, len(lines) + 1):
        calls.clear()
        copy = backend.prefix("r", count)
        kept = b"".join(lines[:count])
        outcome = go(copy, tidies)
        assert (outcome.status, outcome.reason) == ("cancelled", "enough"), count
        done = kept.count(b'"activity_completed"')
        assert calls == ["cleanup 1", "cleanup 2"][done:], count


def test_a_cancel_reaches_a_leaf_that_runs(backend: Backend) -> None:
    """The leaf is cancelled, not waited for; a body may end in another way than cancelled."""
    began = time.monotonic()
    told, outcome = asyncio.run(
        meanwhile(backend, swallows, lambda: bool(calls), lambda: control.cancel(backend, "r"))
    )
    assert told is Done.TOLD
    assert time.monotonic() - began < 15
    assert (outcome.status, outcome.value) == ("completed", "instead")
    assert calls == ["long", "instead"]


def test_a_run_without_a_process_is_cancelled_when_one_goes_on_with_it(backend: Backend) -> None:
    """The order is kept until then; by force it ends at once, without cleaning up."""
    go(backend, tidies, exit_when_waiting=True)
    assert control.cancel(backend, "r", "later") is Done.TOLD
    assert go(backend, tidies).status == "cancelled"
    go(backend, tidies, run_id="other", exit_when_waiting=True)
    calls.clear()
    assert control.cancel(backend, "other", "now", force=True) is Done.NOW
    outcome = go(backend, tidies, run_id="other")
    assert (outcome.status, outcome.reason, calls) == ("cancelled", "now", [])
    with pytest.raises(UnknownRun):
        control.cancel(backend, "nobody")


def test_a_run_that_is_over_cannot_be_cancelled_or_paused(backend: Backend) -> None:
    """It says how it ended."""
    go(backend, three)
    for order in (control.cancel, control.pause):
        with pytest.raises(Conflict, match="completed"):
            order(backend, "r")


# -- pause and resume ----------------------------------------------------------------------------


def test_a_pause_lets_the_leaf_under_way_end_and_starts_no_other(backend: Backend) -> None:
    """Its outcome is recorded; a resume goes on after it."""
    told, outcome = asyncio.run(
        meanwhile(backend, two, lambda: bool(calls), lambda: control.pause(backend, "r", "lunch"))
    )
    assert (told, outcome.status, outcome.reason) == (Done.TOLD, "paused", "lunch")
    assert calls == [1]
    assert go(backend, two).status == "paused"
    assert control.resume(backend, "r") is Done.NOW
    assert go(backend, two).value == 2
    assert calls == [1, 2]
    assert backend.summary("r").crashes == 0  # type: ignore[union-attr]


def test_a_run_that_waits_is_paused_where_it_is(backend: Backend) -> None:
    """With and without a process that drives it."""
    _, outcome = asyncio.run(
        meanwhile(backend, tidies, lambda: waits(backend), lambda: control.pause(backend, "r"))
    )
    assert outcome.status == "paused"
    go(backend, tidies, run_id="alone", exit_when_waiting=True)
    assert control.pause(backend, "alone") is Done.NOW
    assert control.pause(backend, "alone") is Done.ALREADY
    assert go(backend, tidies, run_id="alone").status == "paused"
    for run_id in ("r", "alone"):
        control.resume(backend, run_id)
        backend.deliver(run_id, "approved", "approved", Raw(b"1"))
        assert go(backend, tidies, run_id=run_id).value == "not cancelled"


def test_a_paused_run_can_be_cancelled(backend: Backend) -> None:
    """It is resumed to clean up."""
    go(backend, tidies, exit_when_waiting=True)
    control.pause(backend, "r")
    control.cancel(backend, "r", "no")
    assert go(backend, tidies).status == "cancelled"
    assert calls == ["cleanup 1", "cleanup 2"]


# -- retry -----------------------------------------------------------------------------------------


def test_a_failed_run_goes_on_from_the_leaf_that_failed(backend: Backend) -> None:
    """What was recorded before is not done again; it can fail and be tried again any number of times."""
    broken[0] = True
    assert go(backend, three).status == "failed"
    for _ in range(2):
        control.retry(backend, "r")
        assert backend.summary("r").status == "running"  # type: ignore[union-attr]
        assert go(backend, three).status == "failed"
    broken[0] = False
    control.retry(backend, "r", "mended")
    assert go(backend, three).value == [0, "a", "b", "c"]
    assert calls == ["a", "b", "b", "b", "b", "c"]
    with pytest.raises(Conflict, match="completed"):
        control.retry(backend, "r")


async def stands(wf: Any) -> list[Any]:
    """A wait, then a leaf that fails while a timer and another wait go on beside it."""
    first = await wf.wait("first")
    arms = wf.parallel(night=wf.sleep("night", 3600), go=wf.wait("go"), leaf=wf.activity("b", may_break, "b"))
    return [first, *(await arms)]


def test_a_retried_run_stands_where_it_did(backend: Backend) -> None:
    """The summary has what is open there before anybody goes on with it, so one that waits is waiting."""
    go(backend, stands, exit_when_waiting=True)
    before = backend.summary("r")
    control.cancel(backend, "r", "too early", force=True)
    control.retry(backend, "r")
    after = backend.summary("r")
    assert before is not None
    assert after is not None
    assert (after.status, after.waits, after.ended_at) == ("waiting", before.waits, None)
    assert after.next_due == before.next_due
    broken[0] = True
    backend.deliver("r", "first", "first", b"1")
    assert go(backend, stands).status == "failed"
    control.retry(backend, "r")
    failed = backend.summary("r")
    assert failed is not None
    assert (failed.status, list(failed.sleeps), list(failed.waits), list(failed.running)) == (
        "running",
        ["night"],
        ["go"],
        ["b"],
    )
    broken[0] = False
    assert go(backend, stands, exit_when_waiting=True).status == "waiting"


def test_a_retried_run_survives_a_kill_anywhere() -> None:
    """After any record from the rewind on, a resume ends as if nothing had happened."""
    backend = MemoryBackend()
    broken[0] = True
    go(backend, three)
    control.retry(backend, "r")
    rewound = len(backend.lines("r"))
    broken[0] = False
    assert go(backend, three).value == [0, "a", "b", "c"]
    for count in range(rewound, len(backend.lines("r")) + 1):
        assert go(backend.prefix("r", count), three).value == [0, "a", "b", "c"], count


async def undo(x: Any) -> None:
    calls.append(f"undo {x}")
    if broken[0] and x == "wrong":
        raise LookupError(x)


async def saga(wf: Any) -> str:
    """Undoes what it did if its last step fails."""
    for name in ("a", "b"):
        wf.compensate(f"undo-{name}", undo, await wf.activity(name, note, name))
    return str(await wf.activity("c", may_break, "c"))


def test_a_run_that_has_undone_its_steps_is_not_tried_again(backend: Backend) -> None:
    """It would go on as if they stood; nothing is changed, and a fork does them anew."""
    broken[0] = True
    go(backend, saga)
    assert calls == ["a", "b", "c", "undo b", "undo a"]
    log = backend.load("r")
    with pytest.raises(
        Conflict, match=r"has been undone \(undo-b, undo-a\).*flopod runs fork r NEW_RUN_ID --from PATH"
    ):
        control.retry(backend, "r")
    assert backend.load("r") == log
    broken[0] = False
    fork(backend, "r", "anew", "a")
    assert go(backend, saga, run_id="anew").value == "c"
    assert calls[5:] == ["a", "b", "c"]


async def fails(wf: Any) -> None:
    wf.compensate("undo", undo, "wrong")
    raise LookupError


def test_a_compensation_that_failed_can_be_tried_again(backend: Backend) -> None:
    """What was undone stays so."""
    broken[0] = True
    go(backend, fails)
    broken[0] = False
    control.retry(backend, "r")
    assert go(backend, fails).status == "failed"
    assert calls == ["undo wrong", "undo wrong"]
    with pytest.raises(Conflict, match="undone"):
        control.retry(backend, "r")


def test_a_run_that_is_held_is_not_changed_by_others(backend: Backend) -> None:
    """What needs the run itself says who has it."""
    go(backend, tidies, exit_when_waiting=True)
    with backend.hold("r"):
        with pytest.raises(RunHeld):
            control.cancel(backend, "r", force=True)
        with pytest.raises(RunHeld):
            backend.delete("r")


def test_a_deleted_run_leaves_nothing_behind(backend: Backend) -> None:
    """Its id starts clean: neither events nor deliveries of the one before are there."""
    go(backend, tidies, exit_when_waiting=True)
    backend.deliver("r", "approved", "approved", Raw(b"1"))
    assert backend.delete("r")
    assert not backend.delete("r")
    assert (backend.summary("r"), backend.load("r"), backend.inbox("r")) == (None, [], [])
    assert go(backend, tidies, exit_when_waiting=True).status == "waiting"
    assert backend.find(Filter(text="TIDIES")) != []


def test_runs_are_found_by_what_is_asked(backend: Backend) -> None:
    """Status, workflow, attributes, times and text; page after page."""
    for n in range(7):
        started = RunStarted(
            workflow="even" if n % 2 == 0 else "odd",
            input=Raw(b"[]"),
            run_id=f"run{n}",
            at=1000 + n,
            attributes={"customer": f"c{n % 3}", "n": n},
        )
        backend.append(f"run{n}", 0, [started])

    def ids(**wanted: Any) -> list[str]:
        return [one.run_id for one in backend.find(Filter(**wanted))]

    assert ids(workflow="odd") == ["run5", "run3", "run1"]
    assert ids(attributes={"customer": "c0"}) == ["run6", "run3", "run0"]
    assert ids(attributes={"customer": "c0", "n": 3}) == ["run3"]
    assert ids(started_after=1004) == ["run6", "run5"]
    assert ids(started_before=1002) == ["run1", "run0"]
    assert ids(text="C1") == ["run4", "run1"]
    assert ids(status=["completed"]) == []
    first = backend.find(Filter(), limit=3)
    assert [one.run_id for one in first] == ["run6", "run5", "run4"]


def test_the_order_is_in_the_log() -> None:
    """Who looks at the events sees what was asked, and what became of it."""
    backend = MemoryBackend()
    go(backend, tidies, exit_when_waiting=True)
    control.pause(backend, "r", "a")
    control.cancel(backend, "r", "b")
    go(backend, tidies)
    events = [record.event for record in backend.load("r")]
    assert [one.reason for one in events if isinstance(one, RunPaused)] == ["a"]
    assert [one.reason for one in events if isinstance(one, CancelRequested)] == ["b"]


async def stubborn(wf: Any) -> None:
    try:
        await wf.wait("first")
    except asyncio.CancelledError:
        await wf.wait("second")


def test_a_run_that_has_caught_its_cancel_is_not_said_to_be_told_again(backend: Backend) -> None:
    """A run gets one CancelledError; who cancels it once more learns that, and can end it by force."""
    go(backend, stubborn, exit_when_waiting=True)
    assert control.cancel(backend, "r", "one") is Done.TOLD
    assert go(backend, stubborn, exit_when_waiting=True).status == "waiting"
    before = backend.load("r")
    assert control.cancel(backend, "r", "two") is Done.UNDERWAY
    assert backend.load("r") == before
    assert control.cancel(backend, "r", force=True) is Done.NOW
    assert control.retry(backend, "r") is Done.NOW
    assert control.cancel(backend, "r", "three") is Done.TOLD
