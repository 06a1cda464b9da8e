"""Runs a workflow on a backend: starts or resumes it, if this build fits, and drives it to its end."""

import os
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.engine.call import check_fits, check_same, of_today, result_of_today
from flopod.engine.children import Children
from flopod.engine.clock import Clock, SystemClock
from flopod.engine.compacting import compact_from
from flopod.engine.driver import Driver
from flopod.engine.gate import Gate
from flopod.engine.hooks import Hooks
from flopod.engine.identity import Identity
from flopod.engine.outcome import OnProgress, RunOutcome
from flopod.engine.telling import Calls
from flopod.errors import BadInput, BuildMismatch, DivergenceError
from flopod.events import (
    RunCancelled,
    RunCompleted,
    RunDiverged,
    RunFailed,
    RunStarted,
)
from flopod.log.history import History
from flopod.workflow.core import Core
from flopod.workflow.inputs import input_document, recorded_call
from flopod.workflow.scope import Scope

Workflow = Callable[..., Awaitable[Any]]

_MAX_CRASHES = 5
_ACTED = (
    "a call that is new has run already, so older builds cannot take the run back; make the source ask for "
    "this again, build it with its flopod.lock, and resume"
)


async def run_workflow(
    fn: Workflow,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    identity: Identity,
    backend: Backend,
    hold: Hold | None = None,
    clock: Clock | None = None,
    exit_when_waiting: bool = False,
    resume_paused: bool = False,
    on_progress: OnProgress | None = None,
    write: Callable[[str, str], None] | None = None,
    children: Children | None = None,
    hooks: Hooks | None = None,
) -> RunOutcome:
    """Start or resume a run of `fn(wf, *args, **kwargs)` and drive it to its end.

    `args` and `kwargs` both None means: resume with the recorded input. `hold` is the caller's hold of
    the run, else one is taken; `write` takes what the workflow prints; `children` runs those that it starts.
    Raises InputChanged, BadInput, BuildMismatch, DivergenceError, RunHeld, StorageError, StoppedByHook.
    """
    clock = SystemClock() if clock is None else clock
    with _held(backend, identity.run_id, hold) as held:
        history = identity.read(backend.load(identity.run_id))
        given = input_document(args, kwargs)
        core = opened(fn, identity, history, given, held.crashed, clock, resume_paused=resume_paused)
        if isinstance(core, RunOutcome):
            return core
        calls = await Gate(hooks).enter(core, backend)
        driver = Driver(
            core,
            backend,
            clock=clock,
            exit_when_waiting=exit_when_waiting,
            on_progress=on_progress,
            write=write,
            hide_loop=identity.sync,
            children=children,
            hooks=calls,
        )
        try:
            return await driver.run()
        except DivergenceError as error:
            raise await told_diverged(backend, identity, core, error, clock, calls) from None


def opened(
    fn: Workflow,
    identity: Identity,
    history: History,
    given: Raw | None,
    crashed: bool,
    clock: Clock,
    *,
    resume_paused: bool = False,
) -> Core | RunOutcome:
    """Return a run that is ready to be driven, or the outcome of one that is over or paused.

    `history` is empty for a run that starts now with the input `given`. Raises InputChanged, BadInput,
    BuildMismatch.
    """
    if history.started is None:
        return begun(fn, identity, identity.started(clock.now(), given))
    started = of_today(identity.call_of(history.started), fn)
    _check_input(fn, identity, history, started, given)
    settled = _settled(fn, history, resume_paused, crashed)
    if settled is not None:
        return settled
    core = _resumed(identity, history, crashed, clock)
    core.start(body_of(fn, started.input))
    return core


def begun(fn: Workflow, identity: Identity, opening: RunStarted) -> Core:
    """Return a run that starts now."""
    history = identity.read([])
    core = Core(identity.run_id, history, [opening], max_crashes=max_crashes(), compact=compact_from())
    core.start(body_of(fn, opening.input))
    return core


def _held(backend: Backend, run_id: str, hold: Hold | None) -> AbstractContextManager[Hold]:
    return backend.hold(run_id) if hold is None else nullcontext(hold)


def _check_input(
    fn: Workflow, identity: Identity, history: History, started: RunStarted, given: Raw | None
) -> None:
    run_id = identity.run_id
    is_called = _is_called(identity, history, started)
    if started.workflow == identity.workflow and history.ended is None and not is_called:
        check_fits(run_id, started, fn, history.build, identity.build)
    check_same(run_id, started, identity.workflow, given, fn)


def _is_called(identity: Identity, history: History, started: RunStarted) -> bool:
    """Whether another run of this build began it and nothing has happened: a wrong call then fails it."""
    return started.parent is not None and history.last_seq == 1 and history.build == identity.build


def _settled(fn: Workflow, history: History, resume_paused: bool, crashed: bool) -> RunOutcome | None:
    """Return the outcome of a run that is over or paused, None if it goes on."""
    ended = history.ended
    if isinstance(ended, RunCompleted):
        return RunOutcome("completed", value=result_of_today(ended, fn))
    if isinstance(ended, RunFailed):
        return RunOutcome("failed", error=codec.decode(ended.error), traceback=ended.traceback)
    if isinstance(ended, RunCancelled):
        return RunOutcome("cancelled", reason=ended.reason, error=CancelledError())
    paused = history.paused
    if paused is None or resume_paused:
        return None
    if paused.path and not history.attempts.are_poisoned(paused.path, max_crashes(), crashed):
        return None
    return RunOutcome("paused", reason=paused.reason)


def _resumed(identity: Identity, history: History, crashed: bool, clock: Clock) -> Core:
    identity.check_known(history)
    on_purpose = history.paused is not None
    if on_purpose:
        history.attempts.forgive(history.last_seq)
    opening = identity.resumed(clock.now(), history, crashed=crashed)
    return Core(
        identity.run_id,
        history,
        [opening],
        crashed=crashed and not on_purpose,
        max_crashes=max_crashes(),
        compact=compact_from(),
    )


def body_of(fn: Workflow, document: Raw) -> Callable[[Scope], Coroutine[Any, Any, Any]]:
    """Return the body of a run: the call of a workflow with its recorded input."""
    args, kwargs = recorded_call(document)

    async def body(wf: Scope) -> Any:
        return await fn(wf, *args, **kwargs)

    return body


async def told_diverged(
    backend: Backend,
    identity: Identity,
    core: Core,
    error: DivergenceError,
    clock: Clock,
    calls: Calls | None,
) -> DivergenceError | BuildMismatch:
    """Return the error to raise for a divergence, after its hooks were told what is recorded of it."""
    found = diverged(backend, identity, core, error, clock, calls)
    if calls is not None:
        await calls.committed([])
    return found


def diverged(
    backend: Backend,
    identity: Identity,
    core: Core,
    error: DivergenceError,
    clock: Clock,
    calls: Calls | None = None,
) -> DivergenceError | BuildMismatch:
    """Return the error to raise for a divergence; one of a run that is this build's own is recorded.

    It is its own also when it was another's and a call that is new in its past has run.
    """
    history, acted = core.history, core.last_seq > core.history.last_seq
    if history.build != identity.build and not acted:
        return identity.mismatch(history, str(error))
    if history.ended is not None:
        return error
    if acted and (history.build != identity.build or len(history.generations) > 1):
        error = DivergenceError(error.path, error.recorded, error.current, _ACTED)
    event = RunDiverged(at=clock.now(), path=error.path, reason=str(error))
    if acted or not (isinstance(history.last, RunDiverged) and history.last.reason == event.reason):
        backend.append(core.run_id, core.last_seq, [event])
        if calls is not None:
            calls.later([event])
    return error


def max_crashes() -> int:
    """Return how many crashes in a row park a run: FLOPOD_MAX_CRASHES, else 5. Raises BadInput."""
    text = os.environ.get("FLOPOD_MAX_CRASHES", "").strip()
    if text and (not text.isdecimal() or int(text) < 1):
        raise BadInput(f"FLOPOD_MAX_CRASHES is {text!r}; use a number from 1 on", field="FLOPOD_MAX_CRASHES")
    return int(text) if text else _MAX_CRASHES
