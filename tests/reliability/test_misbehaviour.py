"""Clocks that jump, long logs, leaves that never return or raise what nobody expects, cancels anywhere."""

import asyncio
import threading
import time
from typing import Any

import pytest
from msgspec import Raw

from flopod import Retry, activity
from flopod.backends import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine import clock as clocks
from flopod.engine.clock import SystemClock
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.engine.schedule import Schedule
from flopod.events import ActivityCompleted
from tests.engine.support import calls, drive, note
from tests.reliability.support import serve, status, until

HOUR = 3_600_000


# -- clocks --------------------------------------------------------------------------------------


class Jumping(SystemClock):
    """The clock of the machine, set by somebody now and then."""

    def __init__(self) -> None:
        self.off = 0

    def now(self) -> int:
        return super().now() + self.off


async def fails_once(x: list[int]) -> int:
    calls.append(x)
    if len(calls) < 2:
        raise LookupError
    return 1


async def sleeps(wf: Any) -> str:
    await wf.sleep("nap", "1h")
    return "awake"


async def waits(wf: Any) -> str:
    return str(await wf.wait("never", timeout="1h"))


async def retries(wf: Any) -> int:
    policy = Retry(max_attempts=2, delay="1h", max_delay="1h", jitter=False)
    return int(await wf.activity("fails", activity(fails_once, retry=policy), [0]))


TIMED = {"sleeps": sleeps, "waits": waits, "retries": retries}


@pytest.mark.parametrize("resting", [0, 8])
@pytest.mark.parametrize("workflow", TIMED)
def test_a_clock_that_jumps_ahead_ends_what_is_due_then(
    store: Backend, workflow: str, resting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sleep, the timeout of a wait and the delay of a retry end at the next look; none before."""
    monkeypatch.setattr(clocks, "SLICE_MS", 300)
    clock = Jumping()

    async def use(engine: Engine) -> Any:
        handle = await engine.start(workflow, run_id="r")
        await until(lambda: bool(store.summary("r").timers()))  # type: ignore[union-attr]
        clock.off = -2 * HOUR
        await asyncio.sleep(0.2)
        assert status(store, "r") in ("waiting", "running")
        clock.off = 2 * HOUR
        began = time.monotonic()
        result = await handle.result()
        assert time.monotonic() - began < 5
        return result

    expected = {"sleeps": "awake", "waits": "None", "retries": 1}
    assert serve(store, TIMED, use, clock=clock, resting=resting) == expected[workflow]


def test_a_schedule_starts_each_time_once_over_jumps_of_the_clock(store: Backend) -> None:
    """Set back and ahead again, what was started is not started again, and what was missed is made up for."""
    clock = Jumping()

    async def use(engine: Engine) -> None:
        engine.schedules.put(
            Schedule(name="often", workflow="one", every="1h", catch_up="3h", overlap="allow")
        )
        for off in (2, 0, 2, -5, 3):
            clock.off = off * HOUR + 1000
            await asyncio.sleep(0.3)
        await until(lambda: all(run.status == "completed" for run in store.summaries()))

    async def one(wf: Any) -> None:
        await wf.activity("note", note, 1)

    serve(store, {"one": one}, use, clock=clock)
    times = [run.run_id for run in store.summaries()]
    assert len(times) == len(set(times)) == len(calls)


# -- leaves --------------------------------------------------------------------------------------


class Unheard(BaseException):
    """A kind of its own."""


@pytest.mark.parametrize("error", [Unheard, SystemExit, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize("is_plain", [True, False])
def test_what_a_leaf_raises_is_an_outcome_in_an_engine(
    store: Backend, error: type[BaseException], is_plain: bool
) -> None:
    """Whatever it is, the run does not wait for ever, and the engine and its neighbours go on."""

    def plain(x: int) -> None:
        raise error("out", x)

    async def coroutine(x: int) -> None:
        raise error("out", x)

    async def catches(wf: Any) -> str:
        try:
            await wf.activity("raises", plain if is_plain else coroutine, 7)
        except BaseException as caught:
            return f"{type(caught).__name__} {caught.args}"
        return "nothing"

    async def use(engine: Engine) -> list[Any]:
        handles = [await engine.start("catches"), await engine.start("one")]
        return [await handle.result() for handle in handles]

    async def one(wf: Any) -> Any:
        return await wf.activity("note", note, 1)

    if error is GeneratorExit:  # a body cannot be made to catch it: Python closes what it awaits
        with pytest.raises(GeneratorExit):
            serve(store, {"catches": catches, "one": one}, use)
    else:
        assert serve(store, {"catches": catches, "one": one}, use) == [f"{error.__name__} ('out', 7)", 1]


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_leaf_that_never_returns_holds_up_no_drain(store: Backend, is_plain: bool) -> None:
    """The engine is left by its deadline; the run goes on elsewhere, and that was no crash."""
    released = threading.Event()

    def plain() -> int:
        calls.append("began")
        released.wait(20)
        return 1

    async def coroutine() -> int:
        calls.append("began")
        await asyncio.sleep(20)
        return 1

    async def hangs(wf: Any) -> int:
        return int(await wf.activity("hangs", plain if is_plain else coroutine))

    async def main() -> float:
        engine = Engine(store, HandWritten({"hangs": hangs}), grace=0.3)
        engine.enter()
        await engine.start("hangs", run_id="r")
        await until(lambda: bool(calls))
        began = time.monotonic()
        await engine.drain()
        return time.monotonic() - began

    assert asyncio.run(main()) < 3
    released.set()
    assert status(store, "r") == "running"

    async def soon(wf: Any) -> int:
        async def leaf() -> int:
            return 2

        leaf.__qualname__ = (plain if is_plain else coroutine).__qualname__
        return int(await wf.activity("hangs", leaf))

    async def go_on(engine: Engine) -> Any:
        return (await engine.outcome("r")).value

    assert serve(store, {"hangs": soon}, go_on) == 2


# -- cancels -------------------------------------------------------------------------------------


async def leaf(x: int) -> int:
    calls.append(x)
    return x


async def inner(wf: Any) -> int:
    return int(await wf.activity("leaf", leaf, 4))


async def everything(wf: Any) -> list[Any]:
    """A workflow that awaits in every way, and tidies up durably."""
    found: list[Any] = []
    try:
        found.append(await wf.activity("leaf", leaf, 1))
        await wf.sleep("nap", "1h")
        found.append(await wf.wait("never", timeout="1h"))
        found += await wf.parallel(wf.activity("left", leaf, 2), wf.activity("right", leaf, 3))
        found.append(await wf.call("called", inner))
        for scope, x in wf.each("xs", [5, 6]):
            found.append(await scope.activity("leaf", leaf, x))
        found.append((await wf.race("race", nap=wf.sleep("short", "1s"), event=wf.wait("late"))).name)
    finally:
        await wf.activity("tidy", leaf, 100)
        await wf.sleep("breath", "1s")
        await wf.activity("tidy again", leaf, 101)
    return found


def test_cancelled_at_every_await_it_tidies_up_once() -> None:
    """Cancelled at any record of its log, and killed after any record from there on, it ends cancelled."""
    whole = MemoryBackend()
    assert drive(everything, backend=whole).value == [1, None, 2, 3, 4, 5, 6, "nap"]
    length = len(whole.load("r"))
    # From here on it is in its `finally`, which a cancel interrupts as it does in Python.
    tidying = next(seq for seq, event in whole.load("r") if event.path == "short") + 1
    for at in range(1, length - 1):  # after its last leaf it ends without another await
        store = whole.prefix("r", at)
        store.deliver("r", "", "flopod.cancel", Raw(b'"enough"'))
        calls.clear()
        outcome = drive(everything, backend=store)
        assert outcome.status == "cancelled", at
        tidy = [x for x in calls if x >= 100]
        done = [event.path for _, event in store.load("r") if isinstance(event, ActivityCompleted)]
        assert done.count("tidy") == 1 or at >= tidying, at
        assert len(tidy) == len(set(tidy)), at
        records = store.load("r")
        for count in range(at + 1, len(records), 3):
            copy = store.prefix("r", count)
            calls.clear()
            assert drive(everything, backend=copy).status == "cancelled", (at, count)
            recorded = {e.path for _, e in records[:count] if isinstance(e, ActivityCompleted)}
            assert not (100 in calls and "tidy" in recorded), (at, count)


# -- long logs -----------------------------------------------------------------------------------


async def long(wf: Any, steps: int) -> int:
    total = 0
    for scope, n in wf.each("steps", range(steps), keep=None):
        total += await scope.activity("leaf", note, n)
    return total


def test_a_log_of_twenty_thousand_events_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without compaction, killed at its end: no leaf runs again, and it takes seconds, not minutes."""
    monkeypatch.setenv("FLOPOD_COMPACT", "off")
    steps = 10_000
    store = MemoryBackend()
    assert drive(long, steps, backend=store).value == sum(range(steps))
    length = len(store.load("r"))
    assert length > 20_000
    calls.clear()
    began = time.monotonic()
    assert drive(long, steps, backend=store.prefix("r", length - 1)).value == sum(range(steps))
    assert calls == []
    assert time.monotonic() - began < 20
