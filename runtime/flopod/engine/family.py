"""Children of runs, as an engine or a job has them: begun, watched by their parents, cancelled with them."""

import contextlib
import logging
import time
from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.engine import control
from flopod.engine.call import check_same, returned_type
from flopod.engine.children import Tell
from flopod.engine.registry import Registry
from flopod.engine.waits import first_event
from flopod.errors import Cancelled, Conflict, FlopodError, InputChanged, StorageError, UnknownRun
from flopod.events import (
    FINAL,
    ChildCompleted,
    Event,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    RunSummary,
)
from flopod.log.rewind import effective
from flopod.workflow.children import Child

_SELDOM = 1.0
_LOGGER = logging.getLogger("flopod")


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

    def __init__(self, backend: Backend, registry: Registry, host: Host) -> None:
        self._backend = backend
        self._registry = registry
        self._host = host
        self._watchers: dict[str, dict[str, Tell | None]] = {}
        self._watched_by: dict[str, set[str]] = {}
        self._next_look = 0.0

    # -- for the driver of a parent --------------------------------------------------------------

    def opening(self, run_id: str, workflow: str, input: Raw, at: int) -> RunStarted:
        """Make the first event of a run. Raises UnknownWorkflow."""
        return self._registry.program(workflow).identify(run_id).started(at, input)

    def returns(self, workflow: str) -> Any:
        """Return what a workflow returns, by its annotation; None if nobody knows."""
        try:
            return returned_type(self._registry.program(workflow).fn)
        except FlopodError:
            return None

    def begun(self, opening: RunStarted) -> None:
        """Run a child whose first event is in the store."""
        run_id = opening.run_id
        recorded = first_event(self._backend, run_id)
        wrong = None if recorded is None else _misfit(run_id, recorded, opening.workflow, opening.input)
        if wrong is not None:
            _LOGGER.error("the child %s of %s: %s", run_id, opening.parent, wrong)
        else:
            self._host.take_up_child(run_id)

    def watch(self, child: Child, parent: str, tell: Tell) -> None:
        """Call `tell` once when the child is over, at once if it is."""
        ended = self._end_now(child)
        if ended is not None:
            tell(ended)
        else:
            self._watchers.setdefault(child.run_id, {})[parent] = tell
            self._watched_by.setdefault(parent, set()).add(child.run_id)

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

    def run_ended(self, run_id: str, event: Event | None) -> None:
        """Take note that a run is over, with its last event if that is at hand."""
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

    # -- ends ------------------------------------------------------------------------------------

    def _end_now(self, child: Child) -> ChildCompleted | None:
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


class Kin:
    """The runs that descend from one; without an ancestor, all runs."""

    def __init__(self, backend: Backend, ancestor: str | None) -> None:
        self._backend = backend
        self._are_all = ancestor is None
        self._known = {} if ancestor is None else {ancestor: True}

    def __contains__(self, run: RunSummary) -> bool:
        return self._are_all or (run.parent is not None and self._descends(run.parent))

    def _descends(self, run_id: str) -> bool:
        known = self._known.get(run_id)
        if known is None:
            summary = self._backend.summary(run_id)
            parent = None if summary is None else summary.parent
            known = self._known[run_id] = parent is not None and self._descends(parent)
        return known
