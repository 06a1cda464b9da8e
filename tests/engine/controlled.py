"""Workflows that are operated from outside, and what drives them."""

import asyncio
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.run import run_workflow
from tests.engine.support import calls, note

broken: list[bool] = [False]


async def may_break(x: Any) -> Any:
    calls.append(x)
    if broken[0]:
        raise LookupError(x)
    return x


async def tidies(wf: Any) -> str:
    """Waits, and cleans up durably when it is cancelled."""
    try:
        await wf.wait("approved")
    finally:
        await wf.activity("a", note, "cleanup 1")
        await wf.activity("b", note, "cleanup 2")
    return "not cancelled"


async def three(wf: Any, x: int = 0) -> Any:
    first = await wf.activity("a", note, "a")
    second = await wf.activity("b", may_break, "b")
    return [x, first, second, await wf.activity("c", note, "c")]


async def drive(backend: Backend, fn: Any, run_id: str = "r", **options: Any) -> RunOutcome:
    """Start or resume a run; the input of a new one is empty."""
    identity = Identity(run_id=run_id, workflow=fn.__name__)
    given = [] if backend.first(run_id) is None else None
    return await asyncio.wait_for(run_workflow(fn, given, identity=identity, backend=backend, **options), 20)


def go(backend: Backend, fn: Any, **options: Any) -> RunOutcome:
    """Drive a run from outside of a loop."""
    return asyncio.run(drive(backend, fn, **options))
