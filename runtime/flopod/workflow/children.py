"""Runs that a run starts: the begin of each, the handle that the body has of it, and its end."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.errors import MigrationError, SerializableError, Unsupported
from flopod.events import (
    ChildBegun,
    ChildCompleted,
    ChildEnded,
    ChildStarted,
    Detached,
    Event,
    RunStarted,
)
from flopod.runid import MAX_LENGTH, check_run_id
from flopod.workflow.inputs import call_document
from flopod.workflow.operations import Operation

if TYPE_CHECKING:
    from flopod.workflow.core import Core
    from flopod.workflow.detaching import Given

_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_WAIT_CANCELLED = "the wait for it was cancelled"


class Opening(Protocol):
    """Makes the first event of a run of `workflow`, a function if it is `driven`. Raises UnknownWorkflow."""

    def __call__(
        self, run_id: str, workflow: str, input: Raw, at: int, *, driven: bool = False
    ) -> RunStarted: ...


def nobody_runs_children(
    run_id: str, workflow: str, input: Raw, at: int, *, driven: bool = False
) -> RunStarted:
    """The `Opening` of a run whose surroundings have no other workflows."""
    del run_id, input, at
    if driven:
        raise Unsupported(f"nothing here runs what is detached ({workflow}); start the run in an Engine")
    raise Unsupported(
        f"nothing here runs a child of the workflow {workflow!r}; start the run in an Engine whose registry "
        "has both, or with create_runtime(workflows=...), or call the workflow with wf.call: then it is a "
        "part of this run"
    )


class Offspring:
    """The children of one run.

    `returns` gives what a workflow returns, by its annotation, and `name_of` the name of one; `given` is what
    detaches were given since the last look. `begun` are the first events of those that begin with the next
    commit; `unwatched` those whose end is wanted since the last look; `orders` the ones to be cancelled, with
    the reason. `open` are the children whose end the run has not seen, by their run ids, without those that
    are detached and not awaited.
    """

    def __init__(self) -> None:
        self.opening: Opening = nobody_runs_children
        self.returns: Callable[[str], Any] = lambda _: None
        self.name_of: Callable[[Callable[..., Any]], str | None] = lambda _: None
        self.given: list[tuple[Detached, Given]] = []
        self.begun: list[RunStarted] = []
        self.open: dict[str, Child] = {}
        self.unwatched: list[Child] = []
        self.orders: dict[str, str] = {}

    def take_begun(self) -> list[RunStarted]:
        """Return the first events to append with a commit."""
        begun, self.begun = self.begun, []
        return begun

    def take_given(self) -> "list[tuple[Detached, Given]]":
        """Return what detaches were given, to be known from now on."""
        given, self.given = self.given, []
        return given

    def take_unwatched(self) -> "list[Child]":
        """Return the children to watch from now on."""
        unwatched, self.unwatched = self.unwatched, []
        return unwatched

    def owned(self) -> list[str]:
        """Return the run ids of the open children that end with this run."""
        return [child.run_id for child in self.open.values() if not child.detached]


class Child(Operation):
    """A child run whose end this run is to see: awaited by its handle, as often as that likes."""

    __slots__ = ("detached", "input", "run_id", "workflow")

    def __init__(self, core: "Core", started: ChildBegun) -> None:
        super().__init__(core, started.path)
        self.run_id = started.child
        self.workflow = started.workflow
        self.input = started.input
        self.detached = started.detached

    def begin(self) -> None:
        self.core.offspring.open[self.run_id] = self
        self.core.opened(self)

    def activate(self) -> None:
        self.core.offspring.unwatched.append(self)

    def deliver(self, ended: ChildCompleted) -> Event:
        """Settle with the end of the child, and return its record. Raises MigrationError."""
        event = self.recorded(ended)
        try:
            self.settle(event)
        except MigrationError:
            raise
        except Exception as error:
            wrong = SerializableError(f"the end of the child cannot be read: {error}", path=self.path)
            event = replace(event, result=None, error=Raw(codec.encode(wrong)))
            self.settle(event)
        return event

    def recorded(self, ended: ChildEnded) -> ChildEnded:
        """Return the record of the end of the child."""
        return replace(ended, path=self.path, at=self.core.now)

    def settle(self, event: Event) -> None:
        if not isinstance(event, ChildEnded):
            return
        value, error = end_of(event, lambda: self.core.offspring.returns(self.workflow))
        self.core.offspring.open.pop(self.run_id, None)
        self.core.offspring.orders.pop(self.run_id, None)
        if error is not None:
            self.set_exception(error)
        else:
            self.set_result(value)

    def describe(self) -> str:
        return _describe(self.workflow, self.input, self.detached)


def end_of(ended: ChildEnded, returns: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Return what a child returned, and what it raised: one of the two.

    `returns` is asked for what its workflow returns by its annotation: TypedDicts come as they are today.
    """
    if ended.error is not None:
        return None, codec.decode(ended.error)
    if ended.result is None:
        return None, None
    return codec.decode_result(ended.result, ended.versions, returns), None


class ChildHandle:
    """A child run, as the workflow that started it has it; `id` is its run id."""

    def __init__(self, core: "Core", started: ChildStarted) -> None:
        self.id = started.child
        self._core = core
        self._started = started
        self._child: Child | None = None
        if not started.detached:
            self._open()

    def __repr__(self) -> str:
        return f"<child {self.id!r} of {self._core.run_id!r}>"

    def __await__(self) -> Generator[Any, Any, Any]:
        """`await handle` is `await handle.wait()`."""
        return self.wait().__await__()

    async def wait(self) -> Any:
        """Wait until the child is over: its result, or its error is raised; Cancelled if it was cancelled.

        If this wait is cancelled, so is the child, unless it is detached.
        """
        child = self._open()
        try:
            return await child_end(child)
        except asyncio.CancelledError:
            if not child.done() and not child.detached:
                self.cancel(self._core.ending.cancelled or _WAIT_CANCELLED)
            raise

    def cancel(self, reason: str = "") -> None:
        """Cancel the child: CancelledError is raised where it waits. One that is over stays as it is."""
        over = self._child is not None and self._child.done()
        if not self._core.fenced and not over:
            self._core.offspring.orders[self.id] = reason

    def _open(self) -> Child:
        if self._child is None:
            self._child = Child(self._core, self._started)
            if not self._core.fenced:
                self._child.begin()
        return self._child


def child_end(child: Child) -> Awaitable[Any]:
    """Return what waits for the end of a child; it may be given up, and the child goes on."""
    return asyncio.shield(child.future) if child.core.external is None else _End(child)


class _End:
    """The end of a child, for a body that asyncio steps; a wait that is given up leaves the child alone."""

    def __init__(self, child: Child) -> None:
        self.future = child.future
        self._child = child

    def __await__(self) -> Generator[Any, Any, Any]:
        external = self._child.core.external
        assert external is not None
        return external(cast("Operation", self))

    def begin(self) -> None:
        """The child has begun."""

    def cancel(self) -> None:
        """The child goes on."""

    def result(self) -> Any:
        return self._child.result()


class _Asked:
    """What the code asks for, for the two sides of a divergence."""

    def __init__(self, wanted: ChildStarted) -> None:
        self._wanted = wanted

    def describe(self) -> str:
        return _describe(self._wanted.workflow, self._wanted.input, self._wanted.detached)


def start_child(
    core: "Core",
    path: str,
    workflow: "str | Callable[..., Any]",
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    run_id: str | None,
    detached: bool,
) -> ChildHandle:
    """Start a child with the next commit, or come by one that was started.

    Raises UnknownWorkflow, InvalidRunId, SerializableError, Unsupported where there are no children.
    """
    wanted = ChildStarted(
        path=path,
        child=child_id(core.run_id, path) if run_id is None else check_run_id(run_id),
        workflow=workflow_name(workflow),
        input=_document(path, args, kwargs),
        detached=detached,
    )
    recorded = None if core.fenced else core.replay.ask(path, ChildStarted, _Asked(wanted))
    if core.fenced:
        return ChildHandle(core, wanted)
    if recorded is None:
        return ChildHandle(core, _begin(core, wanted))
    if not _is_same(recorded, wanted, run_id):
        core.replay.conflict(path, describe_child(recorded), describe_child(wanted))
    return ChildHandle(core, recorded)


def _begin(core: "Core", wanted: ChildStarted) -> ChildStarted:
    opening = core.offspring.opening(wanted.child, wanted.workflow, wanted.input, core.now)
    core.offspring.begun.append(replace(opening, parent=core.run_id, detached=wanted.detached))
    started = replace(wanted, at=core.now)
    core.emit(started)
    return started


def _document(path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Raw:
    try:
        return call_document(args, kwargs)
    except SerializableError as error:
        error.path = path
        raise


def _is_same(recorded: ChildStarted, wanted: ChildStarted, run_id: str | None) -> bool:
    """A child id that is made of the parent's is that of the run which a fork has its past from."""
    return (
        recorded.workflow == wanted.workflow
        and recorded.detached == wanted.detached
        and run_id in (None, recorded.child)
        and same_input(recorded.input, wanted.input)
    )


def same_input(one: Raw, other: Raw) -> bool:
    """Whether two inputs are equal, however they are written."""
    return bytes(one) == bytes(other) or _fingerprint(one) == _fingerprint(other)


def _fingerprint(document: Raw) -> str:
    return codec.fingerprint(codec.decode(document))


def workflow_name(workflow: "str | Callable[..., Any]") -> str:
    """Return the name by which a registry knows a workflow: the given one, the marked one, the function's."""
    if isinstance(workflow, str):
        return workflow
    options = getattr(workflow, "__flopod_workflow__", None)
    return getattr(options, "name", None) or workflow.__name__


def child_id(parent: str, path: str) -> str:
    """Return the run id of the child that `parent` starts at `path`: `parent.name`, where that is one."""
    if _PLAIN.fullmatch(path) and len(parent) + len(path) < MAX_LENGTH:
        return f"{parent}.{path}"
    digest = hashlib.sha256(f"{parent}\n{path}".encode()).hexdigest()[:16]
    words = "-".join(_PLAIN.findall(path))
    room = MAX_LENGTH - len(digest) - 2
    return f"{f'{parent}.{words}'[:room]}-{digest}"


def describe_child(event: ChildStarted) -> str:
    """Return what the begin of a child says."""
    return f"{_describe(event.workflow, event.input, event.detached)} as {event.child!r}"


def _describe(workflow: str, input: Raw, detached: bool) -> str:
    text = bytes(input).decode()
    shown = text if len(text) <= 80 else text[:77] + "..."
    return f"{'a detached' if detached else 'a'} child of the workflow {workflow!r} with {shown}"
