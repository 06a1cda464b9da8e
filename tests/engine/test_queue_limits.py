"""Limits of an engine: how many may have begun, who is first, and what a key holds up."""

import asyncio
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.engine.engine import Engine
from flopod.engine.limits import Limit, Queue, Rate
from tests.engine.served import inside, most, most_of_a_key, serve, until
from tests.engine.support import calls


@pytest.fixture(autouse=True)
def _nobody_inside() -> None:
    for noted in (inside, most):
        noted.clear()
    most_of_a_key[:] = [0]


def test_a_queue_lets_so_many_begin_and_a_key_one_after_the_other(backend: Backend) -> None:
    """The concurrency of the queue and of each key hold at any moment."""
    queues = {"mail": Queue(limit=Limit(concurrency=3), per_key=Limit(concurrency=1))}

    async def use(engine: Engine) -> None:
        starts = [
            engine.start("crowded", [f"{key}{n}"], queue="mail", key=key) for n in range(4) for key in "abcd"
        ]
        handles = await asyncio.gather(*starts)
        async with asyncio.TaskGroup() as group:
            for handle in handles:
                group.create_task(handle.result())

    serve(backend, use, queues=queues)
    assert max(most) == 3
    assert len(most) == 16
    assert most_of_a_key == [1]


def test_a_throttled_key_holds_up_no_other() -> None:
    """While one key waits for its rate, the runs of another go through."""
    queues = {"q": Queue(per_key=Limit(rate=Rate(1, "1h")))}
    backend = MemoryBackend()

    async def use(engine: Engine) -> list[Any]:
        for n in range(5):
            await engine.start("one", [f"slow{n}"], queue="q", key="slow", priority=10)
        others = [await engine.start("one", [f"k{n}"], queue="q", key=f"k{n}") for n in range(5)]
        return [await other.result() for other in others]

    assert serve(backend, use, queues=queues) == [f"k{n}" for n in range(5)]
    assert sorted(calls) == ["k0", "k1", "k2", "k3", "k4", "slow0"]


def test_what_began_before_a_restart_counts_in_the_rate(backend: Backend) -> None:
    """A process that is started again lets no more runs begin than one that goes on."""
    queues = {"q": Queue(per_key=Limit(rate=Rate(2, "1h")))}

    async def begin(engine: Engine) -> None:
        for n in range(4):
            await engine.start("one", [f"a{n}"], run_id=f"a{n}", queue="q", key="a")
        await engine.outcome("a0")
        await engine.outcome("a1")

    async def go_on(engine: Engine) -> None:
        await (await engine.start("one", ["b"], queue="q", key="b")).result()
        await asyncio.sleep(0.1)

    serve(backend, begin, queues=queues)
    serve(backend, go_on, queues=queues)
    assert sorted(calls) == ["a0", "a1", "b"]
    serve(backend, lambda engine: engine.outcome("a3"), queues={})
    assert sorted(calls) == ["a0", "a1", "a2", "a3", "b"]


def test_a_higher_priority_is_first() -> None:
    """Of those that wait in line; within one priority the order of their start."""

    async def use(engine: Engine) -> None:
        first = [await engine.start("crowded", ["x"]) for _ in range(1)]
        later = [
            await engine.start("one", [name], priority=priority)
            for name, priority in (("low", 0), ("high", 5), ("middle", 3), ("low too", 0))
        ]
        for handle in first + later:
            await handle.result()

    serve(MemoryBackend(), use, concurrency=1)
    assert calls == ["high", "middle", "low", "low too"]


def test_slots_are_counted_anew_after_a_restart(backend: Backend) -> None:
    """A run that has begun and waits holds its slot in the next engine too, and frees it at its end."""
    limits = {"approval": Limit(concurrency=1)}

    async def first(engine: Engine) -> None:
        await engine.start("approval", [1], run_id="a")
        await engine.start("approval", [2], run_id="b")
        await until(lambda: bool(calls))

    async def second(engine: Engine) -> None:
        await asyncio.sleep(0.1)
        assert calls == [("before", 1)]
        for run_id in "ab":
            engine.deliver(run_id, "approved", "approved", Raw(b"0"))
            await engine.outcome(run_id)

    serve(backend, first, limits=limits)
    serve(backend, second, limits=limits)
    assert calls == [("before", 1), ("after", 1, 0), ("before", 2), ("after", 2, 0)]
