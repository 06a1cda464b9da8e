"""What is put to the test: a workflow that the engine runs, or a program that opens a run itself."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from flopod.engine.registry import HandWritten, Registry
from flopod.testing.errors import TestFailure, near
from flopod.testing.process import nothing
from flopod.testing.script import Names


class Subject(Protocol):
    """A workflow by its `name`, and what is known of it; what is None is not known, or not there.

    `sync` says that the source is a plain function.
    """

    @property
    def name(self) -> str: ...

    @property
    def registry(self) -> Registry: ...

    @property
    def sync(self) -> bool: ...

    @property
    def plain(self) -> Callable[..., Any] | None:
        """The source function, which takes no scope."""
        ...

    @property
    def leaves(self) -> Sequence[Names] | None:
        """What the workflow, and all that it can start, can call."""
        ...

    @property
    def events(self) -> Sequence[Names] | None:
        """Where they can wait; the `callee` is the event."""
        ...

    @property
    def callees(self) -> Sequence[str]:
        """The functions that are leaves, as `module:qualname`, as far as they are known."""
        ...

    def plain_code(self, name: str) -> str:
        """Return the module with a function of that name, "" if there is none."""
        ...

    def import_module(self, name: str) -> ModuleType:
        """Import a module of the source."""
        ...

    @property
    def opens_itself(self) -> Callable[..., Any] | None:
        """The function that opens the run, for a program that does so itself."""
        ...

    def callee_of(self, path: str) -> str:
        """Return what is called at a path, "" if nobody knows."""
        ...

    def is_meant(self, workflow: str | Callable[..., Any]) -> bool:
        """Whether a test that says this, a name or a function, means this one."""
        ...

    def installed(self) -> AbstractContextManager[object]:
        """Put the code under test in its place."""
        ...


class Project(Protocol):
    """A compiled source."""

    def subjects(self) -> Sequence[Subject]:
        """Return all of its workflows."""
        ...

    def subject(self, workflow: str | Callable[..., Any]) -> Subject:
        """Return one of its workflows. Raises TestFailure."""
        ...

    def edited(self, module: str, old: str, new: str) -> "Project":
        """Return it with a part of a module replaced. Raises TestFailure."""
        ...


class Written:
    """A hand-written workflow `async def main(wf, ...)`, or a program that calls `create_runtime`."""

    leaves: Sequence[Names] | None = None
    events: Sequence[Names] | None = None
    plain: Callable[..., Any] | None = None
    callees: Sequence[str] = ()
    sync = False

    def __init__(
        self, fn: Callable[..., Any], others: Mapping[str, Callable[..., Any]], *, program: bool
    ) -> None:
        self.name = getattr(fn, "__name__", "main")
        self.registry: Registry = HandWritten({**others, self.name: fn})
        self.opens_itself = fn if program else None
        self._fn = fn

    def callee_of(self, path: str) -> str:
        del path
        return ""

    def is_meant(self, workflow: str | Callable[..., Any]) -> bool:
        return workflow in (self.name, self._fn)

    def plain_code(self, name: str) -> str:
        del name
        return ""

    def import_module(self, name: str) -> ModuleType:
        return import_module(name)

    def installed(self) -> AbstractContextManager[object]:
        return nothing()


def takes_scope(fn: Any) -> bool:
    """Whether a function is a hand-written workflow: its first parameter is the scope."""
    try:
        first = next(iter(inspect.signature(fn).parameters.values()), None)
    except (TypeError, ValueError):
        return False
    return first is not None and (first.name == "wf" or "Scope" in str(first.annotation))


def check_arguments(subject: Subject, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Check that a workflow takes its input. Raises TestFailure."""
    fn = subject.plain or subject.opens_itself
    own = [] if fn is not None else [None]
    try:
        signature = inspect.signature(fn or subject.registry.program(subject.name).fn)
    except ValueError:
        return
    try:
        signature.bind(*own, *args, **kwargs)
    except TypeError as error:
        raise TestFailure(f"{subject.name}{signature} does not take this input: {error}") from None


def check_event(subject: Subject, event: str) -> None:
    """Check that a run can wait for an event, or at a path. Raises TestFailure with near misses."""
    known = subject.events
    if known is not None and not any(names.matches(event) for names in known):
        shown = near(event, (names.short for names in known))
        raise TestFailure(f"the workflow {subject.name!r} never waits for {event!r}{shown}")


def check_leaf(subject: Subject, name: str) -> None:
    """Check that there is a leaf of that name or path. Raises TestFailure, with what may be meant."""
    known = subject.leaves
    if known is None or any(names.matches(name) for names in known):
        return
    module = subject.plain_code(name)
    if module:
        raise TestFailure(
            f"{name!r} is no leaf: no workflow calls it, or the function of {module} has no effects and runs "
            "as it is; @activity makes a leaf of it"
        )
    is_path = "/" in name or "[" in name
    shown = near(name, (names.path if is_path else names.short for names in known))
    raise TestFailure(f"there is no leaf {name!r}{shown}")
