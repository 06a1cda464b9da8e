"""`create_runtime`: a body that asyncio steps, with the author's form of every primitive."""

import asyncio
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.engine.runtime import create_runtime
from flopod.errors import DivergenceError, DuplicateId
from flopod.events import RunCompleted, RunFailed
from flopod.stop import STOP
from tests.engine.support import RUN, kinds

calls: list[Any] = []


async def fetch(x: Any) -> Any:
    calls.append(x)
    await asyncio.sleep(0)
    return x


async def program(wf: Any) -> list[Any]:
    found: list[Any] = [await wf.activity("one", fetch, 1)]
    total = wf.var("total", 0)
    await total.set(5)
    await total.update(lambda v: v + 1)
    items = wf.list("items", ["a"])
    await items.push("b", "c")
    await items.filter(lambda x: x != "a")
    counts = wf.map("counts")
    await counts.set("fire", 3)
    await counts.delete("water")

    async def enrich(scope: Any, item: str, index: int) -> str:
        if item == "c":
            raise ValueError(item)
        return str(await scope.activity("enrich", fetch, item)) + str(index)

    async def page(scope: Any, iteration: int) -> Any:
        return STOP if await scope.activity("page", fetch, iteration) == 2 else None

    async def active(scope: Any) -> str:
        return str(await scope.activity("active", fetch, "active"))

    each = await wf.each("each", items.items, enrich, concurrency=2)
    found += [each.results, [error.index for error in each.errors]]
    await wf.repeat("pages", page)
    found.append(await wf.branch("status", "active", {"active": active}))
    found.append(await wf.parallel("fan", [lambda s, i=i: s.activity("x", fetch, i) for i in range(3)]))
    found += await asyncio.gather(wf.activity("g1", fetch, 10), wf.activity("g2", fetch, 20))
    await wf.sleep("cooldown", "30m")
    found.append(await wf.wait("approved", timeout="1h"))
    return [*found, total.value, list(items), counts.map]


EXPECTED = [1, ["b0", None], [1], "active", [0, 1, 2], 10, 20, None, 6, ["b", "c"], {"fire": 3}]


async def session(backend: MemoryBackend, body: Any = program) -> Any:
    async with create_runtime(run_id=RUN, backend=backend, clock=VirtualClock()) as wf:
        wf.result = await body(wf)
    return wf.result


def run(backend: MemoryBackend, body: Any = program) -> Any:
    return asyncio.run(asyncio.wait_for(session(backend, body), 20))


def test_every_primitive_and_every_prefix() -> None:
    """A program stepped by asyncio gives the same from every prefix, and repeats no recorded leaf."""
    backend = MemoryBackend()
    assert run(backend) == EXPECTED
    assert isinstance(backend.load(RUN)[-1].event, RunCompleted)
    everything = sorted(map(str, calls))
    for cut in range(len(backend.lines(RUN))):
        resumed = backend.prefix(RUN, cut, crashed=False)
        done = sum(kind == "ActivityCompleted" for kind in kinds(resumed))
        calls.clear()
        assert run(resumed) == EXPECTED, cut
        assert len(calls) == len(everything) - done, cut


def test_a_finished_run_runs_again_without_calls() -> None:
    """Entering a completed run replays it: same result, no call, no write."""
    backend = MemoryBackend()
    run(backend)
    lines = backend.lines(RUN)
    calls.clear()
    assert run(backend) == EXPECTED
    assert (calls, backend.lines(RUN)) == ([], lines)


def test_an_exception_fails_the_run() -> None:
    """An ordinary exception in the block ends the run, and goes on to the caller."""

    async def body(wf: Any) -> None:
        await wf.activity("one", fetch, 1)
        raise LookupError("x")

    backend = MemoryBackend()
    with pytest.raises(LookupError):
        run(backend, body)
    assert isinstance(backend.load(RUN)[-1].event, RunFailed)


def test_a_cancelled_task_leaves_a_resumable_run() -> None:
    """Cancelling the task around the block neither completes nor fails the run."""
    backend = MemoryBackend()

    async def main() -> None:
        async def hang(_: Any) -> None:
            await asyncio.sleep(60)

        async def body(wf: Any) -> None:
            await wf.activity("one", fetch, 1)
            await wf.activity("two", hang, 1)

        task = asyncio.create_task(session(backend, body))
        while kinds(backend)[-1:] != ["ActivityStarted"] or len(kinds(backend)) < 4:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(asyncio.wait_for(main(), 20))
    assert kinds(backend) == ["RunStarted", "ActivityStarted", "ActivityCompleted", "ActivityStarted"]

    async def rest(wf: Any) -> Any:
        return [await wf.activity("one", fetch, 1), await wf.activity("two", _hang_no_more, 1)]

    async def _hang_no_more(x: Any) -> Any:
        return x

    with pytest.raises(DivergenceError, match="two"):
        run(backend, rest)


def test_divergence_reaches_the_caller() -> None:
    """Code that asks for something else than recorded gets a DivergenceError out of the block."""

    async def other(wf: Any) -> Any:
        await wf.activity("one", fetch, 2)

    backend = MemoryBackend()
    run(backend)
    with pytest.raises(DivergenceError, match="one"):
        run(backend.prefix(RUN, 3, crashed=False), other)


def test_an_id_used_twice_is_refused() -> None:
    """DuplicateId names the id, at the call."""

    async def body(wf: Any) -> None:
        wf.activity("x", fetch, 1)
        wf.activity("x", fetch, 1)

    with pytest.raises(DuplicateId, match="'x'"):
        run(MemoryBackend(), body)
