"""Runs whose leaves and recorded values are what a script says, by a virtual clock; all of it is noted."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from inspect import isawaitable
from typing import Any

from flopod.backends.base import Backend
from flopod.callee import callee_of
from flopod.engine.surroundings import surroundings
from flopod.events import Event, WaitStarted
from flopod.testing.calls import Call
from flopod.testing.clocks import calendar
from flopod.testing.mailed import Mailed
from flopod.testing.script import NEVER, Names, Outcome
from flopod.testing.tape import Tape
from flopod.workflow import activity
from flopod.workflow.commands import StartLeaf
from flopod.workflow.core import Core
from flopod.workflow.steady import steady


class Scripted(Mailed):
    """A process that is the surroundings of the runs in it."""

    def __init__(
        self,
        backend: Backend,
        tape: Tape,
        *,
        start: float,
        now: float,
        installed: Callable[[], AbstractContextManager[object]],
    ) -> None:
        super().__init__(start, now, installed)
        self.backend = backend
        self.tape = tape
        self.cores: dict[str, Core] = {}
        self._calendar = calendar(self.clock)

    def surrounded(self, do: Callable[..., Any], *args: Any) -> Any:
        """Call a function so that this is around the runs that it begins."""
        context = copy_context()
        context.run(surroundings.set, self)
        return context.run(do, *args)

    def entered(self, core: Core) -> None:
        self.cores[core.run_id] = core
        self.tape.begun.setdefault(core.run_id, self.clock.now())
        core.reading = lambda path, fn: self._reading(core.run_id, path, fn)
        activity.jitter.seed(0)

    async def committed(self, core: Core, events: Sequence[Event]) -> None:
        self.tape.committed(core.run_id, core.last_seq, events)
        for event in events:
            if isinstance(event, WaitStarted):
                self.expect(core.run_id, event.path, event.event, event.at)

    # -- leaves ----------------------------------------------------------------------------------

    def stand_in(self, core: Core, command: StartLeaf) -> StartLeaf:
        callee = callee_of(command.fn)
        names = Names(command.path, callee)
        taken = command.call
        now = self.clock.now()
        noted = Call.of(core.run_id, names, command.attempt, taken.args, taken.kwargs, now, command.fn)
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
                await self.has_run(noted)
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
            return await self._for_real(noted.run_id, command, args, kwargs)
        if outcome.after:
            await self._sleep_until(self.tape.began[noted.run_id, noted.path, noted.attempt] + outcome.after)
        if outcome.real:
            return await self._for_real(noted.run_id, command, args, kwargs)
        with self.at_work():
            return await outcome.give(args, kwargs)

    async def _sleep_until(self, when: float) -> None:
        if when == NEVER:
            await self.loop.create_future()
        await asyncio.sleep(max(0.0, when - self.loop.now))

    async def _for_real(self, run_id: str, command: StartLeaf, args: Any, kwargs: Any) -> Any:
        with self.at_work():
            value = self._called(run_id, command, args, kwargs)
            return await value if command.awaits or not command.sync or isawaitable(value) else value

    def _called(self, run_id: str, command: StartLeaf, args: Any, kwargs: Any) -> Any:
        """Call a leaf; a plain one of a plain workflow may start an event loop of its own."""
        if not (command.sync and self.subject_of(run_id).sync):
            return command.fn(*args, **kwargs)
        asyncio._set_running_loop(None)
        try:
            return command.fn(*args, **kwargs)
        finally:
            asyncio._set_running_loop(self.loop)

    async def has_run(self, call: Call) -> None:
        """Take note that a leaf has run, before that is recorded."""

    # -- recorded values -------------------------------------------------------------------------

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
        callee = self.subject_of(run_id).callee_of(path) or callee_of(fn)
        outcome = self.tape.leaves.deal(Names(path, callee), run_id, optional=True)
        if outcome is not None and not outcome.real:
            return outcome.give_now
        return self._calendar.get(fn, steady(path, fn)) if fn.__hash__ is not None else fn

    # -- the end ---------------------------------------------------------------------------------

    def fence(self) -> None:
        """Let no run write any more: the process was killed."""
        self.is_killed = True
        for core in self.cores.values():
            core.fenced = core.fenced or core.ended is None

    def close(self) -> None:
        for core in self.cores.values():
            if core.ended is None:
                core.discard()
        super().close()
