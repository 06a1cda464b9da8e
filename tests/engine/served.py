"""Workflows of all kinds, and an engine that serves them."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from tests.engine.support import note

inside: list[str] = []


most: list[int] = []


most_of_a_key = [0]


async def crowd(name: str) -> None:
    inside.append(name)
    most.append(len(inside))
    most_of_a_key[:] = [max(most_of_a_key[0], sum(one[0] == name[0] for one in inside))]
    await asyncio.sleep(0.05)
    inside.remove(name)


async def one(wf: Any, x: Any) -> Any:
    return await wf.activity("note", note, x)


async def crowded(wf: Any, name: str) -> None:
    await wf.activity("crowd", crowd, name)


async def approval(wf: Any, x: Any) -> Any:
    await wf.activity("before", note, ("before", x))
    answer = await wf.wait("approved")
    return await wf.activity("after", note, ("after", x, answer))


async def naps(wf: Any, seconds: float) -> str:
    await wf.sleep("nap", seconds)
    return "awake"


async def fails(_: Any) -> None:
    raise LookupError("gone")


WORKFLOWS = HandWritten({"one": one, "approval": approval, "naps": naps, "fails": fails, "crowded": crowded})


def serve(backend: Backend, use: Callable[[Engine], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Open an engine, use it, and leave it."""

    async def main() -> Any:
        async with Engine(backend, WORKFLOWS, **options) as engine:
            return await asyncio.wait_for(use(engine), 30)

    return asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it did not come true in 20 seconds"
        await asyncio.sleep(0.005)
