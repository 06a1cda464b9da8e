"""Keeps schedules in a store, and starts the runs that they ask for."""

import contextlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from flopod.backends.base import Backend, Filter
from flopod.durations import now_ms
from flopod.engine import control
from flopod.engine.limits import Limit, Queue
from flopod.engine.registry import Registry
from flopod.engine.schedule import Schedule
from flopod.errors import FlopodError, RunHeld, StorageError, UsageError
from flopod.events import RunStarted, RunSummary, Status

_KIND = "schedules"
_ATTRIBUTE = "schedule"
QUEUE = "flopod.schedules"
ONE_BY_ONE = Queue(per_key=Limit(concurrency=1))
"""The queue of schedules whose runs wait for each other, one key a schedule."""

_OPEN: tuple[Status, ...] = ("pending", "running", "waiting", "paused")

_LOOK_MS = 2_000
_LOGGER = logging.getLogger("flopod")

_decode = msgspec.json.Decoder(Schedule).decode


class UnknownSchedule(FlopodError):
    """No schedule of this name."""

    exit_code = 4

    def __init__(self, name: str, known: list[str]) -> None:
        there_is = f"there is: {', '.join(known)}" if known else "there are none"
        super().__init__(f"no schedule is called {name!r}; {there_is}")


class ScheduleExists(UsageError):
    """A schedule of this name is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a schedule is called {name!r} already; use another name, or replace it")


class Schedules:
    """The schedules of a store; `now` is a clock (ms since the epoch)."""

    def __init__(self, backend: Backend, now: Callable[[], int] = now_ms) -> None:
        self._backend = backend
        self._now = now

    def all(self) -> list[Schedule]:
        """Return all schedules in the order of their names."""
        return [_decode(document) for document in self._backend.all_kept(_KIND).values()]

    def get(self, name: str) -> Schedule:
        """Return a schedule. Raises UnknownSchedule."""
        document = self._backend.kept(_KIND, name)
        if document is None:
            raise UnknownSchedule(name, list(self._backend.all_kept(_KIND)))
        return _decode(document)

    def add(self, schedule: Schedule) -> None:
        """Keep a new schedule. Raises ScheduleExists, BadInput, BadDuration, InvalidRunId."""
        if self._backend.kept(_KIND, schedule.name) is not None:
            raise ScheduleExists(schedule.name)
        self.put(schedule)

    def put(self, schedule: Schedule) -> None:
        """Keep a schedule, in the place of one of its name; without a beginning it begins now.

        Raises BadInput, BadDuration, InvalidRunId.
        """
        schedule.check()
        schedule.since = schedule.since or self._now()
        self._backend.keep(_KIND, schedule.name, msgspec.json.encode(schedule))

    def remove(self, name: str) -> None:
        """Forget a schedule; its runs stay. Raises UnknownSchedule."""
        self.get(name)
        self._backend.drop(_KIND, name)

    def pause(self, name: str, paused: bool = True) -> None:
        """Start nothing until it is resumed; what was due meanwhile is made up for as `catch_up` says."""
        schedule = self.get(name)
        schedule.paused = paused
        self.put(schedule)

    def open_runs(self, name: str) -> list[RunSummary]:
        """Return its runs that are not over, the youngest first."""
        return self._backend.find(Filter(status=_OPEN, attributes={_ATTRIBUTE: name}))

    def due(self, now: int) -> tuple[list[tuple[Schedule, int]], int | None]:
        """Return what is to be started by now, the earliest first, and when there is more.

        What is returned is not dealt with yet: `dealt` says so.
        """
        found: list[tuple[Schedule, int]] = []
        following: list[int] = []
        for schedule in self.all():
            if schedule.paused:
                continue
            times, later = schedule.due(now)
            found += [(schedule, at) for at in times]
            following += [later] if later is not None else []
        return sorted(found, key=lambda each: each[1]), min(following, default=None)

    def dealt(self, schedule: Schedule, at: int) -> None:
        """Note that a time was dealt with, unless the schedule is gone or has another form by now."""
        document = self._backend.kept(_KIND, schedule.name)
        if document is not None:
            current = _decode(document)
            current.last = max(at, current.last or 0)
            self._backend.keep(_KIND, schedule.name, msgspec.json.encode(current))

    def is_started(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        return self._backend.first(run_id) is not None

    def lets_start(self, schedule: Schedule) -> bool:
        """Make room for a run as `overlap` says; returns whether it may start."""
        if schedule.overlap in ("allow", "queue"):
            return True
        before = self.open_runs(schedule.name)
        if schedule.overlap == "cancel":
            for run in before:
                control.cancel(self._backend, run.run_id, f"the next run of the schedule {schedule.name!r}")
            return True
        return not before


class Timetable:
    """Starts what is due. `begin` begins a run durably, and raises Fenced or RunHeld if it has begun.

    `next_look` is when to look again (ms since the epoch), None for not before somebody says so; `alone`
    means that no other process changes schedules meanwhile.
    """

    next_look: int | None

    def __init__(
        self,
        schedules: Schedules,
        registry: Registry,
        begin: Callable[[RunStarted], Awaitable[None]],
        *,
        alone: bool = False,
    ) -> None:
        self._schedules = schedules
        self._registry = registry
        self._begin = begin
        self._alone = alone
        self.next_look = 0

    async def start_due(self, now: int) -> None:
        """Start what is due by now.

        Another process may do the same: there is one run id for each time of a schedule. Raises StorageError;
        what is not dealt with then is found again by the next look.
        """
        self.next_look = now + _LOOK_MS
        try:
            later = await self._start_all(now)
        except StorageError:
            self.next_look = now
            raise
        looks = [later, None if self._alone else self.next_look]
        self.next_look = min((each for each in looks if each is not None), default=None)

    async def _start_all(self, now: int) -> int | None:
        """Start what is due; returns when there is more."""
        found, later = self._schedules.due(now)
        for schedule, at in found:
            try:
                await self._start(schedule, at, now)
            except StorageError:
                raise  # it is not dealt with
            except FlopodError as error:
                _LOGGER.error("schedule %s: %s", schedule.name, error)
            self._schedules.dealt(schedule, at)
        return later

    def is_due(self, now: int) -> bool:
        """Whether it is time for `start_due`, as it is when the clock was set back."""
        if self.next_look is None:
            return False
        return self.next_look <= now or not (self._alone or self.next_look <= now + _LOOK_MS)

    async def _start(self, schedule: Schedule, at: int, now: int) -> None:
        run_id = schedule.run_id(at)
        if self._schedules.is_started(run_id) or not self._schedules.lets_start(schedule):
            return
        program = self._registry.program(schedule.workflow)
        with contextlib.suppress(RunHeld):
            await self._begin(placed(schedule, program.identify(run_id).started(now, schedule.input)))


def placed(schedule: Schedule, opening: RunStarted) -> RunStarted:
    """Return the beginning of a run as the schedule wants it: found by its name, and in its queue."""
    waits = schedule.overlap == "queue"
    return msgspec.structs.replace(
        opening,
        attributes={**schedule.attributes, _ATTRIBUTE: schedule.name},
        queue=QUEUE if waits else schedule.queue or opening.queue,
        key=schedule.name if waits else "",
        priority=schedule.priority,
    )
