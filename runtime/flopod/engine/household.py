"""The children of the one run of a job: run in its process, by an engine for its descendants alone."""

import asyncio
from collections.abc import Iterable

from flopod.backends.base import Backend
from flopod.detach.handle import DetachHandle
from flopod.engine.children import Tell
from flopod.engine.clock import Clock
from flopod.engine.engine import Engine
from flopod.engine.hooks import Hooks
from flopod.engine.kin import Kin
from flopod.engine.programs import Programs
from flopod.engine.registry import Registry
from flopod.engine.uptake import OnWaiting
from flopod.events import Detached, RunStarted, RunSummary
from flopod.workflow.children import Child, Offspring
from flopod.workflow.detaching import Detach, Given

_LOOK = 0.05


class Household:
    """The descendants of the run `run_id`. There is no engine before there is one of them.

    `on_waiting` is called with the run id and the waits of each that comes to wait for an event. With
    `exit_when_waiting` they are not waited for while they only wait. A `thorough` household looks for them in
    the store in any case, and waits for the delays of drivers.
    """

    def __init__(
        self,
        backend: Backend,
        registry: Registry,
        run_id: str,
        *,
        exit_when_waiting: bool = False,
        thorough: bool = False,
        clock: Clock | None = None,
        on_waiting: OnWaiting | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self._backend = backend
        self._programs = Programs(registry)
        self._run_id = run_id
        self._exit_when_waiting = exit_when_waiting
        self._thorough = thorough
        self._clock = clock
        self._on_waiting = on_waiting
        self._hooks = hooks
        self._engine: Engine | None = None
        self._had_engine = False
        self._is_new = False

    # -- for the driver of the run ---------------------------------------------------------------

    def adopt(self, offspring: Offspring) -> None:
        self._programs.adopt(offspring)

    def give(self, detached: Detached, given: Given) -> None:
        if self._engine is not None:
            self._engine.family.give(detached, given)
        else:
            self._programs.give(detached, given)

    def detach(self, what: Detach) -> DetachHandle:
        """Make detached work durable that belongs to the job, and begin it. Raises RuntimeError."""
        asyncio.get_running_loop()
        return self._opened().family.detach(what, self._run_id)

    def begun(self, opening: RunStarted) -> None:
        self._opened().family.begun(opening)

    def watch(self, child: Child, parent: str, tell: Tell) -> None:
        self._opened().family.watch(child, parent, tell)

    def left(self, parent: str) -> None:
        if self._engine is not None:
            self._engine.family.left(parent)

    def cancel(self, child: str, reason: str) -> None:
        self._opened().family.cancel(child, reason)

    def parent_ended(self, parent: str, children: Iterable[str]) -> None:
        if self._engine is not None:
            self._engine.family.parent_ended(parent, children)

    def rest(self) -> bool:
        return self._engine is None or self._engine.is_at_rest

    # -- for the job -----------------------------------------------------------------------------

    def enter(self, summary: RunSummary | None) -> None:
        """Let the open children of a run that is resumed go on."""
        self._is_new = summary is None and not self._thorough
        began_some = summary is not None and bool(summary.children or summary.detaches)
        if (began_some or self._thorough) and self._open_kin():
            self._opened()

    async def settle(self) -> None:
        """Let the descendants of a run that has ended go on to their end, or until they only wait."""
        if not self._has_kin():
            return
        engine = self._opened()
        while engine.has_runs and not (self._exit_when_waiting and self._only_waits(engine)):
            await asyncio.sleep(_LOOK)

    def _only_waits(self, engine: Engine) -> bool:
        return engine.is_at_rest and not (self._thorough and engine.has_delayed)

    async def close(self) -> None:
        """Let go of all descendants, after the leaves under way."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.drain()

    def left_open(self) -> list[RunSummary]:
        """Return the descendants that are not over, and go on when the job is started again."""
        return self._open_kin() if self._has_kin() else []

    def leave(self) -> None:
        """Note an orderly end, for a process that ends at once. May be called from a signal handler."""
        if self._engine is not None:
            self._engine.leave()

    def _has_kin(self) -> bool:
        """Whether there may be descendants: a new run that began none has none."""
        return self._had_engine or (not self._is_new and bool(self._open_kin()))

    def _open_kin(self) -> list[RunSummary]:
        kin = Kin(self._backend, self._run_id)
        return [one for one in self._backend.open_runs() if one in kin]

    def _opened(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(
                self._backend,
                self._programs,
                clock=self._clock,
                within=self._run_id,
                on_waiting=self._on_waiting,
                hooks=self._hooks,
            )
            self._engine.enter()
            self._had_engine = True
        return self._engine
