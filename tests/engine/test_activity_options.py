"""What rides on a leaf in a durable run, crashes included: heartbeat, progress, at most once, deadline."""

import asyncio
import threading
import time
from typing import Any

import pytest

from flopod import (
    ActivityTimeout,
    Cancelled,
    HeartbeatTimeout,
    MaybeExecuted,
    OutsideActivity,
    Retry,
    activity,
    current_activity,
    heartbeat,
)
from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.events import ActivityFailed, ActivityProgress, ActivityStarted, RunCompleted
from tests.engine.prefixes import events_of, resumed, through
from tests.engine.support import drive, real

ONCE_MORE = Retry(max_attempts=2, delay=0)


def progress_in(backend: MemoryBackend) -> list[bytes]:
    """The documents of the progress that was written."""
    return [bytes(one.progress or b"") for one in events_of(backend) if isinstance(one, ActivityProgress)]


@pytest.mark.parametrize("wait", [asyncio.sleep, time.sleep], ids=["coroutine", "thread"])
def test_a_leaf_without_a_sign_of_life_has_failed(wait: Any) -> None:
    """A leaf that does not beat within its heartbeat fails with a kind of ActivityTimeout."""

    async def slow() -> None:
        await wait(0.4)

    def slow_thread() -> None:
        wait(0.4)

    leaf = slow if wait is asyncio.sleep else slow_thread

    async def body(wf: Any) -> Any:
        try:
            await wf.activity("slow", activity(leaf, heartbeat=0.03))
        except ActivityTimeout as error:
            return type(error), str(error)
        return "no timeout"

    assert real(body).value == (HeartbeatTimeout, "slow: no heartbeat within 0.03 s")


@pytest.mark.parametrize("is_thread", [False, True])
def test_a_leaf_that_beats_may_take_as_long_as_it_needs(is_thread: bool) -> None:
    """Each beat gives the leaf its whole heartbeat anew."""

    async def slow() -> int:
        for _ in range(8):
            await asyncio.sleep(0.06)
            heartbeat()
        return 1

    def slow_thread() -> int:
        for _ in range(8):
            time.sleep(0.06)
            heartbeat()
        return 1

    async def body(wf: Any) -> Any:
        return await wf.activity("slow", activity(slow_thread if is_thread else slow, heartbeat=0.35))

    assert real(body).value == 1


def test_retry_acts_on_a_missed_heartbeat_and_the_next_attempt_goes_on() -> None:
    """The next attempt finds the progress of the one that hung, and its idempotency key."""
    seen: list[tuple[int, Any, str]] = []

    async def copy() -> str:
        context = current_activity()
        seen.append((context.attempt, context.progress, context.idempotency_key))
        if context.attempt == 1:
            heartbeat({"page": 1})
            heartbeat({"page": 7})
            await asyncio.sleep(5)
        return "done"

    async def body(wf: Any) -> Any:
        leaf = activity(copy, heartbeat=0.05, retry=Retry(delay=0, retry_on=HeartbeatTimeout))
        return await wf.activity("copy", leaf)

    assert real(body).value == "done"
    assert seen == [(1, None, "r/copy"), (2, {"page": 7}, "r/copy")]


@pytest.mark.parametrize("is_thread", [False, True])
def test_progress_is_written_about_once_a_second(is_thread: bool) -> None:
    """Of a thousand beats the first is written at once and what follows is coalesced."""

    async def busy() -> None:
        for number in range(1000):
            heartbeat(number)
            if not number % 100:
                await asyncio.sleep(0)

    def busy_thread() -> None:
        for number in range(1000):
            heartbeat(number)

    async def body(wf: Any) -> None:
        await wf.activity("busy", busy_thread if is_thread else busy)

    backend = MemoryBackend()
    assert drive(body, backend=backend).status == "completed"
    assert progress_in(backend) == [b"0"]


def test_progress_of_a_leaf_that_holds_up_the_loop_is_durable_while_it_runs() -> None:
    """A plain function that runs on the loop's thread has its first progress in the log at once."""
    backend = MemoryBackend()
    found: list[list[bytes]] = []

    def busy() -> None:
        heartbeat("half")
        found.append(progress_in(backend))

    async def body(wf: Any) -> None:
        await wf.activity("busy", busy)

    assert drive(body, backend=backend).status == "completed"
    assert found == [[b'"half"']]


def test_after_a_crash_the_leaf_goes_on_where_it_was() -> None:
    """From every prefix of the log the leaf that runs again reads the last progress that is written there."""
    seen: list[Any] = []

    async def copy(total: int) -> int:
        seen.append(current_activity().progress)
        for page in range(current_activity().progress or 0, total):
            heartbeat(page + 1)
        return total

    async def body(wf: Any) -> Any:
        return [await wf.activity("first", copy, 2), await wf.activity("second", copy, 3)]

    backend = MemoryBackend()
    assert drive(body, backend=backend).value == [2, 3]
    for cut, outcome in resumed(body, backend):
        assert outcome.value == [2, 3], cut
    seen.clear()
    assert drive(body, backend=through(backend, ActivityProgress)).value == [2, 3]
    assert seen == [1, None], "the first leaf goes on after its first page"


def test_a_thread_that_is_left_behind_ends_at_its_next_beat() -> None:
    """A plain function cannot be stopped from outside; after its timeout its next beat raises Cancelled."""
    ended = threading.Event()

    def endless() -> None:
        try:
            while True:
                time.sleep(0.01)
                heartbeat()
        except Cancelled:
            ended.set()
            raise

    async def body(wf: Any) -> Any:
        try:
            await wf.activity("endless", activity(endless, timeout=0.05))
        except TimeoutError as error:
            return type(error), str(error)

    assert real(body).value == (ActivityTimeout, "endless: no result within 0.05 s")
    assert ended.wait(5)


def test_progress_that_is_no_data_is_refused_at_the_beat() -> None:
    """The leaf itself gets the error, which names it."""

    async def wrong() -> None:
        heartbeat(threading.Lock())

    async def body(wf: Any) -> None:
        await wf.activity("wrong", wrong)

    assert str(drive(body, backend=MemoryBackend()).error).startswith("wrong: progress")


def test_only_a_leaf_may_ask() -> None:
    """Elsewhere, both say what to do."""
    for ask in (current_activity, heartbeat):
        with pytest.raises(OutsideActivity, match="mark the function with @activity"):
            ask()


def test_the_context_is_known_on_the_thread_of_a_leaf() -> None:
    """Plain leaves side by side run on threads, and each knows its own call."""

    def key(_: int) -> str:
        return current_activity().idempotency_key

    async def body(wf: Any) -> Any:
        return await asyncio.gather(*(wf.activity(f"key#{n}", activity(key, timeout=5), n) for n in range(3)))

    assert real(body).value == ["r/key#0", "r/key#1", "r/key#2"]


def test_at_most_once_is_not_started_again_after_a_crash() -> None:
    """In flight at a crash it is MaybeExecuted, which the body may catch, the same on every replay."""
    charged: list[int] = []

    @activity(at_most_once=True)
    async def charge(amount: int) -> str:
        charged.append(amount)
        return "charged"

    async def undo() -> str:
        return "asked the bank"

    async def body(wf: Any) -> Any:
        try:
            return await wf.activity("charge", charge, 5)
        except MaybeExecuted as error:
            return [error.path, await wf.activity("undo", undo)]

    backend = MemoryBackend()
    assert drive(body, backend=backend).value == "charged"
    charged.clear()
    crashed = through(backend, ActivityStarted)
    assert drive(body, backend=crashed).value == ["charge", "asked the bank"]
    assert not charged
    found = [outcome.value for _, outcome in resumed(body, crashed)]
    assert found == ["charged", *[["charge", "asked the bank"]] * (len(found) - 1)]
    assert charged == [5], "only the run that had not begun it called it"


@pytest.mark.parametrize("sync", [False, True])
def test_at_most_once_is_tried_again_only_after_an_error_of_its_own(sync: bool) -> None:
    """A crash between attempts costs nothing; one during the second attempt ends it."""
    tries: list[int] = []

    def one() -> int:
        tries.append(current_activity().attempt)
        if tries[-1] == 1:
            raise ConnectionRefusedError
        return tries[-1]

    async def one_later() -> int:
        return one()

    leaf = activity(one if sync else one_later, at_most_once=True, retry=Retry(delay="1m", jitter=False))

    async def body(wf: Any) -> Any:
        try:
            return await wf.activity("one", leaf)
        except MaybeExecuted:
            return "unknown"

    backend = MemoryBackend()
    assert drive(body, backend=backend).value == 2
    kinds = [type(event) for event in events_of(backend)]
    found = {kinds[cut - 1]: outcome.value for cut, outcome in resumed(body, backend)}
    assert found[ActivityStarted] == "unknown"
    assert found[ActivityFailed] == 2
    assert found[ActivityProgress] == "unknown"
    assert found[RunCompleted] == 2


def test_at_most_once_is_not_tried_again_after_a_timeout() -> None:
    """A timeout leaves open what the attempt has done, or still does."""
    tries: list[int] = []

    def slow() -> None:
        tries.append(1)
        time.sleep(0.1)

    async def body(wf: Any) -> Any:
        return await wf.activity("slow", activity(slow, timeout=0.02, at_most_once=True, retry=ONCE_MORE))

    assert isinstance(real(body).error, ActivityTimeout)
    assert tries == [1]


def test_a_crash_is_no_attempt() -> None:
    """A leaf that was in flight at a crash runs again as the same attempt."""
    attempts: list[int] = []

    async def leaf() -> int:
        attempts.append(current_activity().attempt)
        raise OSError

    async def body(wf: Any) -> Any:
        return await wf.attempt("leaf", leaf, retry=ONCE_MORE)

    backend = MemoryBackend()
    assert drive(body, backend=backend).value is None
    assert attempts == [1, 2]
    for cut, outcome in resumed(body, backend):
        assert outcome.value is None, cut
    attempts.clear()
    drive(body, backend=through(backend, ActivityStarted))
    assert attempts == [1, 2]


def test_no_attempt_begins_after_the_deadline_even_if_nobody_was_there() -> None:
    """Resumed past the deadline of a pending attempt, a run gives up with the error of the last one."""
    attempts: list[int] = []

    async def leaf() -> int:
        attempts.append(current_activity().attempt)
        raise OSError("not yet")

    policy = Retry(max_attempts=None, delay="10s", deadline="5m", jitter=False, backoff="fixed")

    async def body(wf: Any) -> Any:
        try:
            await wf.activity("leaf", activity(leaf, retry=policy))
        except OSError as error:
            return str(error)

    backend = MemoryBackend()
    assert drive(body, backend=backend).value == "not yet"
    assert attempts == list(range(1, 32))
    start = events_of(backend)[0].at
    for late, more in ((60_000, 25), (400_000, 0)):
        attempts.clear()
        again = through(backend, ActivityFailed)
        assert drive(body, backend=again, clock=VirtualClock(start + late)).value == "not yet"
        assert len(attempts) == more
        for cut, outcome in resumed(body, again, clock=VirtualClock(start + late)):
            assert outcome.value == "not yet", cut
