"""Many runs in one process: begins them as limits allow, drives them, and puts those that wait away."""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any, NoReturn

from msgspec import Raw

from flopod.backends.base import Backend
from flopod.detach.handle import DetachHandle
from flopod.engine import garbage
from flopod.engine.beginnings import recall
from flopod.engine.clock import Clock, SystemClock
from flopod.engine.commits import Grouped
from flopod.engine.course import Course
from flopod.engine.deliveries import Deliveries
from flopod.engine.driver import Driver
from flopod.engine.drivers import Drivers
from flopod.engine.entrance import Entrance
from flopod.engine.family import Family
from flopod.engine.gate import Gate
from flopod.engine.handle import Handle
from flopod.engine.hooks import Hooks
from flopod.engine.kin import Adopts, Kin
from flopod.engine.limits import Limit, Queue
from flopod.engine.line import Line
from flopod.engine.load import Load
from flopod.engine.misfits import Misfits, OnMisfit
from flopod.engine.openings import Openings
from flopod.engine.outcome import RunOutcome
from flopod.engine.outcomes import Outcomes
from flopod.engine.programs import Programs
from flopod.engine.ready import Place, Ready
from flopod.engine.refusals import Refusals
from flopod.engine.registry import Registry
from flopod.engine.resting import Resting
from flopod.engine.scheduling import ONE_BY_ONE, QUEUE, Schedules, Timetable
from flopod.engine.standing import open_waits
from flopod.engine.strays import Strays
from flopod.engine.turns import take_turns
from flopod.engine.uptake import OnWaiting, Uptake
from flopod.errors import Fenced
from flopod.events import FINAL, Attribute, RunStarted
from flopod.runid import check_run_id, new_run_id
from flopod.workflow.core import Core
from flopod.workflow.detaching import Detach, Detaching
from flopod.workflow.inputs import input_document

_POLL = 0.05
_SOONEST = 0.001
_LINGER = 5.0
_AGAIN = 5.0
_GOES_ON = ("waiting", "left", "held")


class Engine(Detaching, contextlib.AbstractAsyncContextManager["Engine"]):
    """Runs the workflows of `registry` on `backend`: `async with Engine(backend, registry) as engine`.

    At most `concurrency` runs are being stepped or have leaves under way; others that could go on stand in
    line. Of those that only wait, `resting` stay in memory, the others come back when their timer, their
    event or the end of their child is due. `queues` and `limits` (of workflows) say how many may have begun
    and not ended. Opening takes up the open runs that the store has: all and the schedules, or those that
    descend from the run `within`, or those that it `adopts` and their descendants. Leaving lets the leaves
    under way end, for `grace` seconds. `on_waiting` is called with the run id and the open waits of a run
    that comes to rest; `on_misfit` with the run id of one that this build cannot run, and why: once, and
    again when something has come for it. `hooks` are asked and told of all of them.
    """

    def __init__(
        self,
        backend: Backend,
        registry: Registry | Programs,
        *,
        concurrency: int = 256,
        resting: int = 256,
        queues: Mapping[str, Queue] | None = None,
        limits: Mapping[str, Limit] | None = None,
        grace: float = 10.0,
        clock: Clock | None = None,
        within: str | None = None,
        adopts: Adopts | None = None,
        on_misfit: OnMisfit | None = None,
        on_waiting: OnWaiting | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self._backend = backend
        self._programs = registry if isinstance(registry, Programs) else Programs(registry)
        self._concurrency = concurrency
        self._grace = grace
        self._clock: Clock = SystemClock() if clock is None else clock
        self._commits = Grouped(backend, lambda: len(self._live) <= 1 or not self._clock.real)
        self.family = Family(backend, self._programs, self, self._clock)
        self._kin = Kin(backend, within, adopts)
        self._on_waiting = on_waiting
        self._gate = Gate(hooks)
        self.schedules = Schedules(backend, self._clock.now)
        self._timetable = self._own_timetable() if self._kin.are_all else None
        self._openings = Openings(backend)
        self._outcomes = Outcomes(backend, self._programs, self._clock)
        self._live = Drivers(Resting(resting, _LINGER))
        ready = Ready({QUEUE: ONE_BY_ONE, **(queues or {})}, limits or {})
        self._line = Line(ready, self._programs, self._clock)
        self._misfits = Misfits(backend, on_misfit)
        self._uptake = Uptake(backend, self._line, self.family, self._kin, self._misfits, on_waiting)
        self._refusals = Refusals(
            backend, _AGAIN, self._again, self._openings, self._misfits, says=within is not None
        )
        self._course = Course(
            backend,
            self._clock,
            Entrance(backend, self._programs, self._clock, self._openings, self._gate),
            self._openings,
            self._refusals,
            self._live,
            commits=self._commits,
            children=self.family,
            on_rest=self._rests,
            put_away=self._put_away,
        )
        self._seeking: asyncio.Task[NoReturn] | None = None
        self._while_open = contextlib.ExitStack()

    def _own_timetable(self) -> Timetable:
        return Timetable(self.schedules, self._programs.registry, self._open, alone=not self._clock.real)

    # -- opening and leaving ---------------------------------------------------------------------

    async def __aenter__(self) -> "Engine":
        self.enter()
        return self

    def enter(self) -> None:
        """Take up the open runs, and serve from now on."""
        self._while_open.enter_context(garbage.sought_seldom())
        self._deliveries = Deliveries(self._backend, self._delivered, _POLL / 2)
        recall(self._backend, self._line.ready, self._clock)
        self._uptake.take_all()
        self._serving = asyncio.create_task(take_turns(self._turn), name="flopod engine")
        if self._kin.are_all and self._clock.real:
            strays = Strays(self._backend, self._clock, self._knows, self._look_at)
            self._seeking = asyncio.create_task(take_turns(strays.look), name="flopod strays")

    async def __aexit__(self, *_: object) -> None:
        await self.drain()

    async def drain(self) -> None:
        """Begin no run and no leaf any more, and let go of all runs; they go on at the next start."""
        self._deliveries.stop()
        self._serving.cancel()
        if self._seeking is not None:
            self._seeking.cancel()
        await self._live.drain(self._grace)
        await self._commits.close()
        self.family.close()
        self._while_open.close()

    def drop(self) -> None:
        """Let go of all runs as a process that is killed does, for tests: nothing is noted."""
        self._deliveries.stop()
        if self._seeking is not None:
            self._seeking.cancel()
        self._live.drop()
        self.family.close()
        self._while_open.close()

    # -- what others ask for ---------------------------------------------------------------------

    def adopt(self, run_id: str) -> None:
        """Take up a run if it is open, and from now on its descendants, whoever had it before."""
        if not self.drives(run_id):
            self._uptake.take(run_id)

    @property
    def load(self) -> Load:
        """How much there is to do."""
        busy = max(self._course.busy, 0)
        return Load(len(self._live), busy, len(self._line.ready), len(self._line.asleep))

    async def start(
        self,
        workflow: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        run_id: str | None = None,
        queue: str = "",
        key: str = "",
        priority: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
        fresh: bool = False,
    ) -> Handle:
        """Start a run, durably: it surely runs, even if the process is killed at once.

        Without a `queue` it stands in that of its workflow, `@workflow(queue=...)`, if that names one.
        The same run id with the same workflow and input is the same run; an id that is `fresh` was just
        made, so that there is none. Raises UnknownWorkflow,
        InvalidRunId, InputChanged, StorageError, and StoppedByHook if a hook does not want it.
        """
        program = self._programs.registry.program(workflow)
        chosen = new_run_id() if run_id is None else check_run_id(run_id)
        opening = program.identify(chosen).started(
            self._clock.now(),
            input_document(args, kwargs or {}),
            queue=queue,
            key=key,
            priority=priority,
            attributes=attributes,
        )
        fresh = fresh or run_id is None
        if not fresh and await self._openings.is_started(opening, program.fn):
            return Handle(self, chosen)
        if self._gate:
            await self._gate.ask(opening)
            if not fresh and await self._openings.is_started(opening, program.fn):
                return Handle(self, chosen)
        try:
            await self._open(opening, fresh=fresh)
        except Fenced:
            await self._openings.is_started(opening, program.fn)
        return Handle(self, chosen)

    async def _open(self, opening: RunStarted, *, fresh: bool = False) -> None:
        """Make a new run durable: with its first step if it can begin at once, else by itself."""
        run_id = opening.run_id
        with self._openings.opened(opening, fresh=fresh) as durable:
            self._line.ready.begin(run_id, Place.of(opening))
            self._admit()
            if run_id not in self._live:
                await self._commits.append(run_id, 0, [opening])
                self._openings.forget(run_id)
                self._line.changed.set()
                await self._gate.opened(opening)
            else:
                await asyncio.shield(durable)

    def _detach(self, what: Detach) -> DetachHandle:
        return self.family.detach(what, self._kin.ancestor)

    def deliver(self, run_id: str, path: str, event: str, payload: Raw) -> int:
        """Deliver an event, durably, and return its number in the inbox of the run."""
        return self._backend.deliver(run_id, path, event, payload)

    async def outcome(self, run_id: str) -> RunOutcome:
        """Wait until a run is over or at rest. Raises UnknownRun."""
        if (left := self._misfits.outcome(run_id)) is not None:
            return left
        if run_id not in self._live:
            self._look_at(run_id)
        return await self._outcomes.of(run_id, is_live=run_id in self._live)

    # -- serving ---------------------------------------------------------------------------------

    async def _turn(self) -> None:
        self._line.changed.clear()
        self._line.wake_due()
        if self._timetable is not None and self._timetable.is_due(self._clock.now()):
            await self._timetable.start_due(self._clock.now())
        self.family.look()
        self._admit()
        self._live.put_away()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._next_look()):
                await self._line.changed.wait()
        self._deliveries.look()

    def look(self) -> None:
        """Look now at what others have changed in the store: schedules, the ends of children."""
        if self._timetable is not None:
            self._timetable.next_look = 0
        self.family.look_soon()
        self._line.changed.set()

    def _next_look(self) -> float | None:
        """In how many seconds to look, None for when woken: in virtual time there are no other processes."""
        now = self._clock.now()
        dues = [self._line.asleep.next_due, None if self._timetable is None else self._timetable.next_look]
        waits = [(due - now) / 1000 for due in dues if due is not None]
        waits += [each - time.monotonic() for each in self._next_moments()]
        if self._clock.real:
            waits.append(_POLL)
        left = min(waits, default=inf)
        return None if left == inf else max(left, _SOONEST)

    def _next_moments(self) -> Iterator[float]:
        """When a rate lets somebody through, or somebody has rested long enough (monotonic)."""
        if self._has_room:
            yield self._line.ready.next_at()
        yield self._live.next_excess()

    def _delivered(self, run_id: str) -> None:
        """Something came for a run: its driver looks at the inbox, or it comes back."""
        if run_id in self._live:
            self._live.wake(run_id)
        elif run_id in self._line.asleep:
            self._line.wake(run_id)
        elif run_id not in self._openings:
            self._look_at(run_id)

    def _look_at(self, run_id: str) -> None:
        if not self.drives(run_id):
            self._uptake.look_at(run_id)

    def _knows(self, run_id: str) -> bool:
        return self.drives(run_id) or run_id in self._openings or run_id in self._refusals

    def _admit(self) -> None:
        """Let as many runs go as there is room for."""
        while self._has_room:
            run_id = self._line.ready.take(time.monotonic())
            if run_id is None:
                return
            self._live.begin(run_id, self._run(run_id))

    @property
    def _has_room(self) -> bool:
        return not self._live.are_draining and self._course.busy < self._concurrency

    # -- one run ---------------------------------------------------------------------------------

    async def _run(self, run_id: str) -> None:
        try:
            outcome = await self._course.run(run_id)
            self._refusals.over(run_id)
        except Exception as error:
            outcome = self._refusals.outcome(run_id, error)
        finally:
            driver = self._live.ended(run_id)
            self._openings.forget(run_id)
        self._let_go(run_id, outcome)
        if outcome.status in FINAL:
            self.family.run_ended(run_id, None if driver is None else driver.core.ended)
        elif outcome.status not in _GOES_ON:
            self.family.let_go(run_id)
        if driver is not None:
            driver.dissolve()
        self._line.changed.set()

    def _again(self, run_id: str) -> None:
        if not self._live.are_draining and not self.drives(run_id):
            self._line.go_on(run_id)

    def _put_away(self, run_id: str, core: Core) -> None:
        """Put a run away, unless something was delivered while it was leaving."""
        if self._live.take_woken(run_id) and self._backend.inbox(run_id, core.history.last_inbox):
            self._line.ready.go_on(run_id)
        else:
            self._line.put_away(run_id, core.next_due())

    def _let_go(self, run_id: str, outcome: RunOutcome) -> None:
        if outcome.status in _GOES_ON:
            return
        self._gate.left(run_id)
        self._line.ready.ended(run_id)
        self._outcomes.tell(run_id, outcome)

    # -- children --------------------------------------------------------------------------------

    def take_up_child(self, run_id: str) -> None:
        """Let a run begin whose first event is in the store, unless it has begun."""
        self._misfits.forget(run_id)
        if run_id not in self._live:
            self._look_at(run_id)

    def bring_back(self, run_id: str) -> None:
        """Let a parent go on that is put away."""
        if run_id in self._line.asleep:
            self._line.wake(run_id)

    def drives(self, run_id: str) -> bool:
        """Whether this process has the run, driven or put away, so that it hears of its end."""
        return run_id in self._live or run_id in self._line

    @property
    def is_serving(self) -> bool:
        """Whether runs begin and go on here: it was opened, is not left yet, and nothing broke it."""
        serving = getattr(self, "_serving", None)
        return serving is not None and not serving.done()

    @property
    def has_runs(self) -> bool:
        """Whether runs are driven, put away or in line here."""
        return bool(self._live or self._line)

    @property
    def has_delayed(self) -> bool:
        """Whether detached work is kept back by the delay of its driver."""
        return self._line.has_delayed

    @property
    def is_at_rest(self) -> bool:
        """Whether all that is open here waits for the world."""
        return not self._line.ready and not self._live.busy

    def leave(self) -> None:
        """Note an orderly end of all runs, for a process that ends at once. For signal handlers."""
        self._live.leave()

    # -- runs that only wait ---------------------------------------------------------------------

    def _rests(self, driver: Driver, rests: bool) -> None:
        if not rests:
            self._live.goes_on(driver)
            return
        self._live.rests(driver)
        if self._on_waiting is not None:
            self._on_waiting(driver.core.run_id, open_waits(driver.core))
        self._live.put_away()
        if self._line.ready:
            self._line.changed.set()
