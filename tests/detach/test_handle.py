"""Handles: one way from queued to done or failed, whoever asks, however often."""

import asyncio
import threading
from collections.abc import Callable

import pytest

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
