"""Engines and a run in this process, and what tests wait for."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from flopod.backends import Backend
from flopod.engine.engine import Engine
from flopod.engine.identity import Identity
from flopod.engine.registry import HandWritten
from flopod.engine.run import Workflow, run_workflow
from tests.engine.support import calls, note

PATIENCE = 20.0

broken = [True]
"""Whether `may_break` fails."""


def serve(
    store: Backend,
    workflows: Mapping[str, Workflow],
    use: Callable[[Engine], Coroutine[Any, Any, Any]],
    **options: Any,
) -> Any:
    """Open an engine, use it, and leave it."""

    async def main() -> Any:
        async with Engine(store, HandWritten(workflows), **options) as engine:
            return await asyncio.wait_for(use(engine), 2 * PATIENCE)

    return asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it did not come true in {PATIENCE:g} seconds"
        await asyncio.sleep(0.005)


def status(store: Backend, run_id: str) -> str:
    """Return the status of a run, empty if there is none."""
    summary = store.summary(run_id)
    return "" if summary is None else summary.status


async def may_break(x: Any) -> Any:
    """A leaf that fails as long as it is `broken`."""
    calls.append(x)
    if broken[0]:
        raise LookupError(x)
    return x


async def three(wf: Any) -> int:
    """A run of three leaves."""
    return sum([int(await wf.activity(f"note#{n}", note, n)) for n in range(3)])


def drive(store: Backend) -> Any:
    """Start the run of `three`, or resume it; its leaves note their calls in `calls`."""
    identity, given = Identity(run_id="run", workflow="three"), [] if store.first("run") is None else None
    return asyncio.run(run_workflow(three, given, identity=identity, backend=store)).value
