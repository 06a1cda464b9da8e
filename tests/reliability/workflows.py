"""Workflows that the engines in processes of their own run, each with the leaves of its program."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from flopod.engine.run import Workflow


def stepping(work: Callable[[int], Awaitable[int]], count: int) -> Workflow:
    """Make a workflow that calls `work` and sleeps, so many times: `n` and what the calls return."""

    async def steps(wf: Any, n: int) -> int:
        total = 0
        for scope, x in wf.each("xs", range(count), keep=None):
            total += await scope.activity("work", work, x)
            await scope.sleep("nap", 0.001)
        return total + n

    return steps


def asking(work: Callable[[int], Awaitable[int]], event: str, last: Callable[[int], int]) -> Workflow:
    """Make a workflow that calls `work` before and after it waits for an event: what all three give."""

    async def asks(wf: Any, n: int) -> int:
        first = await wf.activity("first", work, n)
        return first + int(await wf.wait(event)) + int(await wf.activity("last", work, last(n)))

    return asks


def two_children(wf: Any) -> list[Any]:
    """Start two children that are `steps`: their handles."""
    return [scope.child("child", "steps", x) for scope, x in wf.each("xs", range(2))]


async def sum_of(handles: list[Any]) -> int:
    """Wait for children: what they give."""
    return sum(await asyncio.gather(*(handle.wait() for handle in handles)))
