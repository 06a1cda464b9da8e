"""What becomes of work when its run completes, fails, rests, is paused, cancelled, killed or tried again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from flopod import current_activity
from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine import control
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.events import Abandoned, RunCancelled, RunCompleted, RunFailed, StepError
from tests.engine.controlled import go
from tests.engine.prefixes import events_of, resumed
from tests.engine.support import RUN, deliver, drive
from tests.engine.test_control import meanwhile
from tests.sidechains.blocks import called

mended: list[bool] = [False]


@pytest.fixture(autouse=True)
def _broken() -> None:
    mended[0] = False


async def note(value: Any) -> Any:
    called.append(value)
    await asyncio.sleep(0)
    return value


async def lasting(value: Any) -> Any:
    called.append(f"{value} begins")
    await asyncio.sleep(0.3)
    called.append(f"{value} ends")
    return value


async def endless(value: Any) -> Any:
    called.append(value)
    await asyncio.sleep(60)


async def fails(value: Any) -> Any:
    called.append(value)
    if not mended[0]:
        raise LookupError(value)
    return value


async def keyed(value: Any) -> Any:
    called.append((value, current_activity().idempotency_key, current_activity().attempt))


def status_is(status: str) -> Callable[[Backend], bool]:
    def holds(backend: Backend) -> bool:
        summary = backend.summary("r")
        return summary is not None and summary.status == status

    return holds


# -- completion and failure ----------------------------------------------------------------------


async def completes(wf: Any) -> str:
    wf.work("lasting", lasting, "a")
    wf.work("waits", late, "b", workflow=True)
    return "result"


async def late(wf: Any, value: str) -> None:
    await wf.sleep("sleep", "1h")
    wf.work("note", note, value)


def test_a_run_is_completed_when_its_work_is_over() -> None:
    """Work of work included: the terminal event is the last, and a kill anywhere changes nothing."""
    backend = MemoryBackend()
    assert drive(completes, backend=backend).value == "result"
    assert isinstance(events_of(backend)[-1], RunCompleted)
    assert called == ["a begins", "a ends", "b"]
    for count, outcome in resumed(completes, backend):
        assert outcome.value == "result", count


async def fails_beside(wf: Any) -> None:
    async def booked(wf: Any, value: str) -> None:
        await wf.activity("lasting", lasting, value)
        wf.compensate("undo", note, f"undo {value}")

    wf.work("fails", fails, "beside")
    wf.work("booked", booked, "work", workflow=True)
    wf.compensate("undo-main", note, "undo main")
    await wf.activity("main", fails, "main")
    await wf.activity("after", note, "after")


def test_a_run_that_fails_ends_when_its_work_has() -> None:
    """The error is the main line's, and what work has done meanwhile is undone as well."""
    backend = MemoryBackend()
    outcome = drive(fails_beside, backend=backend)
    assert (outcome.status, str(outcome.error)) == ("failed", "main")
    assert called == ["main", "beside", "work begins", "work ends", "undo work", "undo main"]
    assert isinstance(events_of(backend)[-1], RunFailed)
    for count, again in resumed(fails_beside, backend):
        assert str(again.error) == "main", count


async def fails_twice(wf: Any) -> str:
    wf.work("fails", fails, "beside")
    await wf.activity("main", fails, "main")
    return "mended"


def test_a_retry_goes_on_before_what_failed_the_run() -> None:
    """The work that failed later did not, and is not tried again."""
    backend = MemoryBackend()
    assert go(backend, fails_twice).status == "failed"
    assert isinstance(events_of(backend)[-2], StepError)
    mended[0] = True
    control.retry(backend, "r")
    assert go(backend, fails_twice).value == "mended"
    assert called == ["main", "beside", "main", "beside"]


async def promotes(wf: Any) -> Any:
    await wf.activity("note", note, "main")
    wf.work("fails", fails, "needed")
    return (await wf.wait_for_work("wait_for_work", fail_on_error=True)).done


def test_a_retry_tries_work_again_whose_error_failed_the_run() -> None:
    """With `fail_on_error` it is the run's error."""
    backend = MemoryBackend()
    assert go(backend, promotes).status == "failed"
    mended[0] = True
    control.retry(backend, "r")
    assert go(backend, promotes).value == 1
    assert called == ["main", "needed", "needed"]


# -- suspension ----------------------------------------------------------------------------------


async def rests(wf: Any) -> Any:
    wf.work("lasting", lasting, "a")
    wf.work("asks", asks, "b", workflow=True)
    return await wf.wait("approved")


async def asks(wf: Any, value: str) -> None:
    called.append(await wf.wait("confirmed"))
    await wf.activity("note", note, value)


def test_a_run_rests_when_its_work_rests() -> None:
    """Work under way ends first; work that waits is waited for like the main line, and goes on with it."""
    backend = MemoryBackend()
    assert drive(rests, backend=backend, exit_when_waiting=True).status == "waiting"
    assert called == ["a begins", "a ends"]
    deliver(backend, "approved", "approved", "yes")
    assert drive(rests, backend=backend, exit_when_waiting=True).status == "waiting"
    deliver(backend, "asks/confirmed", "confirmed", 5)
    assert drive(rests, backend=backend).value == "yes"
    assert called == ["a begins", "a ends", 5, "b"]


async def goes_on(wf: Any) -> str:
    wf.work("two", two, "work", workflow=True)
    await wf.activity("lasting", lasting, "main")
    return str(await wf.activity("note", note, "main"))


async def two(wf: Any, value: str) -> None:
    await wf.activity("lasting", lasting, value)
    await wf.activity("note", note, value)


def test_a_pause_lets_work_under_way_end_and_starts_no_other() -> None:
    """As in the main line; a resume goes on with both."""
    backend = MemoryBackend()
    told, outcome = asyncio.run(
        meanwhile(backend, goes_on, lambda: len(called) == 2, lambda: control.pause(backend, "r"))
    )
    assert (told, outcome.status) == (control.Done.TOLD, "paused")
    assert sorted(called) == ["main begins", "main ends", "work begins", "work ends"]
    control.resume(backend, "r")
    assert go(backend, goes_on).value == "main"
    assert sorted(called[4:]) == ["main", "work"]


# -- cancellation --------------------------------------------------------------------------------


async def cancelled(wf: Any) -> None:
    wf.work("tidies", tidies, "work", workflow=True)
    wf.work("endless", endless, "leaf")
    try:
        await wf.wait("approved")
    finally:
        await wf.activity("cleanup", note, "main tidied")


async def tidies(wf: Any, value: str) -> None:
    try:
        await wf.sleep("sleep", 3600)
    finally:
        await wf.activity("cleanup", note, f"{value} tidied")


def test_a_cancel_reaches_the_work() -> None:
    """The main line cleans up first, then work is cancelled where it waits, and cleans up; no failure."""
    backend = MemoryBackend()
    _, outcome = asyncio.run(
        meanwhile(backend, cancelled, lambda: bool(called), lambda: control.cancel(backend, "r", "enough"))
    )
    assert (outcome.status, outcome.reason) == ("cancelled", "enough")
    assert called == ["leaf", "main tidied", "work tidied"]
    events = events_of(backend)
    assert isinstance(events[-1], RunCancelled)
    assert not [one for one in events if isinstance(one, StepError)]
    assert {path for one in events if isinstance(one, Abandoned) for path in one.paths} >= {"endless"}


def test_a_cancelled_run_ends_so_from_every_prefix() -> None:
    """What was recorded is not done again; work runs until the main line has cleaned up, so it may again."""
    backend = MemoryBackend()
    asyncio.run(
        meanwhile(backend, cancelled, lambda: bool(called), lambda: control.cancel(backend, "r", "enough"))
    )
    lines = backend.lines("r")
    told = next(n for n, line in enumerate(lines, 1) if b'"cancel_requested"' in line)
    for count in range(told, len(lines) + 1):
        called.clear()
        outcome = go(backend.prefix("r", count), cancelled)
        assert (outcome.status, outcome.reason) == ("cancelled", "enough"), count
        done = b"".join(lines[:count]).count(b'"activity_completed"')
        tidied = [one for one in called if one != "leaf"]
        assert tidied == ["main tidied", "work tidied"][done:], count


async def over(wf: Any) -> str:
    wf.work("endless", endless, "leaf")
    return "result"


def test_a_cancel_while_the_work_drains_cancels_the_run() -> None:
    """The main line had ended; the run had not."""
    backend = MemoryBackend()
    _, outcome = asyncio.run(
        meanwhile(backend, over, lambda: bool(called), lambda: control.cancel(backend, "r", "enough"))
    )
    assert (outcome.status, called) == ("cancelled", ["leaf"])


# -- crash ---------------------------------------------------------------------------------------


async def crashes(wf: Any) -> None:
    wf.work("keyed", keyed, "work")
    wf.for_each("keyed#each", keyed, ["a", "b"])


def test_a_crash_runs_again_what_was_in_flight_with_the_same_key() -> None:
    """The key is the run and the path, and knows nothing of attempts or crashes."""
    backend = MemoryBackend()
    drive(crashes, backend=backend)
    expected = {
        ("work", f"{RUN}/keyed", 1),
        ("a", f"{RUN}/keyed#each[0]/keyed", 1),
        ("b", f"{RUN}/keyed#each[1]/keyed", 1),
    }
    assert set(called) == expected
    for count in range(1, len(backend.lines(RUN)) + 1):
        called.clear()
        copy = backend.prefix(RUN, count)
        done = b"".join(backend.lines(RUN)[:count]).count(b'"activity_completed"')
        drive(crashes, backend=copy)
        assert set(called) <= expected
        assert len(called) == 3 - done, count


# -- many runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("resting", [0, 10])
def test_an_engine_ends_runs_when_their_work_is_over(resting: int) -> None:
    """Also those that it puts away while the main line and the work wait."""
    backend = MemoryBackend()
    registry = HandWritten({"rests": rests})

    async def use() -> list[Any]:
        async with Engine(backend, registry, resting=resting) as engine:
            handles = [await engine.start("rests", run_id=f"run{n}") for n in range(4)]
            while sum(one.status == "waiting" for one in backend.summaries()) < 4:
                await asyncio.sleep(0.01)
            for n in range(4):
                engine.deliver(f"run{n}", "approved", "approved", b"1")  # type: ignore[arg-type]
                engine.deliver(f"run{n}", "asks/confirmed", "confirmed", b"2")  # type: ignore[arg-type]
            return [await handle.result() for handle in handles]

    assert asyncio.run(asyncio.wait_for(use(), 20)) == [1, 1, 1, 1]
    assert (called.count("b"), called.count(2), called.count("a ends")) == (4, 4, 4)
