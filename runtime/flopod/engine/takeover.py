"""Makes a run of a store ready to be driven by this process."""

from collections.abc import Sequence

from flopod.backends.base import Backend
from flopod.backends.lock import Claim, Hold
from flopod.engine.clock import Clock
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.registry import Program, Registry
from flopod.engine.run import opened
from flopod.engine.waits import unknown_run
from flopod.events import Abandoned, ActivityCompleted, ActivityFailed, ActivityStarted, Record, RunStarted
from flopod.workflow.core import Core


def take_over(
    backend: Backend, registry: Registry, run_id: str, hold: Hold, clock: Clock
) -> tuple[Core, Program] | RunOutcome:
    """Return the run as its log leaves it and its program, or the outcome of one that is over or paused.

    Raises UnknownRun, UnknownWorkflow, BuildMismatch, StorageError.
    """
    records = backend.load(run_id)
    started = records[0].event if records else None
    if not isinstance(started, RunStarted):
        raise unknown_run(backend, run_id)
    program = registry.program(started.workflow)
    identity: Identity = program.identify(run_id)
    history = identity.read(records)
    crashed = hold.crashed or (isinstance(hold, Claim) and not hold.was_left and is_in_flight(records))
    core = opened(program.fn, identity, history, None, crashed, clock)
    return core if isinstance(core, RunOutcome) else (core, program)


def is_in_flight(records: Sequence[Record]) -> bool:
    """Whether a leaf had been started and nothing was written of its end."""
    started: set[str] = set()
    for _, event in records:
        if isinstance(event, ActivityStarted):
            started.add(event.path)
        elif isinstance(event, ActivityCompleted | ActivityFailed):
            started.discard(event.path)
        elif isinstance(event, Abandoned):
            started.difference_update(event.paths)
    return bool(started)
