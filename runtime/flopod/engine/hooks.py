"""Hooks: an operator's own code, asked before a run and a step, and told what has been recorded.

They run outside of the log. What they do is not recorded, a replay does not call them, and nothing that they
return reaches the workflow.
"""

import logging
import operator
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from types import ModuleType
from typing import Any

from msgspec import Raw, Struct

from flopod import codec
from flopod.errors import BadInput, StoppedByHook
from flopod.events import Abandoned, ActivityCompleted, ActivityFailed, Attribute, Event, RunStarted
from flopod.workflow.arguments import Raised, Returned, callee_of
from flopod.workflow.commands import StartLeaf
from flopod.workflow.inputs import recorded_call

_LOGGER = logging.getLogger("flopod")


class RunInfo(Struct, frozen=True):
    """A run as hooks see it; `resumed` says that it had begun before this process."""

    run_id: str
    workflow: str
    build: str
    resumed: bool
    parent: str | None
    queue: str
    key: str
    attributes: Mapping[str, Attribute]
    input: Raw

    @classmethod
    def of(cls, started: RunStarted, run_id: str, *, resumed: bool) -> "RunInfo":
        """Return what hooks see of the run that begins with `started`."""
        return cls(
            run_id,
            started.workflow,
            started.build,
            resumed,
            started.parent,
            started.queue,
            started.key,
            dict(started.attributes),
            started.input,
        )

    def arguments(self) -> tuple[Sequence[Any], dict[str, Any]]:
        """Return a copy of the arguments of the workflow, by place and by name."""
        return recorded_call(self.input)


class Step(Struct, frozen=True):
    """A call of a leaf; `attempt` is the one that this process begins with."""

    run: RunInfo
    path: str
    callee: str
    attempt: int


class StepEnd(Struct, frozen=True):
    """How a step ended: with a value, or with the error that the workflow gets.

    The value is what the leaf returned, not what the workflow holds. A step that the workflow cancelled has
    a CancelledError.
    """

    value: Any = None
    error: BaseException | None = None


class Hooks:
    """Override what is wanted, as plain functions or as coroutine functions."""

    def should_run(self, run: RunInfo) -> bool | Awaitable[bool]:  # noqa: ARG002
        """Say whether this process takes the run up. If not, or if it raises, the run stays as it is."""
        return True

    def before_start(self, run: RunInfo) -> bool | Awaitable[bool]:  # noqa: ARG002
        """Prepare the start, and say whether it may begin. If not, or if it raises, nothing begins."""
        return True

    def before_step(self, step: Step) -> Awaitable[None] | None:
        """Called before a leaf is. If it raises, the leaf is not called, and the process leaves the run."""

    def after_step(self, step: Step, end: StepEnd) -> Awaitable[None] | None:
        """Called when the end of a step is recorded. If it raises, that is logged, and the run goes on."""

    def on_event(self, run: RunInfo, event: Event) -> Awaitable[None] | None:
        """Called for each record of this process. If it raises, that is logged, and the run goes on."""


async def ask_should_run(hooks: Hooks | None, run: RunInfo) -> None:
    """Raise StoppedByHook unless this process is to take the run up."""
    if hooks is not None:
        await _ask(hooks.should_run, "should_run", run)


async def ask_before_start(hooks: Hooks | None, run: RunInfo) -> None:
    """Raise StoppedByHook unless the run may begin, or go on, in this process."""
    if hooks is not None:
        await _ask(hooks.before_start, "before_start", run)


async def _ask(hook: Callable[[RunInfo], bool | Awaitable[bool]], name: str, run: RunInfo) -> None:
    try:
        answer = hook(run)
        if isawaitable(answer):
            answer = await answer
    except Exception as error:
        raise StoppedByHook(run.run_id, name, f"raised {error!r}") from error
    if not answer:
        raise StoppedByHook(run.run_id, name, f"returned {answer!r}, not True")


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
                await self._after_step(path, StepEnd(error=_cancelled()))

    async def _after_step(self, path: str, end: StepEnd) -> None:
        step = self._begun.pop(path, None)
        if step is not None:
            await _heard("after_step", self._run, lambda: self._hooks.after_step(step, end))


async def tell(hooks: Hooks | None, run: RunInfo, event: Event) -> None:
    """Tell of one record."""
    if hooks is not None:
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


def _cancelled() -> BaseException:
    from asyncio import CancelledError

    return CancelledError()


def load_hooks(name: str, import_module: Callable[[str], ModuleType]) -> Hooks | None:
    """Return the hooks that a configuration names, `module:object`, None for "". Raises BadInput.

    The object is a subclass of Hooks, of which one is made, or an object of one.
    """
    if not name:
        return None
    module, _, qualname = name.partition(":")
    try:
        found = operator.attrgetter(qualname)(import_module(module))
    except (ImportError, AttributeError) as error:
        raise BadInput(f"hooks is {name!r}, which is not there: {error}", field="hooks") from error
    made = found() if isinstance(found, type) and issubclass(found, Hooks) else found
    if not isinstance(made, Hooks):
        raise BadInput(
            f"hooks is {name!r}, which is neither a subclass of flopod.Hooks nor an object of one",
            field="hooks",
        )
    return made
