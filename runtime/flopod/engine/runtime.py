"""Runs a workflow on a backend: start, resume, build fit, and `create_runtime` for hand-written programs."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.engine.call import check_fits, check_same, input_document, recorded_call
from flopod.engine.clock import Clock, SystemClock
from flopod.engine.driver import Driver
from flopod.engine.outcome import OnProgress, RunOutcome
from flopod.errors import BadInput, BuildMismatch, DivergenceError
from flopod.events import (
    Event,
    RunCompleted,
    RunDiverged,
    RunFailed,
    RunResumed,
    RunStarted,
    WaitPoint,
)
from flopod.log import Lineage
from flopod.log.history import RESUMED_ON_PURPOSE, History, poisoned
from flopod.runid import DEFAULT_RUN_ID, check_run_id
from flopod.workflow.core import Core
from flopod.workflow.operations import Operation
from flopod.workflow.scope import Scope

_MAX_CRASHES = 5


async def run_workflow(
    fn: Callable[..., Awaitable[Any]],
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    run_id: str,
    backend: Backend,
    workflow: str = "main",
    build: str = "",
    build_name: str = "",
    waits: Sequence[WaitPoint] = (),
    hash_seed: int = 0,
    sync: bool = False,
    hold: Hold | None = None,
    clock: Clock | None = None,
    exit_when_waiting: bool = False,
    resume_paused: bool = False,
    on_progress: OnProgress | None = None,
    write: Callable[[str, str], None] | None = None,
    lineage: Lineage | None = None,
) -> RunOutcome:
    """Start or resume the run `run_id` of `fn(wf, *args, **kwargs)` and drive it to its end.

    `args` and `kwargs` both None means: resume with the recorded input. `hold` is the caller's hold of
    the run, else one is taken; `sync` says that the author's workflow is a plain function; `write` takes
    what it prints; `lineage` is what this build knows of those before. Raises InputChanged, BadInput,
    BuildMismatch, DivergenceError, RunHeld, StorageError.
    """
    clock = SystemClock() if clock is None else clock
    with _held(backend, run_id, hold) as held:
        history = History(backend.load(run_id), lineage, build)
        given = input_document(args, kwargs)
        if history.started is None:
            started = RunStarted(
                at=clock.now(),
                workflow=workflow,
                input=Raw(b"[]") if given is None else given,
                build=build,
                build_name=build_name,
                generation=lineage.generation if lineage is not None else "",
                waits=list(waits),
                hash_seed=hash_seed,
                run_id=run_id,
                sync=sync,
            )
            core = Core(run_id, history, [started], max_crashes=max_crashes())
        else:
            started = history.started
            if started.workflow == workflow and history.ended is None:
                check_fits(run_id, started, fn, history.build, build)
            check_same(run_id, started, workflow, given, fn)
            settled = _settled(history, resume_paused, held.crashed)
            if settled is not None:
                return settled
            check_known(run_id, history, lineage, build)
            core = _resumed(run_id, history, held.crashed, build, clock, waits)
        core.start(body_of(fn, started.input))
        driver = Driver(
            core,
            backend,
            clock=clock,
            exit_when_waiting=exit_when_waiting,
            on_progress=on_progress,
            write=write,
            hide_loop=sync,
        )
        try:
            return await driver.run()
        except DivergenceError as error:
            raise diverged(backend, history, error, run_id, build, clock) from None


def _resumed(
    run_id: str, history: History, crashed: bool, build: str, clock: Clock, waits: Sequence[WaitPoint]
) -> Core:
    on_purpose = history.paused is not None
    if on_purpose:
        history.forgive_crashes()
    opening = resumption(history, crashed, build, clock.now(), waits)
    return Core(run_id, history, [opening], crashed=crashed and not on_purpose, max_crashes=max_crashes())


def resumption(
    history: History, crashed: bool, build: str, now: int, waits: Sequence[WaitPoint] = ()
) -> RunResumed:
    """Return the event with which a build goes on with a run."""
    reason = RESUMED_ON_PURPOSE if history.paused is not None else ""
    generation = history.lineage.generation if history.lineage is not None else ""
    moved = list(waits) if generation != history.generation else []
    return RunResumed(at=now, build=build, generation=generation, crashed=crashed, reason=reason, waits=moved)


def check_known(run_id: str, history: History, lineage: Lineage | None, build: str) -> None:
    """Check that this build can judge what others recorded. Raises BuildMismatch."""
    for generation in sorted(history.generations):
        if lineage is None and generation:
            why = "it was made with a flopod.lock, this build without"
        elif lineage is not None and not lineage.knows(generation):
            why = "the flopod.lock of this build does not know that one"
        else:
            continue
        raise BuildMismatch(run_id, history.build or "(none)", build or "(none)", why)


def diverged(
    backend: Backend, history: History, error: DivergenceError, run_id: str, build: str, clock: Clock
) -> DivergenceError | BuildMismatch:
    """Return the error to raise for a divergence; one under the run's own build is recorded."""
    if history.build != build:
        return BuildMismatch(run_id, history.build or "(none)", build or "(none)", str(error))
    if history.ended is not None:
        return error
    event = RunDiverged(at=clock.now(), path=error.path, reason=str(error))
    if not (isinstance(history.last, RunDiverged) and history.last.reason == event.reason):
        backend.append(run_id, history.last_seq, [event])
    return error


def max_crashes() -> int:
    """Return how many crashes in a row park a run: FLOPOD_MAX_CRASHES, else 5. Raises BadInput."""
    text = os.environ.get("FLOPOD_MAX_CRASHES", "").strip()
    if text and (not text.isdecimal() or int(text) < 1):
        raise BadInput(f"FLOPOD_MAX_CRASHES is {text!r}; use a number from 1 on", field="FLOPOD_MAX_CRASHES")
    return int(text) if text else _MAX_CRASHES


def _held(backend: Backend, run_id: str, hold: Hold | None) -> AbstractContextManager[Hold]:
    return backend.hold(run_id) if hold is None else nullcontext(hold)


def body_of(fn: Callable[..., Awaitable[Any]], document: Raw) -> Callable[[Scope], Coroutine[Any, Any, Any]]:
    """Return the body of a run: the call of a workflow with its recorded input."""
    args, kwargs = recorded_call(document)

    async def body(wf: Scope) -> Any:
        return await fn(wf, *args, **kwargs)

    return body


def _settled(history: History, resume_paused: bool, crashed: bool) -> RunOutcome | None:
    """Return the outcome of a run that is over or paused, None if it goes on."""
    ended = history.ended
    if isinstance(ended, RunCompleted):
        return RunOutcome("completed", value=codec.decode(ended.result))
    if isinstance(ended, RunFailed):
        return RunOutcome("failed", error=codec.decode(ended.error), traceback=ended.traceback)
    paused = history.paused
    if paused is None or resume_paused:
        return None
    if paused.path and not poisoned(history, paused.path, max_crashes(), crashed):
        return None
    return RunOutcome("paused", reason=paused.reason)


class Runtime(AbstractAsyncContextManager[Scope]):
    """A run whose body is the block of an `async with`, stepped by asyncio."""

    def __init__(
        self, run_id: str, backend: Backend, workflow: str, input: Any, build: str, clock: Clock
    ) -> None:
        self._run_id = run_id
        self._backend = backend
        self._workflow = workflow
        self._input = Raw(codec.encode(input))
        self._build = build
        self._clock = clock
        self._core: Core
        self._driver: Driver
        self._hold: Hold
        self._body: asyncio.Task[Any] | None = None
        self._driving: asyncio.Task[RunOutcome]
        self._leaving = False

    async def __aenter__(self) -> Scope:
        self._hold = self._backend.hold(self._run_id)
        try:
            self._begin(History(self._backend.load(self._run_id)))
        except BaseException:
            self._hold.release()
            raise
        return self._core.root

    def _begin(self, history: History) -> None:
        opening = self._opening(history)
        crashed = self._hold.crashed and history.started is not None
        self._core = Core(self._run_id, history, opening, crashed=crashed, max_crashes=max_crashes())
        self._core.now = self._clock.now()
        self._core.external = self._await
        self._core.replay.patient = True
        self._driver = Driver(self._core, self._backend, clock=self._clock)
        self._body = asyncio.current_task()
        self._driving = asyncio.create_task(self._driver.run(), name=f"flopod {self._run_id}")
        self._driving.add_done_callback(self._stopped)

    def _opening(self, history: History) -> list[Event]:
        now = self._clock.now()
        if history.started is None:
            started = RunStarted(
                at=now, workflow=self._workflow, input=self._input, build=self._build, run_id=self._run_id
            )
            return [started]
        given = None if bytes(self._input) == b"null" else self._input
        check_same(self._run_id, history.started, self._workflow, given)
        if history.ended is not None:
            return []
        return [RunResumed(at=now, build=self._build, crashed=self._hold.crashed)]

    def _await(self, operation: Operation) -> Generator[Any, Any, Any]:
        core = self._core
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(_: "asyncio.Future[Any]") -> None:
            if not future.done():
                future.set_result(None)

        operation.future.add_done_callback(done)
        core.now = self._clock.now()
        if core.fenced and self._leaving:
            raise asyncio.CancelledError
        if not core.fenced:
            operation.begin()
        self._driver.submitted()
        return _wait(operation, future)

    def _stopped(self, _: asyncio.Task[RunOutcome]) -> None:
        if self._leaving or self._body is None:
            return
        self._leaving = True
        self._body.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return await self._leave(error)
        finally:
            self._hold.release()

    async def _leave(self, error: BaseException | None) -> bool:
        if self._leaving:
            self._raise_stopped(error)
        self._leaving = True
        if error is not None and not isinstance(error, Exception):
            await self._abandon()
            return False
        core = self._core
        core.replay.patient = False
        core.finish(error, core.root.result)
        self._driver.submitted()
        try:
            await self._driving
        except DivergenceError as wrong:
            raise diverged(
                self._backend, core.history, wrong, self._run_id, self._build, self._clock
            ) from error
        if core.error is not None and error is None:
            raise core.error
        return False

    async def _abandon(self) -> None:
        self._driving.cancel()
        await asyncio.wait([self._driving])

    def _raise_stopped(self, error: BaseException | None) -> None:
        if self._body is not None and isinstance(error, asyncio.CancelledError):
            self._body.uncancel()
        wrong = self._driving.exception()
        if isinstance(wrong, DivergenceError):
            raise diverged(
                self._backend, self._core.history, wrong, self._run_id, self._build, self._clock
            ) from None
        if wrong is not None:
            raise wrong
        self._raise_paused()

    def _raise_paused(self) -> None:
        from flopod.errors import RunPaused

        raise RunPaused(self._run_id, self._core.paused or "")


def _wait(operation: Operation, future: "asyncio.Future[None]") -> Generator[Any, Any, Any]:
    try:
        yield from future
    except BaseException:
        operation.cancel()
        raise
    return operation.result()


def create_runtime(
    *,
    run_id: str | None = None,
    backend: Backend | None = None,
    workflow: str = "main",
    input: Any = None,
    build: str = "",
    clock: Clock | None = None,
) -> AbstractAsyncContextManager[Scope]:
    """Start or resume a run whose body is the block: `async with create_runtime(run_id="r1") as wf:`.

    The run id is the argument, else FLOPOD_RUN_ID, else `main-run`; the backend is chosen as for a
    bundle. Leaving the block completes the run with `wf.result`, an exception fails it, a kill or a
    cancelled task does neither.
    """
    chosen = check_run_id(run_id if run_id is not None else os.environ.get("FLOPOD_RUN_ID") or DEFAULT_RUN_ID)
    if backend is None:
        from flopod.backends.choose import choose

        backend = choose(None, os.environ)
    return Runtime(chosen, backend, workflow, input, build, SystemClock() if clock is None else clock)
