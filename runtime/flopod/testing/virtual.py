"""An engine in a test: many runs by one virtual clock, with its queues, its schedules and its hooks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flopod.backends.base import Backend
from flopod.durations import Duration, seconds
from flopod.engine.schedule import Overlap, Schedule
from flopod.engine.scheduling import Schedules
from flopod.events import Attribute, RunSummary, Status
from flopod.testing.calls import Call
from flopod.testing.enginerun import EngineRun
from flopod.testing.errors import TestFailure, near
from flopod.testing.process import FOREVER
from flopod.testing.serving import MakeEngine, Serving
from flopod.testing.subject import Subject, check_arguments, check_leaf
from flopod.testing.tape import Tape
from flopod.workflow.inputs import call_document


class VirtualEngine:
    """The engine of production on a virtual clock. It goes on only while a method is called that lets it."""

    def __init__(
        self, make: MakeEngine, subjects: Mapping[str, Subject], backend: Backend, tape: Tape, start: float
    ) -> None:
        self.backend = backend
        self.tape = tape
        self._make = make
        self._subjects = subjects
        self._start = start
        self._runs: dict[str, EngineRun] = {}
        self._is_up = True
        self.process = self._served(0.0)

    def _served(self, now: float) -> Serving:
        return Serving(self._make, self._subjects, self.backend, self.tape, start=self._start, now=now)

    # -- what is started -------------------------------------------------------------------------

    def start(
        self,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        run_id: str | None = None,
        queue: str = "",
        key: str = "",
        priority: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
        **kwargs: Any,
    ) -> EngineRun:
        """Start a run, as `Engine.start` does; it begins at once if the limits let it, or stands in line.

        What can happen at this moment happens; no time passes. Without an id it has the next of `run-001`,
        `run-002`, ... Raises StoppedByHook.
        """
        self.check_up("starts")
        subject = self._subject(workflow)
        check_arguments(subject, args, kwargs)
        started = self.process.do(
            self.process.engine.start(
                subject.name,
                args,
                kwargs,
                run_id=self._next_id() if run_id is None else run_id,
                queue=queue,
                key=key,
                priority=priority,
                attributes=attributes,
            )
        )
        return self.run(started.result().run_id)

    def schedule(
        self,
        name: str,
        workflow: str | Callable[..., Any],
        /,
        *args: Any,
        cron: str = "",
        every: str = "",
        at: str = "",
        zone: str = "UTC",
        overlap: Overlap = "skip",
        catch_up: str = "1m",
        queue: str = "",
        priority: int = 0,
        attributes: Mapping[str, Attribute] | None = None,
        **kwargs: Any,
    ) -> Schedule:
        """Keep a schedule, in the place of one of its name. It begins now; `advance` shows what it starts."""
        subject = self._subject(workflow)
        check_arguments(subject, args, kwargs)
        made = Schedule(
            name=name,
            workflow=subject.name,
            input=call_document(args, kwargs),
            cron=cron,
            every=every,
            at=at,
            zone=zone,
            overlap=overlap,
            catch_up=catch_up,
            queue=queue,
            priority=priority,
            attributes=dict(attributes or {}),
        )
        self.schedules.put(made)
        return made

    @property
    def schedules(self) -> Schedules:
        """The schedules, to pause, resume or remove one."""
        return self.process.engine.schedules

    # -- what happens ----------------------------------------------------------------------------

    def advance(self, duration: Duration) -> "VirtualEngine":
        """Let time pass: all that is due meanwhile happens, in its order; nothing if it is down."""
        horizon = self.process.loop.now + seconds(duration)
        if self._is_up:
            self.drive(horizon=horizon)
        else:
            self.process.loop.now = horizon
        return self

    def settle(self) -> "VirtualEngine":
        """Go on until every run is over or waits for ever. Raises TestFailure if a schedule has no end."""
        for one in self.schedules.all():
            if not (one.paused or one.at or one.until):
                raise TestFailure(
                    f"the schedule {one.name!r} is due again and again; engine.advance(...) lets as much "
                    "time pass as the test needs"
                )
        self.drive()
        return self

    def stop(self) -> "VirtualEngine":
        """Stop its process in good order, as SIGTERM does: leaves under way may end. Time can still pass."""
        self.check_up("stops")
        self._is_up = False
        self.process.stop()
        return self

    def crash(self) -> "VirtualEngine":
        """Kill its process, here and now: only what is recorded is left. Time can still pass."""
        self.check_up("is killed")
        self._is_up = False
        self.process.kill()
        return self

    def restart(self) -> "VirtualEngine":
        """Let another process go on with all runs, after `stop` or `crash`."""
        if self._is_up:
            raise TestFailure("the engine runs; call stop() or crash() before restart()")
        self._is_up = True
        self.process = self._served(self.process.loop.now)
        self.drive(horizon=self.process.loop.now)
        return self

    # -- what there is to see --------------------------------------------------------------------

    def run(self, run_id: str) -> EngineRun:
        """Return a run by its id. Raises TestFailure if there is none."""
        if run_id not in self._runs:
            summary = self.backend.summary(run_id)
            if summary is None:
                raise TestFailure(f"there is no run {run_id!r}{near(run_id, self._ids())}")
            self._runs[run_id] = EngineRun(self, self._subjects[summary.workflow], run_id, self._start)
        return self._runs[run_id]

    def runs(
        self,
        workflow: str | Callable[..., Any] | None = None,
        *,
        schedule: str | None = None,
        queue: str | None = None,
        status: Status | None = None,
    ) -> list[EngineRun]:
        """Return all runs, or those that fit, in the order in which they began; then those in line."""
        name = None if workflow is None else self._subject(workflow).name
        order = {run_id: place for place, run_id in enumerate(self.tape.begun)}
        found = [
            one
            for one in self.backend.summaries(status, name)
            if queue in (None, one.queue) and schedule in (None, one.attributes.get("schedule"))
        ]

        def place(one: RunSummary) -> tuple[float, int, str]:
            return order.get(one.run_id, FOREVER), one.started_at, one.run_id

        return [self.run(one.run_id) for one in sorted(found, key=place)]

    def calls(self, leaf: str | None = None) -> list[Call]:
        """Return the calls of a leaf, or all, of all runs, in the order in which they began."""
        if leaf is not None and not any(one.goes_by(leaf) for one in self.tape.calls):
            check_leaf(next(iter(self._subjects.values())), leaf)
        return [one for one in self.tape.calls if leaf is None or one.goes_by(leaf)]

    @property
    def now(self) -> datetime:
        """What time it is, in UTC."""
        return self.process.now

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed since the test began."""
        return self.process.elapsed

    def __repr__(self) -> str:
        return f"<engine with {len(self._ids())} runs at {self.now:%Y-%m-%d %H:%M:%S} UTC>"

    # -- inside ----------------------------------------------------------------------------------

    def check_up(self, what: str) -> None:
        """Check that there is a process. Raises TestFailure."""
        if not self._is_up:
            raise TestFailure(f"the engine was stopped or killed, so nothing {what}; call restart()")

    def drive(self, reached: Callable[[], bool] = lambda: False, horizon: float = FOREVER) -> None:
        """Let it go on, see `Process.drive`."""
        self.check_up("goes on")
        self.process.engine.look()
        self.process.drive(reached, horizon)

    def _subject(self, workflow: str | Callable[..., Any]) -> Subject:
        for subject in self._subjects.values():
            if subject.is_meant(workflow):
                return subject
        shown = workflow if isinstance(workflow, str) else getattr(workflow, "__qualname__", repr(workflow))
        raise TestFailure(f"the engine has no workflow {shown!r}{near(str(shown), self._subjects)}")

    def _next_id(self) -> str:
        """The first free number: an id at random would make an order that changes from test to test."""
        return next(name for name in map("run-{:03}".format, count(1)) if self.backend.first(name) is None)

    def _ids(self) -> list[str]:
        return [one.run_id for one in self.backend.summaries()]

    def close(self) -> None:
        """Throw away what still runs."""
        self.process.close()
