"""Makes a run of a store ready to be driven by this process."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from flopod.backends.base import Backend
from flopod.backends.lock import Claim, Hold
from flopod.engine.clock import Clock
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.programs import Programs
from flopod.engine.registry import Program
from flopod.engine.run import max_crashes, opened
from flopod.engine.waits import unknown_run
from flopod.events import Abandoned, ActivityCompleted, ActivityFailed, ActivityStarted, Record, RunStarted
from flopod.log.attempts import Attempts
from flopod.workflow.core import Core

_WELL_AGAIN = "its store can be written again"


class Taken(NamedTuple):
    """A run as its log leaves it, and its program; `last_tries` are leaves that park it at the next crash."""

    core: Core
    program: Program
    last_tries: frozenset[str] = frozenset()


def take_over(
    backend: Backend, programs: Programs, run_id: str, hold: Hold, clock: Clock, left_here: bool = False
) -> Taken | RunOutcome:
    """Return the run, or the outcome of one that is over or paused.

    `left_here` says that this process left it because its store was in trouble: then what was in flight was
    not killed, and nothing is begun again before something can be written. Raises UnknownRun,
    UnknownWorkflow, UnknownDetach, BuildMismatch, StorageError.
    """
    records = backend.load(run_id)
    started = records[0].event if records else None
    if not isinstance(started, RunStarted):
        raise unknown_run(backend, run_id)
    program = programs.of(started)
    identity: Identity = program.identify(run_id)
    history = identity.read(records)
    if left_here and history.build == identity.build and not (history.ended or history.paused):
        resumed = replace(identity.resumed(clock.now(), history, crashed=False), reason=_WELL_AGAIN)
        backend.append(run_id, records[-1].seq, [resumed])
        history = identity.read(backend.load(run_id))
    in_flight = leaves_in_flight(records, clock.now())
    crashed = not left_here and _was_killed(hold, bool(in_flight))
    core = opened(program.fn, identity, history, None, crashed, clock)
    if isinstance(core, RunOutcome):
        return core
    return Taken(core, program, _on_last_try(in_flight, history.attempts, crashed))


def _was_killed(hold: Hold, had_leaves: bool) -> bool:
    return hold.crashed or (isinstance(hold, Claim) and not hold.was_left and had_leaves)


def _on_last_try(paths: set[str], attempts: Attempts, crashed: bool) -> frozenset[str]:
    most = max(max_crashes() - 1, 1)
    return frozenset(path for path in paths if attempts.crashes(path, crashed) == most)


def leaves_in_flight(records: Sequence[Record], now: int) -> set[str]:
    """The leaves that were started, or to be tried again by now, and nothing is written of their end."""
    found: set[str] = set()
    for _, event in records:
        if isinstance(event, ActivityStarted):
            found.add(event.path)
        elif isinstance(event, ActivityCompleted):
            found.discard(event.path)
        elif isinstance(event, ActivityFailed):
            is_tried_again = event.next_try is not None and event.next_try <= now
            (found.add if is_tried_again else found.discard)(event.path)
        elif isinstance(event, Abandoned):
            found.difference_update(event.paths)
    return found
