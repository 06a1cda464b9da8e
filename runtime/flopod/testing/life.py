"""One process with a run in it, from its start or its resume until it is over, or killed."""

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from inspect import isawaitable
from typing import Any

from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.engine.driver import Driver
from flopod.engine.family import Family
from flopod.engine.gate import Gate
from flopod.engine.hooks import Hooks
from flopod.engine.kin import Kin
from flopod.engine.outcome import RunOutcome
from flopod.engine.programs import Programs
from flopod.engine.run import run_workflow
from flopod.engine.takeover import take_over
from flopod.errors import FlopodError, StoppedByHook
from flopod.events import FINAL, ActivityCompleted, ActivityFailed, Event
from flopod.testing.calls import Call
from flopod.testing.scripted import Scripted
from flopod.testing.subject import Subject
from flopod.testing.tape import Tape
from flopod.workflow.core import Core


class Life(Scripted):
    """A process that starts or resumes the run `run_id` of a subject, with its children beside it.

    It is the surroundings of all of them. `dies_after` says when it is killed: after so many records of the
    run, or when the leaf of that name has run and its outcome is not recorded yet.
    """

    def __init__(
        self,
        subject: Subject,
        run_id: str,
        backend: Backend,
        tape: Tape,
        *,
        start: float,
        now: float,
        hooks: Hooks | None = None,
    ) -> None:
        super().__init__(backend, tape, start=start, now=now, installed=subject.installed)
        self.subject = subject
        self.run_id = run_id
        self.hooks = hooks
        self._hook_gate = Gate(hooks)
        self.until: str | None = None
        self.dies_after: int | str | None = None
        self._holds: list[Hold] = []
        self._programs = Programs(subject.registry)
        self._family = Family(backend, self._programs, self, self.clock)
        self.children: dict[str, asyncio.Task[None]] = {}
        self._settled: asyncio.Future[None] | None = None

    # -- starting --------------------------------------------------------------------------------

    def start(
        self, args: Sequence[Any] | None, kwargs: dict[str, Any] | None, *, resume_paused: bool = False
    ) -> None:
        """Begin, with the input of the run, or without one to go on with it."""
        self.expect_open_waits([self.run_id, *self._open_kin()])
        for later in self.tape.later:
            self.announce(later)
        for one in [one for one in self.tape.replayed if one.since is None]:
            self.replay(one, one.at)
        program = self.subject.opens_itself
        main = (
            self._program(program, args or (), kwargs or {})
            if program is not None
            else self._workflow(args, kwargs, resume_paused)
        )
        self.surrounded(self.begin, main)

    async def _workflow(
        self, args: Sequence[Any] | None, kwargs: dict[str, Any] | None, resume_paused: bool
    ) -> RunOutcome:
        program = self.subject.registry.program(self.subject.name)
        for child in self._open_kin():
            self.take_up_child(child)
        with self._held(self.run_id) as hold:
            outcome = await run_workflow(
                program.fn,
                args,
                kwargs,
                identity=program.identify(self.run_id),
                backend=self.backend,
                hold=hold,
                clock=self.clock,
                resume_paused=resume_paused,
                write=self._write,
                children=self._family,
                hooks=self.hooks,
            )
        if outcome.status in FINAL:
            await self._settle()
        return outcome

    async def _settle(self) -> None:
        """Let what was detached go on to its end, or until it only waits, as a job does."""
        settled = self._settled = self.loop.create_future()
        while not settled.done() and (detached := self._detached()):
            await asyncio.wait([*detached, settled], return_when=asyncio.FIRST_COMPLETED)
        self._settled = None

    def may_end(self) -> bool:
        settled = self._settled
        if settled is None or settled.done():
            return False
        settled.set_result(None)
        return True

    def _detached(self) -> list[asyncio.Task[None]]:
        """What goes on of detached work, and of what that has detached."""
        summaries = {one.run_id: one for one in self.backend.open_runs()}
        return [
            task
            for run_id, task in self.children.items()
            if not task.done() and run_id in summaries and summaries[run_id].detach
        ]

    async def _program(
        self, fn: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> RunOutcome:
        try:
            value = fn(*args, **kwargs)
            return RunOutcome("completed", value=await value if isawaitable(value) else value)
        except FlopodError:
            raise
        except Exception as error:
            return RunOutcome("failed", error=error)

    def _held(self, run_id: str) -> Hold:
        hold = self.backend.hold(run_id)
        self._holds.append(hold)
        return hold

    def _write(self, stream: str, text: str) -> None:
        if stream == "stdout":
            self.tape.output += text
        (sys.stdout if stream == "stdout" else sys.stderr).write(text)

    # -- surroundings ----------------------------------------------------------------------------

    def entered(self, core: Core) -> None:
        if not self.cores and self.subject.opens_itself is not None:
            self.run_id = core.run_id
        super().entered(core)

    def subject_of(self, run_id: str) -> Subject:
        del run_id  # children are workflows of the same source
        return self.subject

    def kin_of(self, run_id: str) -> Iterable[str]:
        del run_id
        return self.children

    async def has_run(self, call: Call) -> None:
        if isinstance(self.dies_after, str) and call.goes_by(self.dies_after):
            await self.die()

    async def committed(self, core: Core, events: Sequence[Event]) -> None:
        await super().committed(core, events)
        if core.run_id != self.run_id:
            return
        if isinstance(self.dies_after, int) and core.last_seq >= self.dies_after:
            await self.die()
        if self.until is not None and any(self._is_end_of(self.until, event) for event in events):
            self.until = None
            await self.pause()

    def _is_end_of(self, leaf: str, event: Event) -> bool:
        is_end = isinstance(event, ActivityCompleted) or (
            isinstance(event, ActivityFailed) and event.next_try is None
        )
        return is_end and any(one.path == event.path and one.goes_by(leaf) for one in self.tape.calls)

    # -- children --------------------------------------------------------------------------------

    def take_up_child(self, run_id: str) -> None:
        if run_id not in self.children:
            self.children[run_id] = asyncio.ensure_future(self._child(run_id))

    def bring_back(self, run_id: str) -> None:
        """Do nothing: no run is put away here."""

    def drives(self, run_id: str) -> bool:
        return run_id in self.children

    async def _child(self, run_id: str) -> None:
        await self._until_due(run_id)
        try:
            with self._held(run_id) as hold:
                taken = take_over(self.backend, self._programs, run_id, hold, self.clock)
                if isinstance(taken, RunOutcome):
                    return
                await self._driven(taken.core)
        except FlopodError as error:
            self.fail(error)
        else:
            self._family.run_ended(run_id, taken.core.ended)

    async def _until_due(self, run_id: str) -> None:
        """Wait for the delay of the driver of detached work."""
        summary = self.backend.summary(run_id)
        if summary is not None and (left := self._programs.due(summary) - self.clock.now()) > 0:
            await asyncio.sleep(left / 1000)

    async def _driven(self, core: Core) -> None:
        driver = Driver(
            core,
            self.backend,
            clock=self.clock,
            write=self._write,
            inline=False,
            children=self._family,
            hooks=await self._hook_gate.enter(core, self.backend),
        )
        await driver.run()

    def _open_kin(self) -> list[str]:
        """The runs that this one has started, and those that they have, as far as they are not over."""
        kin = Kin(self.backend, self.run_id)
        return [one.run_id for one in self.backend.open_runs() if one in kin]

    @property
    def is_stopped_by_hook(self) -> bool:
        """Whether a hook did not let the run begin, or go on."""
        return self.is_over and isinstance(self.main.exception(), StoppedByHook)

    # -- the end ---------------------------------------------------------------------------------

    def kill(self) -> None:
        """End as a process does that is killed: nothing is noted, and nothing of the run goes on."""
        self.fence()
        for hold in self._holds:
            hold.drop()
        self.close()

    def close(self) -> None:
        self._family.close()
        super().close()
