"""Hooks that note how they are called, and a workflow that calls all of them."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from msgspec import Raw

from flopod.backends import Backend
from flopod.backends.lock import MemoryHold
from flopod.engine.clock import VirtualClock
from flopod.engine.hooks import Hooks, RunInfo, Step, StepEnd
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.run import run_workflow
from flopod.events import Event, kind_of
from tests.engine.support import RUN

called: list[Any] = []


async def double(x: int) -> int:
    called.append(x)
    return x * 2


def plain(x: int) -> int:
    called.append(x)
    return x + 1


def fails(x: int) -> int:
    called.append(x)
    raise ValueError(x)


async def body(wf: Any, x: int) -> int:
    a = await wf.activity("a", double, x)
    b = await wf.activity("b", plain, a)
    with contextlib.suppress(ValueError):
        await wf.activity("c", fails, b)
    await wf.wait("go")
    return int(await wf.activity("d", plain, b))


class Spy(Hooks):
    """Notes every call; `refuses` and `raises` are the names of hooks that do so."""

    def __init__(self, *, refuses: str = "", raises: str = "", at: str = "") -> None:
        self.seen: list[Any] = []
        self.events: list[tuple[str, str]] = []
        self.refuses = refuses
        self.raises = raises
        self.at = at

    def _note(self, name: str, *facts: Any) -> bool:
        self.seen.append((name, *facts))
        if self.raises == name and self.at in ("", *facts):
            raise RuntimeError(f"{name} is broken")
        return self.refuses != name

    def should_run(self, run: RunInfo) -> bool:
        return self._note("should_run", run.run_id, run.resumed)

    async def before_start(self, run: RunInfo) -> bool:
        await asyncio.sleep(0)
        return self._note("before_start", run.workflow, run.arguments())

    async def before_step(self, step: Step) -> None:
        await asyncio.sleep(0)
        self._note("before_step", step.path, step.attempt)

    def after_step(self, step: Step, end: StepEnd) -> None:
        self._note("after_step", step.path, end.value, repr(end.error))

    async def on_event(self, run: RunInfo, event: Event) -> None:
        self.events.append((run.run_id, kind_of(event)))
        self._note("on_event", kind_of(event), event.path)

    @property
    def steps(self) -> list[Any]:
        return [one for one in self.seen if one[0].endswith("_step")]


def drive(store: Backend, hooks: Hooks, fn: Any = body, hold: MemoryHold | None = None) -> RunOutcome:
    """Start the run, or go on with it, until it waits or ends."""
    return asyncio.run(
        run_workflow(
            fn,
            (5,),
            identity=Identity(run_id=RUN),
            backend=store,
            clock=VirtualClock(),
            exit_when_waiting=True,
            hold=hold,
            hooks=hooks,
        )
    )


def recorded(store: Backend) -> list[str]:
    return [kind_of(event) for _, event in store.load(RUN)]


def null() -> Any:
    return Raw(b"null")
