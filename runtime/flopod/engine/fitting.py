"""Whether a build can go on with a run: its log is replayed, and nothing is called or written."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.call import check_fits
from flopod.engine.identity import Identity
from flopod.engine.programs import Programs
from flopod.engine.run import body_of
from flopod.errors import BuildMismatch, DivergenceError, UnknownDetach, UnknownWorkflow
from flopod.events import Record, RunStarted
from flopod.workflow.core import Core

_STEPS = 10_000


@dataclass(frozen=True)
class Fit:
    """Where a run stands with a build: the paths it waits at; `reason` says why it cannot go on.

    With `acts` what it waits for is new in its past, so that what comes after has not been seen yet.
    """

    at: list[str] = field(default_factory=list)
    reason: str = ""
    acts: bool = False

    @property
    def fits(self) -> bool:
        return not self.reason


def fit_of(store: Backend, programs: Programs, run_id: str) -> Fit:
    """Replay the log of a run in a store with the build of `programs`, as far as that goes without calls."""
    records = store.load(run_id)
    started = records[0].event
    assert isinstance(started, RunStarted)
    try:
        program = programs.of(started)
    except UnknownWorkflow:
        return Fit(reason=f"there is no workflow {started.workflow!r} any more")
    except BuildMismatch as error:
        return Fit(reason=error.why)
    except UnknownDetach as error:
        return Fit(reason=f"there is no {error.missing!r} any more")
    return fit(program.fn, records, program.identify(run_id), programs)


def fit(
    fn: Callable[..., Awaitable[Any]],
    records: Sequence[Record],
    identity: Identity,
    programs: Programs | None = None,
) -> Fit:
    """Replay the log of a run that is not over with another build, as far as that goes without calls.

    `programs` are those of the build, for what the run starts and detaches.
    """
    history = identity.read(records)
    if history.started is None:
        return Fit()
    now = records[-1].event.at
    started = identity.call_of(history.started)
    try:
        identity.check_known(history)
        check_fits(identity.run_id, started, fn, history.build, identity.build)
    except BuildMismatch as error:
        return Fit(reason=error.why)
    core = Core(identity.run_id, history, [identity.resumed(now, history, crashed=False)])
    if programs is not None:
        programs.adopt(core.offspring)
    core.start(body_of(fn, started.input))
    try:
        return _seen(core, now)
    except DivergenceError as error:
        return Fit(at=[error.path], reason=str(error))
    finally:
        core.abandon()


def _seen(core: Core, now: int) -> Fit:
    for _ in range(_STEPS):
        core.step(now)
        if core.diverged is not None:
            raise core.diverged
        if core.acts:
            break
    return Fit(sorted(core.open), acts=core.history.replaying)
