"""Children of runs, as an engine or a job has them: begun, watched by their parents, cancelled with them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from msgspec import Raw
from msgspec.structs import replace

from flopod import codec
from flopod.backends.base import Backend
from flopod.detach.handle import DetachHandle
from flopod.detach.spawn import next_id
from flopod.engine import control
from flopod.engine.call import check_same
from flopod.engine.children import Tell
from flopod.engine.clock import Clock
from flopod.engine.programs import Programs
from flopod.engine.underway import Underway
from flopod.engine.waits import first_event
from flopod.errors import Cancelled, Conflict, Fenced, FlopodError, InputChanged, StorageError, UnknownRun
from flopod.events import (
    FINAL,
    ChildCompleted,
    Detached,
    Event,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    RunSummary,
)
from flopod.log.rewind import effective
from flopod.runid import new_run_id
from flopod.workflow.children import Child, Offspring, child_id, end_of
from flopod.workflow.detaching import Detach, Given, opening_of
from flopod.workflow.inputs import call_document

_SELDOM = 1.0
_LOGGER = logging.getLogger("flopod")


class Beside(NamedTuple):
    """A workflow that a driver runs for detached work."""

    run_id: str
    workflow: str
    input: Raw


class Host(Protocol):
    """What runs the children."""

    def take_up_child(self, run_id: str) -> None:
        """Let a run begin whose first event is in the store, unless it has begun."""

    def bring_back(self, run_id: str) -> None:
        """Let a parent go on that is put away."""

    def drives(self, run_id: str) -> bool:
        """Whether this process has the run, driven or put away, so that it hears of its end."""
        ...


class Family:
    """Who waits for whom. Ends of children that other processes run are looked for by `look`."""

    def __init__(self, backend: Backend, programs: Programs, host: Host, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._programs = programs
        self._host = host
        self._underway = Underway()
        programs.run_beside = self._run_beside
        self._watchers: dict[str, dict[str, Tell | None]] = {}
        self._watched_by: dict[str, set[str]] = {}
        self._next_look = 0.0

    # -- for the driver of a parent --------------------------------------------------------------

    def adopt(self, offspring: Offspring) -> None:
        """Tell the children of a run what there is to run, and how it begins."""
        self._programs.adopt(offspring)

    def give(self, detached: Detached, given: Given) -> None:
        """Take what a detach was given, where no name leads to it: if it has begun, it goes on now."""
        if self._programs.give(detached, given):
            self._host.take_up_child(detached.child)

    def begun(self, opening: RunStarted) -> None:
        """Run a child whose first event is in the store."""
        run_id = opening.run_id
        recorded = first_event(self._backend, run_id)
        wrong = None if recorded is None else _misfit(run_id, recorded, opening.workflow, opening.input)
        if wrong is not None:
            _LOGGER.error("the child %s of %s: %s", run_id, opening.parent, wrong)
        else:
            self._underway.begun(run_id, opening.parent, opening.detach)
            self._host.take_up_child(run_id)

    def detach(self, what: Detach, parent: str | None) -> DetachHandle:
        """Make detached work durable that belongs to no run, and begin it; returns its handle."""
        run_id = f"executor.{new_run_id()}"
        detached = what.event("", next_id(), run_id, self._programs.registry.name_of)
        opening = opening_of(detached, parent, self._clock.now(), self._programs.opening)
        self._backend.append(run_id, 0, [opening])
        self._programs.give(detached, what.given)
        handle = self._underway.taken(run_id, parent, detached.id)
        self._host.take_up_child(run_id)
        return handle

    def watch(self, child: Child | Beside, parent: str, tell: Tell) -> None:
        """Call `tell` once when the child is over, at once if it is."""
        ended = self._end_now(child)
        if ended is not None:
            tell(ended)
        else:
            self._watchers.setdefault(child.run_id, {})[parent] = tell
            self._watched_by.setdefault(parent, set()).add(child.run_id)
            self._tell_of_rest(child.run_id)

    def left(self, parent: str) -> None:
        """Bring the parent back when one of its children is over, instead of telling it."""
        for child in self._watched_by.get(parent, ()):
            self._watchers[child][parent] = None

    def cancel(self, child: str, reason: str) -> None:
        """Cancel a child that is not over."""
        with contextlib.suppress(Conflict, UnknownRun):
            control.cancel(self._backend, child, reason)
        if (ended := self._over(child)) is not None:
            self.ended(child, ended)

    def parent_ended(self, parent: str, children: Iterable[str]) -> None:
        """Cancel those of the children that are open and belong to the parent."""
        for child in self._watched_by.pop(parent, ()):
            del self._watchers[child][parent]
        for child in children:
            recorded = first_event(self._backend, child)
            if recorded is not None and recorded.parent == parent and not recorded.detached:
                self.cancel(child, f"its parent {parent!r} is over")

    # -- for the host ----------------------------------------------------------------------------

    def taken_up(self, run: RunSummary) -> None:
        """Take note of an open run that goes on here."""
        self._underway.begun(run.run_id, run.parent, run.detach)

    def let_go(self, run_id: str) -> None:
        """Take note that a run does not go on here by itself any more."""
        self._underway.over(run_id)
        self._tell_of_rest(run_id)

    def _tell_of_rest(self, child: str) -> None:
        """Log that somebody waits for a child that does not go on by itself."""
        parents = ", ".join(self._watchers.get(child, ()))
        summary = self._backend.summary(child) if parents else None
        if summary is not None and summary.status == "paused":
            _LOGGER.warning(
                "%s waits for %s, which is paused: %s; `flopod runs resume %s` lets it go on",
                parents,
                child,
                summary.error,
                child,
            )

    def close(self) -> None:
        """Take note that no run goes on here any more."""
        self._underway.close()

    def run_ended(self, run_id: str, event: Event | None) -> None:
        """Take note that a run is over, with its last event if that is at hand."""
        self._programs.forget(run_id)
        self._underway.ended(run_id, event)
        if run_id in self._watchers and (event := event or self._over(run_id)) is not None:
            self.ended(run_id, event)

    def ended(self, child: str, event: Event) -> None:
        """Tell the parents of a child that it is over, and bring those back that are put away."""
        completed = _completed(child, event)
        for parent, tell in self._watchers.pop(child, {}).items():
            self._watched_by[parent].discard(child)
            if tell is not None:
                tell(completed)
            else:
                self._host.bring_back(parent)

    def look(self) -> None:
        """Look for the ends of children that are not run here, if the last look is some time ago."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _SELDOM
        for child in [one for one in self._watchers if not self._host.drives(one)]:
            try:
                event = self._over(child)
            except StorageError:
                continue
            if event is not None:
                self.ended(child, event)

    def look_soon(self) -> None:
        """Let the next `look` be one, however short ago the last was."""
        self._next_look = 0.0

    def rest(self) -> bool:
        """Each run of an engine is put away by itself."""
        return True

    def cancel_orphan(self, run: RunSummary) -> None:
        """Cancel a run that belongs to a parent which is over."""
        if run.parent is None or run.detached:
            return
        parent = self._backend.summary(run.parent)
        if parent is not None and parent.status in FINAL:
            self.cancel(run.run_id, f"its parent {run.parent!r} is over")

    async def _run_beside(self, parent: str, workflow: str, *given: Any) -> Any:
        """Run a workflow as a child of detached work, once however often that is begun; its result."""
        document = call_document(given, {})
        run_id = child_id(parent, workflow)
        opening = self._programs.opening(run_id, workflow, document, self._clock.now())
        with contextlib.suppress(Fenced):
            self._backend.append(run_id, 0, [replace(opening, parent=parent)])
        ended: asyncio.Future[ChildCompleted] = asyncio.get_running_loop().create_future()
        self._host.take_up_child(run_id)
        self.watch(Beside(run_id, workflow, document), parent, ended.set_result)
        value, error = end_of(await ended, lambda: self._programs.returns(workflow))
        if error is not None:
            raise error
        return value

    # -- ends ------------------------------------------------------------------------------------

    def _end_now(self, child: Child | Beside) -> ChildCompleted | None:
        recorded = first_event(self._backend, child.run_id)
        if recorded is None:
            return _failed(child.run_id, UnknownRun(child.run_id, self._backend.describe()))
        wrong = _misfit(child.run_id, recorded, child.workflow, child.input)
        if wrong is not None:
            return _failed(child.run_id, wrong)
        event = self._over(child.run_id)
        return None if event is None else _completed(child.run_id, event)

    def _over(self, child: str) -> Event | None:
        """The last event of a child that is over."""
        summary = self._backend.summary(child)
        if summary is None or summary.status not in FINAL:
            return None
        return next(
            (
                event
                for _, event in reversed(effective(self._backend.load(child)))
                if isinstance(event, RunCompleted | RunFailed | RunCancelled)
            ),
            None,
        )


def _misfit(run_id: str, recorded: RunStarted, workflow: str, input: Raw) -> FlopodError | None:
    """The error that there is another run of the id that a child was to have."""
    try:
        check_same(run_id, recorded, workflow, input)
    except InputChanged as error:
        return error
    return None


def _failed(child: str, error: BaseException) -> ChildCompleted:
    return ChildCompleted(child=child, error=Raw(codec.encode(error)))


def _completed(child: str, event: Event) -> ChildCompleted:
    if isinstance(event, RunCompleted):
        return ChildCompleted(child=child, result=event.result, versions=event.versions)
    if isinstance(event, RunFailed):
        return ChildCompleted(child=child, error=event.error)
    reason = event.reason if isinstance(event, RunCancelled) else ""
    return _failed(child, Cancelled(reason))
