"""The drain: everything, what comes meanwhile included, until the time is up."""

import asyncio
import gc
from typing import Any

from flopod.detach import (
    Flushed,
    create_handle,
    create_microtask_batch_driver,
    detach_and_forget,
    flush_all_detached,
    mark_done,
    registry,
)

driver = create_microtask_batch_driver()


def test_nothing_to_do_is_done_at_once() -> None:
    """An empty registry is no reason to wait."""
    assert asyncio.run(flush_all_detached()) == Flushed(0, 0, 0)


def test_what_arrives_meanwhile_is_drained_too() -> None:
    """Children of children are counted; a failure stops nothing."""

    async def tree(depth: int) -> None:
        await asyncio.sleep(0.001)
        if depth:
            detach_and_forget(driver, tree, depth - 1)
            detach_and_forget(driver, tree, depth - 1)
        else:
            raise ValueError(depth)

    async def main() -> Flushed:
        detach_and_forget(driver, tree, 3)
        return await flush_all_detached(10)

    assert asyncio.run(main()) == Flushed(done=7, failed=8, pending=0)


def test_many_that_have_ended_are_no_reason_to_wait() -> None:
    """What is over is not in the registry, and not counted."""

    async def main() -> Flushed:
        for _ in range(1000):
            handle = create_handle("early")
            registry.register(handle)
            mark_done(handle)
        return await flush_all_detached(0.001)

    assert asyncio.run(main()) == Flushed(0, 0, 0)


def test_a_burst_of_both_outcomes_is_counted() -> None:
    """However many there are; that some fail does not end the drain, and is said nowhere."""

    async def odd(x: int) -> None:
        await asyncio.sleep(0.001 * (x % 3))
        if x % 2:
            raise ValueError(x)

    async def main() -> Flushed:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        for x in range(100):
            detach_and_forget(driver, odd, x)
        flushed = await flush_all_detached(10)
        gc.collect()
        return flushed

    said: list[Any] = []
    assert asyncio.run(main()) == Flushed(done=50, failed=50, pending=0)
    assert said == []


def test_when_the_time_is_up_it_says_what_is_left() -> None:
    """The child goes on."""
    ended: list[Any] = []

    async def slow(x: Any) -> None:
        await asyncio.sleep(0.2)
        ended.append(x)

    async def main() -> None:
        detach_and_forget(driver, slow, 1)
        assert await flush_all_detached("20ms") == Flushed(0, 0, 1)
        assert await flush_all_detached(10) == Flushed(1, 0, 0)

    asyncio.run(main())
    assert ended == [1]


def test_a_handle_that_ended_before_it_was_registered_is_not_kept() -> None:
    """A driver may end a handle inside of `schedule`."""
    handle = create_handle("early")
    mark_done(handle)
    registry.register(handle)
    assert registry.look_up("early") is None
