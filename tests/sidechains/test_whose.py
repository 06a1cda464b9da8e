"""Whose work it is: what a wait covers, and when a workflow is over, in the plain run."""

import asyncio
from typing import Any

import pytest

from flopod import Drained, compensate, for_each, start, tap, wait_for_work, work, workflow
from tests.sidechains.blocks import called, fail, note, slow


@workflow
async def inner(value: str) -> Drained:
    work(slow, value)
    return Drained(0, 0, 0) if value == "only queues" else await wait_for_work()


@workflow
async def outer() -> Any:
    work(slow, "outer")
    found = await inner("only queues")
    called.append("inner has returned")
    return [found, await wait_for_work()]


def test_a_called_workflow_does_not_wait_for_its_work() -> None:
    """The workflow that was started does; and its own wait does not count the work of the called one."""
    assert asyncio.run(outer()) == [Drained(0, 0, 0), Drained(1, 0, 0)]
    assert called[0] == "inner has returned"
    assert sorted(map(str, called[1:])) == [
        "only queues begins",
        "only queues ends",
        "outer begins",
        "outer ends",
    ]


def test_a_wait_covers_the_own_work_only() -> None:
    """Not that of the one that called it."""

    @workflow
    async def calls() -> list[Drained]:
        work(fail, "outer")
        return [await inner("inner"), await wait_for_work()]

    assert asyncio.run(calls()) == [Drained(1, 0, 0), Drained(0, 1, 0)]


def test_a_nested_function_works_for_its_workflow() -> None:
    """What it queues is waited for there, from a loop and from a task as well."""

    @workflow
    async def flow() -> Drained:
        async def helper(value: int) -> None:
            work(note, value)

        for value in range(2):
            await helper(value)
        await asyncio.gather(helper(2), asyncio.create_task(helper(3)))
        return await wait_for_work()

    assert asyncio.run(flow()) == Drained(4, 0, 0)


def test_what_work_queues_is_its_own() -> None:
    """It can wait for it; the workflow waits for all before it is over, however deep."""

    @workflow
    async def flow() -> Drained:
        async def chain(depth: int) -> None:
            if depth:
                work(chain, depth - 1)
            await slow(depth)
            called.append(await wait_for_work() if depth == 3 else depth)

        work(chain, 3)
        return await wait_for_work()

    assert asyncio.run(asyncio.wait_for(flow(), 5)) == Drained(1, 0, 0)
    assert Drained(1, 0, 0) in called
    assert {0, 1, 2} <= {one for one in called if isinstance(one, int)}


def test_a_workflow_is_work_like_any_block() -> None:
    """Its error is isolated like that of a leaf."""

    @workflow
    async def flow() -> Drained:
        async def broken(value: int) -> None:
            await tap(fail, value)

        work(inner, "a")
        work(broken, 1)
        return await wait_for_work()

    assert asyncio.run(flow()) == Drained(1, 1, 0)


def test_a_workflow_that_fails_ends_when_its_work_has() -> None:
    """Its error is kept, and what work has done is undone with the rest."""

    async def undone(value: str) -> None:
        called.append(f"undo {value}")

    @workflow
    async def flow() -> None:
        async def booked(value: str) -> None:
            await slow(value)
            compensate(undone, value)

        compensate(undone, "main")
        work(booked, "work")
        raise ValueError("main")

    with pytest.raises(ValueError, match="main"):
        asyncio.run(flow())
    assert called == ["work begins", "work ends", "undo work", "undo main"]


def test_a_cancelled_workflow_cancels_its_work() -> None:
    """And waits until that has ended; what it queues while it ends never begins."""

    async def tidy(value: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            called.append(f"{value} tidied")

    @workflow
    async def flow() -> None:
        work(tidy, "a")
        try:
            await asyncio.sleep(60)
        finally:
            work(note, "never")

    async def main() -> None:
        running = asyncio.create_task(flow())
        await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    asyncio.run(main())
    assert called == ["a tidied"]


def test_a_cancel_while_the_work_drains_cancels_it() -> None:
    """The main line is over then, and the workflow is cancelled all the same."""

    @workflow
    async def flow() -> str:
        work(slow, "a")
        return "done"

    async def main() -> None:
        running = asyncio.create_task(flow())
        await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    asyncio.run(main())
    assert called == ["a begins"]


def test_a_workflow_that_has_failed_keeps_its_error_when_it_is_cancelled() -> None:
    """Its work is cancelled."""

    @workflow
    async def flow() -> None:
        work(slow, "a")
        raise ValueError("main")

    async def main() -> None:
        running = asyncio.create_task(flow())
        await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(ValueError, match="main"):
            await running

    asyncio.run(main())
    assert called == ["a begins"]


def test_a_cancelled_piece_of_work_is_no_failure(caplog: Any) -> None:
    """It is neither done nor failed; the others go on, also those that it would have begun."""

    async def gives_up(value: int) -> None:
        called.append(value)
        if value == 1:
            raise asyncio.CancelledError

    @workflow
    async def flow() -> Drained:
        for_each(gives_up, [1, 2], concurrency=1)
        return await wait_for_work(fail_on_error=True)

    assert asyncio.run(flow()) == Drained(1, 0, 0)
    assert (called, caplog.records) == ([1, 2], [])


def test_outside_of_a_workflow_it_is_the_task_s_own() -> None:
    """Each task has its own, and nobody waits for it but `wait_for_work`."""

    async def other() -> Drained:
        return await wait_for_work()

    async def main() -> list[Drained]:
        work(slow, "a")
        work(inner, "b")
        return [await asyncio.create_task(other()), await wait_for_work()]

    assert asyncio.run(main()) == [Drained(0, 0, 0), Drained(2, 0, 0)]
    assert called[-2:] == ["a ends", "b ends"]


def test_a_child_is_over_when_its_own_work_is() -> None:
    """A run of its own is no part of the one that started it."""

    @workflow
    async def child() -> str:
        work(slow, "child")
        return "child"

    @workflow
    async def parent() -> Any:
        found = await start(child)
        called.append(found)
        return await wait_for_work()

    assert asyncio.run(parent()) == Drained(0, 0, 0)
    assert called == ["child begins", "child ends", "child"]


def test_a_workflow_without_work_stays_the_very_function() -> None:
    """Whoever uses none of this pays nothing."""

    async def bare() -> None:
        await tap(note, 1)

    async def queues() -> None:
        work(note, 1)

    async def imports() -> None:
        from flopod import work as later

        later(note, 1)

    async def waits() -> None:
        import flopod

        await flopod.wait_for_work()

    assert workflow(bare) is bare
    assert all(workflow(fn) is not fn for fn in (queues, imports, waits))
    assert workflow(queues).__name__ == "queues"
