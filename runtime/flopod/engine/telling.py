"""Calls hooks for what happens in a run, once for each fact."""

import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable, Sequence
from inspect import isawaitable

from flopod import codec
from flopod.callee import callee_of
from flopod.engine.hooks import Hooks, RunInfo, Step, StepEnd
from flopod.errors import StoppedByHook
from flopod.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    Event,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
)
from flopod.workflow.arguments import Raised, Returned
from flopod.workflow.commands import StartLeaf

_LOGGER = logging.getLogger("flopod")


class Calls:
    """The hooks of one run in this process, called once for each fact.

    A step is begun once, however often it is tried. Reports of leaves are kept until they are recorded.
    """

    def __init__(self, hooks: Hooks, run: RunInfo) -> None:
        self._hooks = hooks
        self._run = run
        self._begun: dict[str, Step] = {}
        self._reports: dict[str, Returned | Raised] = {}
        self._late: list[Event] = []

    async def before_step(self, command: StartLeaf) -> None:
        """Say that a leaf is about to be called. Raises StoppedByHook."""
        if command.path in self._begun:
            return
        step = Step(self._run, command.path, callee_of(command.fn), command.attempt)
        try:
            answer = self._hooks.before_step(step)
            if isawaitable(answer):
                await answer
        except Exception as error:
            why = f"raised {error!r} at {command.path!r}"
            raise StoppedByHook(self._run.run_id, "before_step", why) from error
        self._begun[command.path] = step

    def reported(self, path: str, report: Returned | Raised) -> None:
        """Keep how a try of a leaf ended, until it is recorded."""
        self._reports[path] = report

    def later(self, events: Iterable[Event]) -> None:
        """Tell of these events together with the next ones."""
        self._late += events

    async def committed(self, events: Sequence[Event], children: Sequence[RunStarted] = ()) -> None:
        """Tell of what is recorded now, in this order; of each child that it was begun."""
        events, self._late = [*self._late, *events], []
        for event in events:
            await tell(self._hooks, self._run, event)
            await self._steps_ended(event)
        for child in children:
            await tell(self._hooks, RunInfo.of(child, child.run_id, resumed=False), child)

    async def _steps_ended(self, event: Event) -> None:
        if isinstance(event, ActivityCompleted | ActivityFailed):
            report = self._reports.pop(event.path, None)
            if isinstance(event, ActivityCompleted) or event.next_try is None:
                await self._after_step(event.path, _end(event, report))
        elif isinstance(event, Abandoned):
            for path in event.paths:
                self._reports.pop(path, None)
                await self._after_step(path, StepEnd(error=CancelledError()))
        elif isinstance(event, RunCompleted | RunFailed | RunCancelled):
            for path in list(self._begun):
                await self._after_step(path, StepEnd(error=CancelledError()))

    async def _after_step(self, path: str, end: StepEnd) -> None:
        step = self._begun.pop(path, None)
        if step is not None:
            await _heard("after_step", self._run, lambda: self._hooks.after_step(step, end))


async def tell(hooks: Hooks, run: RunInfo, event: Event) -> None:
    await _heard("on_event", run, lambda: hooks.on_event(run, event))


async def _heard(name: str, run: RunInfo, call: Callable[[], Awaitable[None] | None]) -> None:
    try:
        answer = call()
        if isawaitable(answer):
            await answer
    except Exception:
        _LOGGER.exception("run %s: the hook %s raised; the run goes on", run.run_id, name)


def _end(event: ActivityCompleted | ActivityFailed, report: Returned | Raised | None) -> StepEnd:
    """What was reported, unless what is recorded is something else, like a value that is no data."""
    if isinstance(event, ActivityCompleted):
        return StepEnd(report.value if isinstance(report, Returned) else codec.decode(event.result))
    if isinstance(report, Raised):
        return StepEnd(error=report.exception)
    return StepEnd(error=codec.decode(event.error))
