"""`create_runtime`, for hand-written programs: a run whose body is the block of an `async with`."""

import asyncio
import os
from collections.abc import Generator, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.detach.handle import DetachHandle
from flopod.engine.call import check_same
from flopod.engine.clock import Clock, SystemClock
from flopod.engine.driver import Driver
from flopod.engine.gate import Gate
from flopod.engine.hooks import Hooks
from flopod.engine.identity import Identity
from flopod.engine.outcome import RunOutcome
from flopod.engine.run import max_crashes, told_diverged
from flopod.engine.surroundings import surroundings
from flopod.engine.telling import Calls
from flopod.errors import DivergenceError, FlopodError, RunPaused
from flopod.events import Event, RunResumed
from flopod.log.history import History
from flopod.runid import DEFAULT_RUN_ID, check_run_id
from flopod.workflow.core import Core
from flopod.workflow.detaching import Detach, Detaching
from flopod.workflow.operations import Operation
from flopod.workflow.scope import Scope

if TYPE_CHECKING:
    from flopod.engine.household import Household
    from flopod.engine.run import Workflow


class Runtime(Detaching, AbstractAsyncContextManager[Scope]):
    """A run whose body is the block of an `async with`, stepped by asyncio.

    What is detached on it itself, before, in or after the block, belongs to no step of the run.
    """

    def __init__(
        self,
        identity: Identity,
        backend: Backend,
        input: Any,
        clock: Clock,
        hooks: Hooks | None,
        household: "Household",
    ) -> None:
        self._identity = identity
        self._run_id = identity.run_id
        self._backend = backend
        self._input = Raw(codec.encode(input))
        self._clock = clock
        self._hooks = hooks
        self._calls: Calls | None = None
        self._household = household
        self._core: Core
        self._driver: Driver
        self._hold: Hold
        self._body: asyncio.Task[Any] | None = None
        self._driving: asyncio.Task[RunOutcome]
        self._leaving = False

    def _detach(self, what: Detach) -> DetachHandle:
        return self._household.detach(what)

    async def __aenter__(self) -> Scope:
        self._hold = self._backend.hold(self._run_id)
        try:
            await self._begin(History(self._backend.load(self._run_id)))
        except BaseException:
            self._hold.release()
            raise
        return self._core.root

    async def _begin(self, history: History) -> None:
        opening = self._opening(history)
        crashed = self._hold.crashed and history.started is not None
        self._core = Core(self._run_id, history, opening, crashed=crashed, max_crashes=max_crashes())
        self._core.now = self._clock.now()
        self._core.external = self._await
        self._core.replay.patient = True
        if history.ended is None:
            self._calls = await Gate(self._hooks).enter(self._core, self._backend)
        self._driver = Driver(
            self._core, self._backend, clock=self._clock, hooks=self._calls, children=self._household
        )
        self._household.enter(self._backend.summary(self._run_id))
        self._body = asyncio.current_task()
        self._driving = asyncio.create_task(self._driver.run(), name=f"flopod {self._run_id}")
        self._driving.add_done_callback(self._stopped)

    def _opening(self, history: History) -> list[Event]:
        now = self._clock.now()
        if history.started is None:
            return [self._identity.started(now, self._input)]
        given = None if bytes(self._input) == b"null" else self._input
        check_same(self._run_id, history.started, self._identity.workflow, given)
        if history.ended is not None:
            return []
        return [RunResumed(at=now, build=self._identity.build, crashed=self._hold.crashed)]

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
        self._driver.outside.submitted()
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
            if not self._leaving and (error is None or isinstance(error, Exception)):
                await self._end(error)
            return await self._leave(error)
        finally:
            try:
                await self._core.background.cancel()
                await self._household.close()
            finally:
                self._hold.release()

    async def _leave(self, error: BaseException | None) -> bool:
        if self._leaving:
            await self._raise_stopped(error)
        self._leaving = True
        if error is not None and not isinstance(error, Exception):
            await self._abandon()
            return False
        core = self._core
        core.replay.patient = False
        core.finish(error, core.root.result)
        self._driver.outside.submitted()
        try:
            await self._driving
        except DivergenceError as wrong:
            raise await self._diverged(wrong) from error
        await self._household.settle()
        if core.error is not None and error is None:
            raise core.error
        return False

    async def _end(self, error: Exception | None) -> None:
        """Wait for the work that is left, then undo what a block that failed has done."""
        try:
            await self._core.background.tasks.settled()
            if error is not None:
                await self._core.compensations.undo(error)
        except asyncio.CancelledError as stopped:
            if self._leaving:
                await self._raise_stopped(stopped)
            self._leaving = True
            await self._abandon()
            raise

    async def _abandon(self) -> None:
        self._driving.cancel()
        await asyncio.wait([self._driving])

    async def _raise_stopped(self, error: BaseException | None) -> None:
        if self._body is not None and isinstance(error, asyncio.CancelledError):
            self._body.uncancel()
        wrong = self._driving.exception()
        if isinstance(wrong, DivergenceError):
            raise await self._diverged(wrong) from None
        if wrong is not None:
            raise wrong
        self._raise_paused()

    async def _diverged(self, error: DivergenceError) -> FlopodError:
        return await told_diverged(self._backend, self._identity, self._core, error, self._clock, self._calls)

    def _raise_paused(self) -> None:
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
    hooks: Hooks | None = None,
    workflows: "Mapping[str, Workflow] | None" = None,
) -> Runtime:
    """Start or resume a run whose body is the block: `async with create_runtime(run_id="r1") as wf:`.

    The run id is the argument, else FLOPOD_RUN_ID, else `main-run`; the backend is chosen as for a
    bundle. Leaving the block completes the run with `wf.result`, an exception fails it, a kill or a
    cancelled task does neither. `hooks` are asked and told of it. The block may start the `workflows`,
    functions `async def name(wf, ...)` by name, as children; on leaving, they go on until they end or
    only wait.
    """
    chosen = check_run_id(run_id if run_id is not None else os.environ.get("FLOPOD_RUN_ID") or DEFAULT_RUN_ID)
    around = surroundings.get()
    if backend is None and around is not None:
        backend = around.backend
    if backend is None:
        from flopod.backends.choose import choose

        backend = choose(None, os.environ)
    identity = Identity(run_id=chosen, workflow=workflow, build=build)
    if clock is None:
        clock = SystemClock() if around is None else around.clock
    household = _household(backend, workflows or {}, identity, clock, hooks)
    return Runtime(identity, backend, input, clock, hooks, household)


def _household(
    backend: Backend,
    workflows: "Mapping[str, Workflow]",
    identity: Identity,
    clock: Clock,
    hooks: Hooks | None,
) -> "Household":
    from flopod.engine.household import Household
    from flopod.engine.registry import HandWritten

    registry = HandWritten(workflows, identity.build)
    return Household(
        backend,
        registry,
        identity.run_id,
        exit_when_waiting=True,
        thorough=True,
        clock=clock,
        hooks=hooks,
    )
