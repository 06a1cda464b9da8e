"""Leaves on asyncio: side by side, in threads, with timeouts, and what they may know of their call."""

import asyncio
import threading
import time
import traceback
from functools import partial, wraps
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.current import current_context
from flopod.errors import ActivityTimeout, ValueTooLarge
from flopod.options import ActivityOptions
from flopod.retry import Retry
from flopod.workflow.activity import is_async
from tests.engine.support import RUN, drive, real


def with_options(fn: Any, **options: Any) -> Any:
    @wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    wrapper.__flopod_activity__ = ActivityOptions(fn, **options)  # type: ignore[attr-defined]
    return wrapper


def test_async_leaves_run_side_by_side() -> None:
    """Two leaves that wait for each other both end."""
    met: list[asyncio.Event] = []

    async def meet(i: int) -> int:
        met.append(asyncio.Event())
        while len(met) < 2:
            await asyncio.sleep(0)
        return i

    async def body(wf: Any) -> Any:
        return await wf.parallel(wf.activity("a", meet, 1), wf.activity("b", meet, 2))

    assert real(body).value == [1, 2]


@pytest.mark.parametrize("beside", [False, True])
def test_what_a_plain_leaf_gives_cannot_always_be_awaited(beside: bool) -> None:
    """It is called once, whatever its policy; the TypeError of Python is its outcome, and so on a resume."""
    calls: list[int] = []

    def load(n: int) -> int:
        calls.append(n)
        return n

    async def other() -> None:
        await asyncio.sleep(0)

    tried = with_options(load, retry=Retry(max_attempts=3, delay=0))

    async def body(wf: Any) -> Any:
        task = asyncio.create_task(_awaited(wf.activity("other", other))) if beside else None
        try:
            return await wf.awaited("load", tried, 1)
        except TypeError as error:
            return str(error)
        finally:
            await (task or asyncio.sleep(0))

    async def _awaited(operation: Any) -> None:
        await operation

    async def plain() -> Any:
        return await load(0)  # type: ignore[misc]

    with pytest.raises(TypeError) as told:
        asyncio.run(plain())
    backend = MemoryBackend()
    assert real(body, backend).value == str(told.value)
    assert calls == [0, 1]
    records = [record for record in backend.load(RUN) if record.event.path == "load"]
    assert [type(record.event).__name__ for record in records] == ["ActivityStarted", "ActivityFailed"]


def test_a_plain_leaf_does_not_stop_others_in_flight() -> None:
    """A plain function beside a coroutine runs in a thread of its own."""
    go = threading.Event()

    async def opens() -> str:
        await asyncio.sleep(0)
        go.set()
        return "opened"

    def waits() -> str:
        assert go.wait(10)
        return threading.current_thread().name

    async def body(wf: Any) -> Any:
        return await wf.parallel(wf.activity("a", opens), wf.activity("b", waits))

    opened, name = real(body).value
    assert opened == "opened"
    assert name != threading.current_thread().name


def test_a_timeout_of_a_coroutine() -> None:
    """A leaf that is too slow is cancelled and raises ActivityTimeout in the body."""
    cancelled: list[bool] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def body(wf: Any) -> str:
        try:
            await wf.activity("slow", with_options(slow, timeout=0.02))
        except ActivityTimeout as error:
            return str(error)
        return "no timeout"

    assert real(body).value == "slow: no result within 0.02 s"
    assert cancelled == [True]


def test_a_timeout_of_a_plain_function() -> None:
    """A plain leaf that is too slow is left alone, and its result is of no interest."""

    def slow() -> None:
        time.sleep(0.3)

    async def body(wf: Any) -> Any:
        return await wf.attempt("slow", with_options(slow, timeout=0.02), retry=Retry(max_attempts=1))

    assert real(body).value is None


def test_retries_by_the_options_of_a_function() -> None:
    """Attempts are told to the leaf, keep one idempotency key, and wait as recorded."""
    known: list[Any] = []

    async def flaky() -> int:
        known.append(current_context.get())
        if len(known) < 3:
            raise OSError("not yet")
        return len(known)

    async def body(wf: Any) -> Any:
        return await wf.activity("flaky", with_options(flaky, retry=Retry(max_attempts=5, delay=100)))

    assert drive(body, backend=MemoryBackend()).value == 3
    assert [context.attempt for context in known] == [1, 2, 3]
    assert {context.idempotency_key for context in known} == {"r/flaky"}


def test_errors_to_give_up_on_are_not_tried_again() -> None:
    """`give_up_on` ends it at the first try."""
    tries: list[int] = []

    async def wrong() -> None:
        tries.append(1)
        raise KeyError("wrong")

    async def body(wf: Any) -> Any:
        return await wf.attempt("wrong", wrong, retry=Retry(give_up_on=(KeyError,)))

    assert drive(body, backend=MemoryBackend()).value is None
    assert tries == [1]


def test_the_traceback_of_an_error_leads_from_the_body_to_the_leaf() -> None:
    """What the body itself writes of it, as `logger.exception` does, has no frames of the runtime."""
    frames: list[str] = []

    def plain() -> None:
        raise ValueError("plain")

    async def slow() -> None:
        await asyncio.sleep(0)
        raise ValueError("slow")

    async def catch(wf: Any, name: str, leaf: Any) -> None:
        try:
            await wf.activity(name, leaf)
        except ValueError as error:
            frames.extend(frame.name for frame in traceback.extract_tb(error.__traceback__))

    async def body(wf: Any) -> None:
        await catch(wf, "alone", plain)
        await asyncio.gather(catch(wf, "plain", plain), catch(wf, "slow", slow))

    assert real(body).status == "completed"
    assert frames == ["catch", "plain", "catch", "plain", "catch", "slow"]


def test_leaf_that_raises_cancelled_error_has_failed() -> None:
    """CancelledError raised by a leaf of its own accord is an outcome, in a task or not."""

    async def gives_up() -> None:
        raise asyncio.CancelledError

    async def fine() -> int:
        return 1

    async def arm(wf: Any, id: str) -> str:
        try:
            await wf.activity(id, gives_up)
        except asyncio.CancelledError:
            return "caught"
        return "no error"

    async def body(wf: Any) -> Any:
        alone = await arm(wf, "alone")
        return [alone, *await wf.parallel(arm(wf, "beside"), wf.activity("fine", fine))]

    assert real(body).value == ["caught", "caught", 1]


def test_leaf_exits_are_outcomes() -> None:
    """SystemExit from a leaf reaches the body; uncaught it fails the run."""

    def leaves() -> None:
        raise SystemExit(4)

    async def body(wf: Any, catch: bool) -> Any:
        try:
            await wf.activity("leaves", leaves)
        except SystemExit as error:
            if not catch:
                raise
            return error.code

    assert drive(body, True, backend=MemoryBackend()).value == 4
    assert repr(drive(body, False, backend=MemoryBackend()).error) == "SystemExit(4)"


def test_a_plain_workflow_may_have_leaves_with_a_loop_of_their_own() -> None:
    """In a run of a plain workflow a leaf may call asyncio.run, as it may in plain Python."""

    async def inner() -> int:
        return 5

    def leaf() -> int:
        return asyncio.run(inner())

    async def body(wf: Any) -> int:
        return int(await wf.activity("leaf", leaf))

    assert drive(body, backend=MemoryBackend(), sync=True).value == 5


def test_what_counts_as_a_coroutine_function() -> None:
    """Wrappers, partials and callable objects are looked through; they decide who holds the floor."""

    async def coroutine() -> None: ...

    class Callable:
        async def __call__(self) -> None: ...

    assert all(map(is_async, [coroutine, partial(coroutine), with_options(coroutine), Callable()]))
    assert not any(map(is_async, [len, partial(len), print, lambda: coroutine()]))


def test_a_result_that_is_too_large_is_an_error_of_its_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB are not written; the error says how many there are; the body may catch it, on a resume too."""
    monkeypatch.setattr("flopod.codec.text.LARGEST", 1 << 20)

    async def huge() -> str:
        return "x" * 100_000_000

    async def body(wf: Any) -> str:
        try:
            await wf.activity("huge", huge)
        except ValueTooLarge as error:
            return f"{error.size} > {error.limit} at {error.path}"
        return "written"

    backend = MemoryBackend()
    assert drive(body, backend=backend).value == "100000002 > 1048576 at huge"
    assert sum(map(len, backend.lines(RUN))) < 5000
    for count in range(1, len(backend.lines(RUN))):
        assert drive(body, backend=backend.prefix(RUN, count)).value == "100000002 > 1048576 at huge"
