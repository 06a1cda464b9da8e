"""What a run detaches: its begin in the log, the handle that the body has of it, and its end.

The work is a run of its own, in the store with the commit that begins it; `engine/programs.py` runs it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec.structs import replace

from flopod.detach.driver import Child as Callee
from flopod.detach.driver import Driver, checked_driver
from flopod.detach.handle import DetachHandle, is_over, mark_done, mark_failed, mark_running, queued
from flopod.detach.inprocess import is_standard, microtask_batch_driver
from flopod.detach.references import child_reference, driver_reference
from flopod.detach.running import takes_input
from flopod.errors import SerializableError
from flopod.events import ChildEnded, Detached, DetachEnded, RunStarted
from flopod.options import options_of
from flopod.workflow.children import Child, Opening, child_end, child_id, same_input
from flopod.workflow.describing import describe_event
from flopod.workflow.inputs import call_document

if TYPE_CHECKING:
    from flopod.workflow.core import Core
    from flopod.workflow.scope import Scope

Mode = Literal["join", "forget"]


class Given(NamedTuple):
    """What a detach was given: who runs it, and what."""

    driver: Driver
    child: Callee


class Detach(NamedTuple):
    """What the body detaches; without an `id` it is numbered. A child may do without a `lone` input."""

    id: str | None
    given: Given
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    mode: Mode
    label: str = ""
    lone: bool = False

    @classmethod
    def of(
        cls, arguments: tuple[Any, ...], mode: Mode, mapper: Callable[[Any], Any] | None, label: str
    ) -> "Detach":
        """Read the arguments `[id,] driver, child[, input]`. Raises TypeError."""
        id, rest = (arguments[0], arguments[1:]) if _has_id(arguments) else (None, arguments)
        driver = checked_driver(rest[0] if rest else None)
        if not 2 <= len(rest) <= 3 or not callable(rest[1]):
            raise TypeError("a detach takes a driver, a function and its input, if it has one")
        input = rest[2] if len(rest) == 3 else None
        args = (input if mapper is None else mapper(input),)
        return cls(id, Given(driver, rest[1]), args, {}, mode, label, lone=True)

    def event(
        self, path: str, id: str, run_id: str, name_of: Callable[[Callable[..., Any]], str | None]
    ) -> Detached:
        """Return what a log says of it; `name_of` gives the name of a workflow. Raises SerializableError."""
        driver, child = self.given
        bare = options_of(child).fn
        name = name_of(child)
        workflow = name if is_standard(driver) else None
        takes_all = not self.lone or takes_input(child, scoped=name is not None)
        if not self.lone:
            _check_call(bare, self.args if name is None else (None, *self.args), self.kwargs)
        return Detached(
            path=path,
            id=id,
            driver=driver_reference(driver, getattr(bare, "__module__", None) or ""),
            mode=self.mode,
            child=run_id,
            workflow=workflow or child_reference(bare),
            input=call_document(self.args if takes_all else (), self.kwargs),
            label=self.label,
        )

    @classmethod
    def forgotten(cls, id: str, child: Callee, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Detach":
        """A task that nobody waits for."""
        return cls(id, Given(microtask_batch_driver, child), args, kwargs, "forget")


class Detaching:
    """The two ways to detach, for what has a way to begin it."""

    __slots__ = ()

    def detach_and_join_later(
        self,
        *arguments: Any,
        input_mapper: Callable[[Any], Any] | None = None,
        label: str | None = None,
        description: str | None = None,  # noqa: ARG002
        on_handle: Callable[[DetachHandle], object] | None = None,
    ) -> DetachHandle:
        """Start `child(input)` beside the caller, durably: `detach_and_join_later(driver, child, input)`.

        Nothing waits for it. In a run an id may stand before the driver, it begins with the next commit, and
        the handle moves on with the log, so that what is read of it is the same on a replay. Raises TypeError
        for what is no driver.
        """
        handle = self._detach(Detach.of(arguments, "join", input_mapper, label or ""))
        if on_handle is not None:
            on_handle(handle)
        return handle

    def detach_and_forget(
        self,
        *arguments: Any,
        input_mapper: Callable[[Any], Any] | None = None,
        label: str | None = None,
        description: str | None = None,  # noqa: ARG002
    ) -> None:
        """Start `child(input)` as `detach_and_join_later` does, where nobody wants to know how it ends."""
        self._detach(Detach.of(arguments, "forget", input_mapper, label or ""))

    def _detach(self, what: Detach) -> DetachHandle:
        raise NotImplementedError


def detach(scope: "Scope", what: Detach) -> DetachHandle:
    """Begin what is detached with the next commit, or come by what was; nothing waits for it.

    Raises SerializableError for an input that is no data and that nobody would hear of; else the handle
    fails at once.
    """
    core = scope.core
    number = scope.count_detach()
    path = scope.claim(what.id or f"detach#{number}")
    try:
        wanted = _wanted(scope, path, number, what)
    except SerializableError as error:
        error.path = path
        return _failed(f"{_place(scope)}:detach:{number}", error, what.mode)
    recorded = None if core.fenced else core.replay.ask(path, Detached, _Asked(wanted))
    if recorded is None:
        recorded = wanted if core.fenced else _begin(core, wanted)
    elif not _is_same(recorded, wanted):
        core.replay.conflict(path, describe_event(recorded), describe_event(wanted))
    return _handle(core, recorded, what)


class RunHandle(DetachHandle):
    """The handle that the body of a run has: it goes on with the log, so that a replay sees the same."""

    __slots__ = ("_joined",)
    _joined: "Joined | None"

    async def wait(self) -> Any:
        if self._joined is not None and not is_over(self):
            await child_end(self._joined)
        if self._error is not None:
            raise self._error
        return self._result


class Joined(Child):
    """Detached work whose end the run is to see."""

    __slots__ = ("handle", "id")

    def __init__(self, core: "Core", detached: Detached, handle: RunHandle) -> None:
        super().__init__(core, detached)
        self.id = detached.id
        self.handle = handle

    def recorded(self, ended: ChildEnded) -> ChildEnded:
        return DetachEnded(
            path=self.path,
            at=self.core.now,
            id=self.id,
            child=self.run_id,
            result=ended.result,
            error=ended.error,
            versions=ended.versions,
        )

    def set_result(self, result: Any) -> None:
        mark_done(self.handle, result)
        super().set_result(result)

    def set_exception(self, error: BaseException) -> None:
        mark_failed(self.handle, error)
        super().set_exception(error)


class _Asked:
    """What the code asks for, for the two sides of a divergence."""

    def __init__(self, wanted: Detached) -> None:
        self._wanted = wanted

    def describe(self) -> str:
        return describe_event(self._wanted)


def _check_call(child: Callee, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise the TypeError of a wrong call here, as the call would that a task is made of."""
    if iscoroutinefunction(child):
        child(*args, **kwargs).close()


def _has_id(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments) and isinstance(arguments[0], str)


def _place(scope: "Scope") -> str:
    """What the ids of a scope's detaches begin with."""
    started = scope.core.started
    return scope.path or ("main" if started is None else started.workflow)


def _wanted(scope: "Scope", path: str, number: int, what: Detach) -> Detached:
    core = scope.core
    return what.event(
        path, _id(core, _place(scope), path, number), child_id(core.run_id, path), core.offspring.name_of
    )


def _id(core: "Core", place: str, path: str, number: int) -> str:
    """The id of a new handle: after an edit, that number may be the one of an older detach."""
    taken = core.history.detached
    while taken.get(f"{place}:detach:{number}", path) != path:
        number += 1
    return f"{place}:detach:{number}"


def _begin(core: "Core", wanted: Detached) -> Detached:
    core.offspring.begun.append(opening_of(wanted, core.run_id, core.now, core.offspring.opening))
    begun = replace(wanted, at=core.now)
    core.emit(begun)
    return begun


def opening_of(detached: Detached, parent: str | None, now: int, opening: Opening) -> RunStarted:
    """Return the first event of the run that is the work of a detach. Raises UnknownWorkflow."""
    first = opening(detached.child, detached.workflow, detached.input, now, driven=True)
    return replace(first, parent=parent, detached=True, driver=detached.driver, detach=detached.id)


def _is_same(recorded: Detached, wanted: Detached) -> bool:
    """Who runs it, and what it is called, may change; so may the run id, in a fork."""
    return (
        recorded.workflow == wanted.workflow
        and recorded.mode == wanted.mode
        and same_input(recorded.input, wanted.input)
    )


def _handle(core: "Core", detached: Detached, what: Detach) -> RunHandle:
    handle = queued(RunHandle, detached.id)
    handle._joined = Joined(core, detached, handle) if what.mode == "join" else None
    if core.fenced:
        return handle
    core.offspring.given.append((detached, what.given))
    if handle._joined is None:
        return handle  # nobody sees it
    if what.given.driver.capabilities.immediate:
        mark_running(handle)
    else:
        _soon(core, partial(mark_running, handle))
    handle._joined.begin()
    return handle


def _soon(core: "Core", call: Callable[[], None]) -> None:
    loop = core.scheduler if core.external is None else asyncio.get_running_loop()
    loop.call_soon(call)


def _failed(id: str, error: SerializableError, mode: Mode) -> RunHandle:
    if mode == "forget":
        raise error
    handle = queued(RunHandle, id)
    handle._joined = None
    mark_failed(handle, error)
    return handle
