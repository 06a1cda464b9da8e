"""Makes a run of a store ready to be driven by this process."""

from collections.abc import Sequence

from msgspec.structs import replace

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

_WELL_AGAIN = "its store can be written again"


def take_over(
    backend: Backend, registry: Registry, run_id: str, hold: Hold, clock: Clock, left_here: bool = False
) -> tuple[Core, Program] | RunOutcome:
    """Return the run as its log leaves it and its program, or the outcome of one that is over or paused.

    `left_here` says that this process left it because its store was in trouble: then what was in flight was
    not killed, and nothing is begun again before something can be written. Raises UnknownRun,
    UnknownWorkflow, BuildMismatch, StorageError.
    """
    records = backend.load(run_id)
    started = records[0].event if records else None
    if not isinstance(started, RunStarted):
        raise unknown_run(backend, run_id)
    program = registry.program(started.workflow)
    identity: Identity = program.identify(run_id)
    history = identity.read(records)
    if left_here and history.build == identity.build and not (history.ended or history.paused):
        resumed = replace(identity.resumed(clock.now(), history, crashed=False), reason=_WELL_AGAIN)
        backend.append(run_id, records[-1].seq, [resumed])
        history = identity.read(backend.load(run_id))
    crashed = not left_here and _was_killed(hold, records)
    core = opened(program.fn, identity, history, None, crashed, clock)
    return core if isinstance(core, RunOutcome) else (core, program)


def _was_killed(hold: Hold, records: Sequence[Record]) -> bool:
    return hold.crashed or (isinstance(hold, Claim) and not hold.was_left and is_in_flight(records))


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
