"""One process with a run in it, from its start or its resume until it is over, or killed."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextvars import copy_context
from inspect import isawaitable
from typing import Any

from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.engine.driver import Driver
from flopod.engine.family import Family
from flopod.engine.outcome import RunOutcome
from flopod.engine.run import run_workflow
from flopod.engine.surroundings import surroundings
from flopod.engine.takeover import take_over
from flopod.errors import FlopodError
from flopod.events import ActivityCompleted, ActivityFailed, Event, WaitStarted
from flopod.testing.calls import Call
from flopod.testing.clocks import calendar
from flopod.testing.mailed import Mailed
from flopod.testing.script import NEVER, Names, Outcome
from flopod.testing.subject import Subject
from flopod.testing.tape import Tape
from flopod.workflow import activity
from flopod.workflow.arguments import callee_of
from flopod.workflow.commands import StartLeaf
from flopod.workflow.core import Core
from flopod.workflow.steady import steady


class Life(Mailed):
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
    ) -> None:
        super().__init__(start, now, subject.installed)
        self.subject = subject
        self.run_id = run_id
        self.backend = backend
        self.tape = tape
        self.cores: dict[str, Core] = {}
        self.until: str | None = None
        self.dies_after: int | str | None = None
        self._holds: list[Hold] = []
        self._family = Family(backend, subject.registry, self)
        self.children: dict[str, asyncio.Task[None]] = {}
        self._calendar = calendar(self.clock)

    # -- starting --------------------------------------------------------------------------------

    def start(
        self, args: Sequence[Any] | None, kwargs: dict[str, Any] | None, *, resume_paused: bool = False
    ) -> None:
        """Begin, with the input of the run, or without one to go on with it."""
        self.expect_open_waits()
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
        context = copy_context()
        context.run(surroundings.set, self)
        context.run(self.begin, main)

    async def _workflow(
        self, args: Sequence[Any] | None, kwargs: dict[str, Any] | None, resume_paused: bool
    ) -> RunOutcome:
        program = self.subject.registry.program(self.subject.name)
        for child in self.open_kin():
            self.take_up_child(child)
        with self._held(self.run_id) as hold:
            return await run_workflow(
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
            )

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
        self.cores[core.run_id] = core
        core.reading = lambda path, fn: self._reading(core.run_id, path, fn)
        activity.jitter.seed(0)

    def stand_in(self, core: Core, command: StartLeaf) -> StartLeaf:
        callee = callee_of(command.fn)
        names = Names(command.path, callee)
        taken = command.call
        noted = Call.of(core.run_id, names, command.attempt, taken.args, taken.kwargs, self.clock.now())
        self.tape.calls.append(noted)
        self.tape.began.setdefault((core.run_id, command.path, command.attempt), self.loop.now)

        async def leaf(*args: Any, **kwargs: Any) -> Any:
            outcome = self._dealt(names, core.run_id, command.attempt)
            try:
                noted.result = await self._perform(outcome, noted, command, args, kwargs)
            except BaseException as error:
                noted.error = error
                raise
            finally:
                if isinstance(self.dies_after, str) and noted.goes_by(self.dies_after):
                    await self.die()
            return noted.result

        return command._replace(fn=leaf, sync=False)

    def _dealt(self, names: Names, run_id: str, attempt: int) -> Outcome | None:
        try:
            return self.tape.leaves.deal(names, run_id, attempt)
        except AssertionError as error:
            self.fail(error)
            return Outcome(after=NEVER)

    async def _perform(
        self, outcome: Outcome | None, noted: Call, command: StartLeaf, args: Any, kwargs: Any
    ) -> Any:
        """Do what the script says of a call, in its time; that counts from when it was begun first."""
        if outcome is None:
            return await self._for_real(command, args, kwargs)
        if outcome.after:
            await self._sleep_until(self.tape.began[noted.run_id, noted.path, noted.attempt] + outcome.after)
        if outcome.real:
            return await self._for_real(command, args, kwargs)
        with self.at_work():
            return await outcome.give(args, kwargs)

    async def _sleep_until(self, when: float) -> None:
        if when == NEVER:
            await self.loop.create_future()
        await asyncio.sleep(max(0.0, when - self.loop.now))

    async def _for_real(self, command: StartLeaf, args: Any, kwargs: Any) -> Any:
        with self.at_work():
            value = self._called(command, args, kwargs)
            return await value if command.awaits or not command.sync or isawaitable(value) else value

    def _called(self, command: StartLeaf, args: Any, kwargs: Any) -> Any:
        """Call a leaf; a plain one of a plain workflow may start an event loop of its own."""
        if not (command.sync and self.subject.sync):
            return command.fn(*args, **kwargs)
        asyncio._set_running_loop(None)
        try:
            return command.fn(*args, **kwargs)
        finally:
            asyncio._set_running_loop(self.loop)

    def _reading(self, run_id: str, path: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        """What a recorded value is read from: the script, the virtual clock, or what the source says.

        What was read once is read again in the place of it by another life of the run.
        """
        reads, key = self.tape.reads, (run_id, path)

        def read(*args: Any, **kwargs: Any) -> Any:
            if key not in reads:
                reads[key] = self._source_of(run_id, path, fn)(*args, **kwargs)
            return reads[key]

        return read

    def _source_of(self, run_id: str, path: str, fn: Callable[..., Any]) -> Callable[..., Any]:
        callee = self.subject.callee_of(path) or callee_of(fn)
        outcome = self.tape.leaves.deal(Names(path, callee), run_id, optional=True)
        if outcome is not None and not outcome.real:
            return outcome.give_now
        return self._calendar.get(fn, steady(path, fn)) if fn.__hash__ is not None else fn

    async def committed(self, core: Core, events: Sequence[Event]) -> None:
        self.tape.committed(core.run_id, core.last_seq, events)
        for event in events:
            if isinstance(event, WaitStarted):
                self.expect(core.run_id, event.path, event.event, event.at)
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
        with self._held(run_id) as hold:
            taken = take_over(self.backend, self.subject.registry, run_id, hold, self.clock)
            if isinstance(taken, RunOutcome):
                return
            core = taken.core
            driver = Driver(
                core, self.backend, clock=self.clock, write=self._write, inline=False, children=self._family
            )
            try:
                await driver.run()
            except FlopodError as error:
                self.fail(error)
        self._family.run_ended(run_id, core.ended)

    # -- the end ---------------------------------------------------------------------------------

    def kill(self) -> None:
        """End as a process does that is killed: nothing is noted, and nothing of the run goes on."""
        self.is_killed = True
        for core in self.cores.values():
            core.fenced = core.fenced or core.ended is None
        for hold in self._holds:
            hold.drop()
        self.close()

    def close(self) -> None:
        for core in self.cores.values():
            if core.ended is None:
                core.discard()
        super().close()
