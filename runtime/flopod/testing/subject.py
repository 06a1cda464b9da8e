"""What is put to the test: a workflow that the engine runs, or a program that opens a run itself."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from flopod.engine.registry import HandWritten, Registry
from flopod.testing.errors import TestFailure
from flopod.testing.process import nothing
from flopod.testing.script import Names


class Subject(Protocol):
    """A workflow by its `name`, and what is known of it.

    `leaves` and `events` are what it can call and wait for, None if nobody knows; `plain` is the source
    function, which takes no scope, None if there is none; `sync` says that it is a plain function.
    """

    name: str
    registry: Registry
    sync: bool
    plain: Callable[..., Any] | None

    @property
    def leaves(self) -> Sequence[Names] | None:
        """What the workflow, and all that it can start, can call."""
        ...

    @property
    def events(self) -> Sequence[Names] | None:
        """Where they can wait; the `callee` is the event."""
        ...

    @property
    def opens_itself(self) -> Callable[..., Any] | None:
        """The function that opens the run, for a program that does so itself."""
        ...

    def callee_of(self, path: str) -> str:
        """Return what is called at a path, "" if nobody knows."""
        ...

    def installed(self) -> AbstractContextManager[object]:
        """Put the code under test in its place."""
        ...


class Written:
    """A hand-written workflow `async def main(wf, ...)`, or a program that calls `create_runtime`."""

    leaves: Sequence[Names] | None = None
    events: Sequence[Names] | None = None
    plain: Callable[..., Any] | None = None
    sync = False

    def __init__(
        self, fn: Callable[..., Any], others: Mapping[str, Callable[..., Any]], *, program: bool
    ) -> None:
        self.name = getattr(fn, "__name__", "main")
        self.registry: Registry = HandWritten({**others, self.name: fn})
        self.opens_itself = fn if program else None

    def callee_of(self, path: str) -> str:
        del path
        return ""

    def installed(self) -> AbstractContextManager[object]:
        return nothing()


def takes_scope(fn: Any) -> bool:
    """Whether a function is a hand-written workflow: its first parameter is the scope."""
    try:
        first = next(iter(inspect.signature(fn).parameters.values()), None)
    except (TypeError, ValueError):
        return False
    return first is not None and (first.name == "wf" or "Scope" in str(first.annotation))


def check_arguments(
    subject: Subject, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Check that a workflow takes its input. Raises TestFailure."""
    own = [] if subject.plain is not None or subject.opens_itself is not None else [None]
    try:
        signature = inspect.signature(fn)
        signature.bind(*own, *args, **kwargs)
    except TypeError as error:
        raise TestFailure(f"{subject.name}{signature} does not take this input: {error}") from None
    except ValueError:
        return
