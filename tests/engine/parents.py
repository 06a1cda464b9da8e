"""Workflows that have children, and engines that run them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.errors import Cancelled
from tests.engine.support import note


async def ship(wf: Any, x: Any) -> str:
    await wf.activity("pack", note, ("pack", x))
    return await wf.activity("send", note, f"sent {x}")  # type: ignore[no-any-return]


async def order(wf: Any, x: Any) -> str:
    number = await wf.activity("number", note, x)
    handle = wf.child("ship", "ship", number)
    await wf.activity("bill", note, ("bill", number))
    return f"{handle.id}: {await handle.wait()}, {await handle.wait()}"


async def many(wf: Any, count: int) -> list[str]:
    handles = [scope.child("ship", ship, x) for scope, x in wf.each("xs", range(count))]
    return await asyncio.gather(*(handle.wait() for handle in handles))


async def broken(_: Any) -> None:
    raise LookupError("gone", 7)


async def copes(wf: Any) -> str:
    handle = wf.child("broken", broken)
    seen = []
    for _ in range(2):
        try:
            await handle.wait()
        except LookupError as error:
            seen.append(error.args)
    await wf.activity("note", note, seen)
    return repr(seen)


async def fails_with_it(wf: Any) -> None:
    await wf.child("broken", broken).wait()


async def waits(wf: Any, x: Any = None) -> Any:
    try:
        answer = await wf.wait("answer")
    except asyncio.CancelledError:
        await wf.activity("undo", note, ("undo", x))
        raise
    return await wf.activity("answered", note, ("answered", answer))


async def leaves(wf: Any, detached: bool) -> str:
    wf.child("slow", waits, "left", detached=detached)
    await wf.activity("note", note, "left")
    return "ended"


async def leaves_at_once(wf: Any, detached: bool) -> str:
    return wf.child("slow", "ship", 1, detached=detached).id  # type: ignore[no-any-return]


async def fails_beside(wf: Any) -> None:
    wf.child("slow", waits, "beside")
    await wf.activity("note", note, 1)
    raise ValueError("parent")


async def reason_of(handle: Any) -> str:
    try:
        await handle.wait()
    except Cancelled as error:
        return f"cancelled: {error.reason}"
    return "not cancelled"


async def cancels(wf: Any) -> str:
    handle = wf.child("slow", waits, "unwanted")
    await wf.activity("note", note, "before")
    handle.cancel("not needed")
    return await reason_of(handle)


async def hurries(wf: Any) -> str:
    handle = wf.child("slow", waits, "late")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(handle.wait(), wf.timer("limit", 0.05))
    return await reason_of(handle)


async def joins(wf: Any) -> Any:
    return await wf.child("slow", waits, "joined").wait()


async def grand(wf: Any) -> Any:
    return await wf.child("joins", joins).wait()


async def named(wf: Any, run_id: str, x: Any) -> Any:
    return await wf.child("ship", "ship", x, run_id=run_id).wait()


async def adopts(wf: Any, run_id: str) -> Any:
    return await wf.child("slow", waits, run_id=run_id).wait()


async def unknown(wf: Any) -> None:
    wf.child("ship", "no such")


FUNCTIONS = (ship, order, many, broken, copes, fails_with_it, waits, leaves, leaves_at_once, fails_beside)


MORE = (cancels, hurries, joins, grand, named, adopts, unknown)


WORKFLOWS = HandWritten({fn.__name__: fn for fn in (*FUNCTIONS, *MORE)})


def serve(backend: Backend, use: Callable[[Engine], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Open an engine, use it, and leave it."""

    async def main() -> Any:
        async with Engine(backend, WORKFLOWS, **options) as engine:
            return await asyncio.wait_for(use(engine), 20)

    return asyncio.run(main())


def run(backend: Backend, workflow: str, *args: Any, **options: Any) -> Any:
    """Run a parent to its end, and all its children."""

    async def use(engine: Engine) -> Any:
        handle = await engine.start(workflow, args, run_id="p")
        try:
            return await handle.result()
        finally:
            await until(lambda: not backend.open_runs())

    return serve(backend, use, **options)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not come true in 10 seconds"
        await asyncio.sleep(0.005)


def status(backend: Backend, run_id: str) -> str:
    summary = backend.summary(run_id)
    return "" if summary is None else summary.status
