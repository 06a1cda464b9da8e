"""Makes runs ready to be driven by an engine: past its hooks, new ones from what they begin with."""

from typing import NamedTuple

from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.engine.clock import Clock
from flopod.engine.gate import Gate
from flopod.engine.openings import Openings
from flopod.engine.outcome import RunOutcome
from flopod.engine.programs import Programs
from flopod.engine.registry import Program
from flopod.engine.run import begun, told_diverged
from flopod.engine.takeover import Taken, take_over
from flopod.engine.telling import Calls
from flopod.errors import DivergenceError, FlopodError
from flopod.workflow.core import Core


class Entered(NamedTuple):
    """A run that is ready, and what calls its hooks, if there are any."""

    core: Core
    program: Program
    last_tries: frozenset[str]
    hooks: Calls | None


class Entrance:
    """The way of a run into an engine, and out of it again where it does not fit its log."""

    def __init__(
        self, backend: Backend, programs: Programs, clock: Clock, openings: Openings, gate: Gate
    ) -> None:
        self._backend = backend
        self._programs = programs
        self._clock = clock
        self._openings = openings
        self._gate = gate

    async def enter(self, run_id: str, hold: Hold, *, left_here: bool) -> Entered | RunOutcome:
        """Make a run ready; the outcome of one that is over or paused.

        `left_here` says that this process left it because its store was in trouble.
        Raises StoppedByHook, UnknownRun, UnknownWorkflow, BuildMismatch, StorageError.
        """
        prepared = self._begun(run_id) or take_over(
            self._backend, self._programs, run_id, hold, self._clock, left_here
        )
        if isinstance(prepared, RunOutcome):
            return prepared
        return Entered(*prepared, await self._gate.enter(prepared.core, self._backend))

    def _begun(self, run_id: str) -> Taken | None:
        opening = self._openings.get(run_id)
        if opening is None:
            return None
        program = self._programs.of(opening)
        return Taken(begun(program.fn, program.identify(run_id), opening), program)

    async def diverged(self, entered: Entered, error: DivergenceError) -> FlopodError:
        """Note that log and code of a run disagree, and return the error to raise."""
        core, program, _, hooks = entered
        identity = program.identify(core.run_id)
        return await told_diverged(self._backend, identity, core, error, self._clock, hooks)
