"""Hooks: an operator's own code, asked before a run and a step, and told what has been recorded.

They run outside of the log. What they do is not recorded, a replay does not call them, and nothing that they
return reaches the workflow.
"""

import operator
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from msgspec import Raw, Struct

from flopod.errors import BadInput
from flopod.events import Attribute, Event, RunStarted
from flopod.workflow.inputs import recorded_call


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
