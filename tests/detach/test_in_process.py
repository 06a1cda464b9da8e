"""The drivers on the event loop: when each of them starts its children."""

import asyncio
import socket
from contextvars import ContextVar
from typing import Any

import pytest

from flopod.detach import (
    Driver,
    create_immediate_driver,
    create_microtask_batch_driver,
    create_set_immediate_driver,
    create_set_timeout_driver,
    detach_and_forget,
    detach_and_join_later,
    flush_all_detached,
    registry,
)
from flopod.detach.running import run_child

MAKERS = [
    create_microtask_batch_driver,
    create_immediate_driver,
    create_set_immediate_driver,
    lambda run: create_set_timeout_driver(0, run),
]


async def child(x: Any) -> Any:
    await asyncio.sleep(0)
    return x


def plain(x: Any) -> Any:
    return x * 2


def alone() -> str:
    return "no input"


@pytest.mark.parametrize("make", MAKERS)
def test_children_may_be_plain_functions_and_take_nothing(make: Any) -> None:
    """What is given is awaited if it can be."""

    async def main() -> None:
        driver: Driver = make(run_child)
        assert await detach_and_join_later(driver, child, 1).wait() == 1
        assert await detach_and_join_later(driver, plain, 2).wait() == 4
        assert await detach_and_join_later(driver, alone).wait() == "no input"

    asyncio.run(main())


@pytest.mark.parametrize("make", MAKERS)
def test_a_runner_of_ones_own_is_used(make: Any) -> None:
    """It gets child and input, and what it raises fails the handle."""
    seen: list[Any] = []

    def run(fn: Any, input: Any) -> Any:
        seen.append((fn, input))
        if input == 2:
            raise ValueError("not two")
        return fn(input)

    async def main() -> None:
        handles = [detach_and_join_later(make(run), child, x) for x in (1, 2)]
        assert await handles[0].wait() == 1
        with pytest.raises(ValueError, match="not two"):
            await handles[1].wait()

    asyncio.run(main())
    assert sorted(input for _, input in seen) == [1, 2]


@pytest.mark.parametrize("make", MAKERS)
def test_each_child_has_the_context_that_it_was_detached_in(make: Any) -> None:
    """In a batch too: a trace or a locale of the caller is that of its child."""
    place: ContextVar[int] = ContextVar("place")

    async def look() -> int:
        await asyncio.sleep(0)
        return place.get()

    async def main() -> None:
        driver, handles = make(run_child), []
        for number in range(3):
            place.set(number)
            handles.append(detach_and_join_later(driver, look))
        place.set(9)
        assert [await handle.wait() for handle in handles] == [0, 1, 2]

    asyncio.run(main())


@pytest.mark.parametrize("make", MAKERS)
def test_children_begin_in_the_order_of_their_detaches(make: Any) -> None:
    """Whatever they are waiting for then."""
    began: list[Any] = []

    async def main() -> None:
        driver = make(lambda _, x: began.append(x))
        for x in range(20):
            detach_and_forget(driver, child, x)
        await flush_all_detached(5)

    asyncio.run(main())
    assert began == list(range(20))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError("no"), GeneratorExit("no")])
def test_what_a_child_raises_is_on_its_handle_alone(make: Any, error: BaseException) -> None:
    """Its siblings are done, the loop hears of nothing, the registry is empty again."""
    said: list[Any] = []

    async def fails(x: Any) -> Any:
        await asyncio.sleep(0)
        if x == 1:
            raise error
        return x

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        handles = [detach_and_join_later(make(run_child), fails, x) for x in range(3)]
        await flush_all_detached(5)
        assert [handle.status for handle in handles] == ["done", "failed", "done"]
        assert handles[1].error is error
        assert len(registry) == 0

    asyncio.run(main())
    assert said == []


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("broken", [None, "no runner", lambda: None])
def test_a_runner_that_cannot_run_fails_the_handle(make: Any, broken: Any) -> None:
    """The detach returns all the same."""

    async def main() -> None:
        handle = detach_and_join_later(make(broken), child, 1)
        with pytest.raises(TypeError):
            await handle.wait()
        assert len(registry) == 0

    asyncio.run(main())


@pytest.mark.parametrize("make", MAKERS)
def test_a_loop_that_makes_no_task_fails_the_handle(make: Any) -> None:
    """Each of a batch, and the detach returns."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no task")

    async def main() -> None:
        loop, driver = asyncio.get_running_loop(), make(run_child)
        loop.set_task_factory(refuse)
        handles = [detach_and_join_later(driver, child, x) for x in range(2)]
        await asyncio.sleep(0.01)
        loop.set_task_factory(None)
        assert [str(handle.error) for handle in handles] == ["no task"] * 2

    asyncio.run(main())


def test_a_child_that_waits_for_nothing_is_done_after_one_turn() -> None:
    """It was queued before, and is unknown then."""

    async def main() -> None:
        handle = detach_and_join_later(create_microtask_batch_driver(), plain, 2)
        assert (handle.status, registry.look_up(handle.id)) == ("queued", handle)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (handle.status, handle.result, registry.look_up(handle.id)) == ("done", 4, None)

    asyncio.run(main())


def test_two_drivers_do_not_share_a_batch() -> None:
    """Each has its own children and its own flush; the registry has those of both."""
    one, two = create_microtask_batch_driver(), create_microtask_batch_driver(lambda _, x: -x)

    async def main() -> None:
        handles = [detach_and_join_later(driver, plain, 2) for driver in (one, two)]
        assert len(registry) == 2
        assert [await handle.wait() for handle in handles] == [4, -2]

    asyncio.run(main())


def test_a_batch_is_one_flush() -> None:
    """What is detached together starts together; what those detach is the next batch."""
    order: list[Any] = []
    driver = create_microtask_batch_driver()

    async def nested(x: Any) -> None:
        order.append(x)
        if x < 10:
            detach_and_forget(driver, nested, x + 10)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        calls: list[Any] = []
        call_soon = loop.call_soon
        loop.call_soon = lambda fn, *args, **options: (  # type: ignore[method-assign]
            calls.append(fn),
            call_soon(fn, *args, **options),
        )[1]
        for x in range(3):
            detach_and_forget(driver, nested, x)
        assert len(calls) == 1
        loop.call_soon = call_soon  # type: ignore[method-assign]
        await flush_all_detached(5)

    asyncio.run(main())
    assert order == [0, 1, 2, 10, 11, 12]


def test_immediate_is_running_at_once() -> None:
    """Nobody sees it queued, and the caller goes on before the child does."""

    async def main() -> None:
        handle = detach_and_join_later(create_immediate_driver(), child, 1)
        assert handle.status == "running"
        assert await handle.wait() == 1

    asyncio.run(main())


def test_set_immediate_lets_input_and_output_go_first() -> None:
    """What is there to be read when the child is detached is read before it starts; a microtask is before."""
    order: list[str] = []

    async def main() -> None:
        here, there = socket.socketpair()
        loop = asyncio.get_running_loop()
        loop.add_reader(here, lambda: (order.append("read"), loop.remove_reader(here)))
        there.send(b"x")
        detach_and_forget(create_set_immediate_driver(lambda *_: order.append("immediate")), child)
        detach_and_forget(create_microtask_batch_driver(lambda *_: order.append("microtask")), child)
        await flush_all_detached(5)
        here.close()
        there.close()

    asyncio.run(main())
    assert order.index("read") < order.index("immediate")
    assert order.index("microtask") < order.index("immediate")


def test_a_delay_counts_for_each_item() -> None:
    """The second child begins its own delay after its detach, not with the first."""
    began: list[float] = []
    driver = create_set_timeout_driver("40ms", lambda *_: began.append(asyncio.get_running_loop().time()))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        detached = []
        for _ in range(2):
            detached.append(loop.time())
            detach_and_forget(driver, child)
            await asyncio.sleep(0.03)
        await flush_all_detached(5)
        assert all(at - before >= 0.039 for at, before in zip(began, detached, strict=True))

    asyncio.run(main())
    assert driver.name == "set-timeout-40ms"


def test_the_parent_never_waits() -> None:
    """A hundred detaches of children that take long return before any of them has begun."""

    async def main() -> None:
        handles = [detach_and_join_later(create_microtask_batch_driver(), child, x) for x in range(100)]
        assert {handle.status for handle in handles} == {"queued"}
        flushed = await flush_all_detached(10)
        assert (flushed.done, flushed.failed, flushed.pending) == (100, 0, 0)

    asyncio.run(main())
