"""The runs of an engine that it does not drive now: those in line to begin or to go on, those put away."""

import asyncio

from flopod.engine.asleep import Asleep
from flopod.engine.clock import Clock
from flopod.engine.programs import Programs
from flopod.engine.ready import Place, Ready
from flopod.events import RunSummary


class Line:
    """`ready` says who is next, `asleep` who was put away until when; `changed` is set when either does."""

    def __init__(self, ready: Ready, programs: Programs, clock: Clock) -> None:
        self.ready = ready
        self.asleep = Asleep()
        self.changed = asyncio.Event()
        self._programs = programs
        self._clock = clock
        self._delayed: set[str] = set()

    def __contains__(self, run_id: object) -> bool:
        return run_id in self.asleep or self.ready.has_in_line(str(run_id))

    def __len__(self) -> int:
        return len(self.asleep) + len(self.ready)

    @property
    def has_delayed(self) -> bool:
        """Whether detached work is kept back by the delay of its driver."""
        return bool(self._delayed)

    def begin(self, summary: RunSummary) -> None:
        """Put a run in line that has not begun, once the delay of its driver is over."""
        due = self._programs.due(summary)
        if due > self._clock.now():
            self.ready.hold(summary.run_id, Place.of(summary))
            self._delayed.add(summary.run_id)
            self.put_away(summary.run_id, due)
        else:
            self.ready.begin(summary.run_id, Place.of(summary))

    def go_on(self, run_id: str) -> None:
        """Put a run in line that has begun."""
        self.ready.go_on(run_id)
        self.changed.set()

    def put_away(self, run_id: str, due: int | None) -> None:
        """Keep a run until a time (ms since the epoch), None: until something comes for it."""
        self.asleep.put(run_id, due)
        self.changed.set()

    def wake(self, run_id: str) -> None:
        """Put a run in line that was put away."""
        self.asleep.wake(run_id)
        self._delayed.discard(run_id)
        self.go_on(run_id)

    def wake_due(self) -> None:
        """Put those in line whose time has come."""
        for run_id in self.asleep.due(self._clock.now()):
            self.wake(run_id)
