"""Handles: one way from queued to done or failed, whoever asks, however often."""

import asyncio
import gc
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from flopod import SerializableError, codec
from flopod.detach import DetachHandle, create_handle, mark_done, mark_failed, mark_running

ENDS: list[Callable[[DetachHandle], None]] = [
    lambda handle: mark_done(handle, 7),
    lambda handle: mark_failed(handle, LookupError("gone")),
]


def test_a_new_handle_is_queued() -> None:
    """It has its id, and neither result nor error."""
    handle = create_handle("flow:detach:1")
    assert (handle.id, handle.status, handle.result, handle.error) == ("flow:detach:1", "queued", None, None)
    assert repr(handle) == "<DetachHandle flow:detach:1 queued>"


@pytest.mark.parametrize("running", [False, True])
def test_it_goes_one_way(running: bool) -> None:
    """From queued to an end, directly or over running, which may be said twice."""
    for end, status, result in zip(ENDS, ("done", "failed"), (7, None), strict=True):
        handle = create_handle("h")
        for _ in range(2 * running):
            mark_running(handle)
            assert (handle.status, handle.result, handle.error) == ("running", None, None)
        end(handle)
        assert (handle.status, handle.result, handle.error is None) == (status, result, status == "done")


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("late", [*ENDS, mark_running])
def test_what_comes_after_the_end_is_ignored(
    first: Callable[[DetachHandle], None], late: Callable[[DetachHandle], None]
) -> None:
    """Both ends are final."""
    handle = create_handle("h")
    first(handle)
    before = (handle.status, handle.result, handle.error)
    late(handle)
    assert (handle.status, handle.result, handle.error) == before


def test_all_who_wait_get_the_same_outcome() -> None:
    """Before and after the end, again and again, the identical object."""
    result = {"a": 1}

    async def main() -> None:
        handle = create_handle("h")
        early = [asyncio.create_task(handle.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        mark_running(handle)
        mark_done(handle, result)
        assert all(found is result for found in await asyncio.gather(*early))
        assert await handle.wait() is result
        assert await handle.wait() is result

    asyncio.run(main())


@pytest.mark.parametrize("error", [LookupError("gone"), StopIteration(3), KeyboardInterrupt()])
def test_the_error_is_the_one_that_was_raised(error: BaseException) -> None:
    """It is in `error`, and raised by each wait."""

    async def main() -> None:
        handle = create_handle("h")
        waiting = asyncio.create_task(handle.wait()) if isinstance(error, LookupError) else None
        await asyncio.sleep(0)
        mark_failed(handle, error)
        assert (handle.status, handle.error) == ("failed", error)
        for wait in [waiting, handle.wait()] if waiting is not None else []:
            with pytest.raises(LookupError) as raised:
                await wait
            assert raised.value is error

    asyncio.run(main())


def test_what_is_no_exception_is_described_by_one() -> None:
    """A driver that only has a text fails the handle with it."""
    handle = create_handle("h")
    mark_failed(handle, "the worker is gone")
    assert isinstance(handle.error, RuntimeError)
    assert str(handle.error) == "the worker is gone"


def test_a_handle_cannot_be_awaited_nor_made_by_hand() -> None:
    """Nobody waits by accident, and drivers use the factory."""
    handle = create_handle("h")
    assert not hasattr(handle, "__await__")
    with pytest.raises(TypeError, match="create_handle"):
        DetachHandle("h")
    for wrong in (None, object(), "h"):
        with pytest.raises(TypeError, match="no handle of a detach"):
            mark_done(wrong)  # type: ignore[arg-type]


def test_what_only_looks_like_a_handle_is_none() -> None:
    """Not even with all of its attributes: a driver's end would never reach who waits for it."""
    real = create_handle("h")
    looks_like = SimpleNamespace(**{name: getattr(real, name) for name in dir(real) if name != "__class__"})
    for move in (mark_running, mark_done, lambda handle: mark_failed(handle, "gone")):
        with pytest.raises(TypeError, match="no handle of a detach"):
            move(looks_like)  # type: ignore[operator]
    assert real.status == "queued"


def test_a_handle_cannot_be_written() -> None:
    """It is no data: a value with one in it is refused, with what to pass on instead."""
    wrong = r"^value\['handles'\]\[0\] is a .*DetachHandle and cannot be written: .* pass on its id or what"
    with pytest.raises(SerializableError, match=wrong):
        codec.encode({"handles": [create_handle("h")]})


def test_nobody_has_to_wait() -> None:
    """A failure that nobody asks for is said nowhere."""

    async def main() -> list[Any]:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        handle = create_handle("h")
        mark_failed(handle, LookupError("gone"))
        del handle
        gc.collect()
        await asyncio.sleep(0)
        return said

    assert asyncio.run(main()) == []


def test_cancelling_a_wait_leaves_the_handle_alone() -> None:
    """Others who wait get the outcome."""

    async def main() -> None:
        handle = create_handle("h")
        one, two = asyncio.create_task(handle.wait()), asyncio.create_task(handle.wait())
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.sleep(0)
        mark_done(handle, 1)
        assert await two == 1
        assert one.cancelled()

    asyncio.run(main())


def test_it_ends_in_another_thread_than_it_is_waited_for() -> None:
    """A wait of an event loop hears of a worker's thread."""

    async def main() -> int:
        handle = create_handle("h")
        threading.Timer(0.02, mark_done, (handle, 5)).start()
        return int(await handle.wait())

    assert asyncio.run(main()) == 5
