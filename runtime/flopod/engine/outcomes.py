"""How the runs of an engine ended, for those who wait for it."""

import asyncio

from flopod.backends.base import Backend
from flopod.engine.clock import Clock
from flopod.engine.outcome import RunOutcome
from flopod.engine.programs import Programs
from flopod.engine.run import opened
from flopod.engine.waits import unknown_run
from flopod.events import AT_REST, FINAL, RunStarted, RunSummary


class Outcomes:
    """Told when a run is over or at rest; what was over before is read off the store."""

    def __init__(self, backend: Backend, programs: Programs, clock: Clock) -> None:
        self._backend = backend
        self._programs = programs
        self._clock = clock
        self._wanted: dict[str, list[asyncio.Future[RunOutcome]]] = {}

    async def of(self, run_id: str, *, is_live: bool) -> RunOutcome:
        """Wait until a run is over or at rest, which one that `is_live` is not. Raises UnknownRun."""
        if not is_live:
            summary = self._backend.summary(run_id)
            if summary is None:
                raise unknown_run(self._backend, run_id)
            if summary.status in AT_REST:
                return self._settled(run_id, summary)
        wanted: asyncio.Future[RunOutcome] = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(run_id, []).append(wanted)
        try:
            return await wanted
        except asyncio.CancelledError:
            self._give_up(run_id, wanted)
            raise

    def tell(self, run_id: str, outcome: RunOutcome) -> None:
        """Give the outcome of a run to those who wait for it."""
        for wanted in self._wanted.pop(run_id, ()):
            if not wanted.done():
                wanted.set_result(outcome)

    def _give_up(self, run_id: str, wanted: "asyncio.Future[RunOutcome]") -> None:
        """Forget one who waits no longer."""
        waiting = self._wanted.get(run_id, [])
        if wanted in waiting:
            waiting.remove(wanted)
            if not waiting:
                del self._wanted[run_id]

    def _settled(self, run_id: str, summary: RunSummary) -> RunOutcome:
        if summary.status in FINAL:
            records = self._backend.load(run_id)
            started = records[0].event
            assert isinstance(started, RunStarted)
            program = self._programs.of(started)
            identity = program.identify(run_id)
            history = identity.read(records)
            found = opened(program.fn, identity, history, None, False, self._clock)
            if isinstance(found, RunOutcome):
                return found
        return RunOutcome(summary.status, reason=summary.error)
