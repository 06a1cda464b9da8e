"""One process with a run in it, from its start or its resume until it is over, or killed."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextvars import copy_context
from inspect import isawaitable
from typing import Any

from flopod.backends.base import Backend
from flopod.backends.lock import Hold
from flopod.codec import plain
from flopod.engine import waits
from flopod.engine.driver import Driver
from flopod.engine.family import Family, Kin
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.engine.run import run_workflow
from flopod.engine.surroundings import surroundings
from flopod.engine.takeover import take_over
from flopod.engine.waits import matches
from flopod.errors import FlopodError
from flopod.events import FINAL, ActivityCompleted, ActivityFailed, Event, WaitStarted
from flopod.testing.calls import Call
from flopod.testing.clocks import calendar
from flopod.testing.errors import TestFailure
from flopod.testing.process import Process
from flopod.testing.script import NEVER, Names, Outcome
from flopod.testing.subject import Subject, check_event
from flopod.testing.tape import Delivery, Later, Tape
from flopod.workflow import activity
from flopod.workflow.arguments import callee_of
from flopod.workflow.commands import StartLeaf
from flopod.workflow.core import Core
from flopod.workflow.steady import steady


class Life(Process):
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
        self._children: dict[str, asyncio.Task[None]] = {}
        self._calendar = calendar(self.clock)

    # -- starting --------------------------------------------------------------------------------

    def start(
        self, args: Sequence[Any] | None, kwargs: dict[str, Any] | None, *, resume_paused: bool = False
    ) -> None:
        """Begin, with the input of the run, or without one to go on with it."""
        self._expect_open_waits()
        for later in self.tape.later:
            self.announce(later)
        for one in [one for one in self.tape.replayed if one.since is None]:
            self._replay(one, one.at)
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
        for child in self._open_kin():
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
                self._expect(core.run_id, event.path, event.event, event.at)
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

    # -- events from outside ---------------------------------------------------------------------

    def _expect_open_waits(self) -> None:
        """See to the waits that were open when the process before ended."""
        for run_id in [self.run_id, *self._open_kin()]:
            summary = self.backend.summary(run_id)
            for path, wait in {} if summary is None else summary.waits.items():
                since = self.tape.waits.get((run_id, path), self.clock.now())
                self._expect(run_id, path, wait.event, since)

    def _expect(self, run_id: str, path: str, event: str, since: int) -> None:
        """Give a wait what the script has for it, in its time."""
        for one in self.tape.replayed:
            if (one.run_id, one.path) == (run_id, path) and one.since is not None:
                self._replay(one, since + one.at - one.since)
                return
        if any((one.run_id, one.path) == (run_id, path) for one in self.tape.deliveries):
            return
        try:
            outcome = self.tape.events.deal(Names(path, event), run_id)
        except AssertionError as error:
            self.fail(error)
            return
        if outcome is not None and outcome.after < NEVER:
            self._at(since + round(outcome.after * 1000), lambda: self._give(run_id, path, event, outcome))

    def _at(self, ms: int, do: Callable[[], object]) -> None:
        self.loop.call_at(max(self.loop.now, self.clock.offset(ms)), self._guarded, do)

    def _guarded(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (FlopodError, AssertionError) as error:
            self.fail(error)

    def _replay(self, one: Delivery, at: int) -> None:
        """Deliver again what another life of the run was given."""
        self.tape.replayed.remove(one)
        self._at(at, lambda: self._put(one.run_id, one.path, one.event, one.payload))

    def _give(self, run_id: str, path: str, event: str, outcome: Outcome) -> None:
        summary = self.backend.summary(run_id)
        if summary is not None and path in summary.waits:
            self.deliver(run_id, path, event, outcome.give_now())

    def announce(self, later: Later) -> None:
        """See to an event that the test gives to the run in a while."""

        def give() -> None:
            self.tape.later.remove(later)
            self.deliver(*self.place_of(later.event), later.payload)

        self._at(later.at, give)

    def open_waits(self) -> list[tuple[str, OpenWait]]:
        """The waits that are open in the run and in those that it has started, with their run ids."""
        found = []
        for run_id in dict.fromkeys([self.run_id, *self._children]):
            summary = self.backend.summary(run_id)
            if summary is not None and summary.status not in FINAL:
                found += [
                    (run_id, OpenWait(path, wait.event, wait.due)) for path, wait in summary.waits.items()
                ]
        return found

    def has_untaken(self) -> bool:
        """Whether something was delivered to a wait that is still open."""
        here = {(run_id, wait.path) for run_id, wait in self.open_waits()}
        return any((one.run_id, one.path) in here for one in self.tape.deliveries)

    def place_of(self, event: str) -> tuple[str, str, str]:
        """Return run, path and event of the wait that is meant. Raises TestFailure if that is not clear."""
        check_event(self.subject, event)
        waits = self.open_waits()
        exact = [(run_id, one.path, one.event) for run_id, one in waits if one.path == event]
        here = exact or [(run_id, one.path, one.event) for run_id, one in waits if one.event == event]
        if len(here) > 1 and here[0][0] == here[1][0]:
            shown = ", ".join(repr(path) for _, path, _ in here)
            raise TestFailure(f"it waits for {event!r} at {shown}; deliver to one of these")
        return here[0] if here else (self.run_id, *self._place_to_come(event))

    def _place_to_come(self, event: str) -> tuple[str, str]:
        """A wait that is not open yet; what is delivered to it is kept."""
        known = [one for one in self.subject.events or () if one.matches(event)]
        exact = [one for one in known if one.path == event or matches(one.path, event)]
        if exact:
            return event, exact[0].callee
        paths = {one.path for one in known if "*" not in one.path}
        if self.subject.events is None or not known:
            return event, event
        if len(paths) == 1 == len(known):
            return paths.pop(), event
        shown = ", ".join(repr(one.path) for one in known)
        raise TestFailure(
            f"it does not wait for {event!r} yet, and can at {shown}; deliver to a path, or call "
            f"until_waiting({event!r}) before"
        )

    def deliver(self, run_id: str, path: str, event: str, payload: Any) -> None:
        """Put an event into the inbox of a run. Raises what `flopod runs deliver` would report."""
        self._put(run_id, path, event, json.dumps(plain(payload), ensure_ascii=False))

    def _put(self, run_id: str, path: str, event: str, text: str) -> None:
        number = self._put_in(run_id, path, event, text)
        since = self.tape.waits.get((run_id, path))
        given = Delivery(run_id, path, event, text, self.clock.now(), since, number)
        self.tape.deliveries.append(given)

    def _put_in(self, run_id: str, path: str, event: str, text: str) -> int:
        if not path:  # an order
            return self.backend.deliver(run_id, path, event, text.encode())
        return waits.deliver(self.backend, run_id, path, event, text).number

    def note_order(self) -> None:
        """Note the last order that was given to the run through its inbox, as a delivery to no path."""
        last = self.backend.inbox(self.run_id)[-1]
        payload = bytes(last.payload).decode()
        self.tape.deliveries.append(
            Delivery(self.run_id, "", last.event, payload, self.clock.now(), None, last.n)
        )

    # -- children --------------------------------------------------------------------------------

    def _open_kin(self) -> list[str]:
        """The runs that this one has started, and those that they have, as far as they are not over."""
        kin = Kin(self.backend, self.run_id)
        return [one.run_id for one in self.backend.open_runs() if one in kin]

    def take_up_child(self, run_id: str) -> None:
        if run_id not in self._children:
            self._children[run_id] = asyncio.ensure_future(self._child(run_id))

    def bring_back(self, run_id: str) -> None:
        """Do nothing: no run is put away here."""

    def drives(self, run_id: str) -> bool:
        return run_id in self._children

    async def _child(self, run_id: str) -> None:
        with self._held(run_id) as hold:
            taken = take_over(self.backend, self.subject.registry, run_id, hold, self.clock)
            if isinstance(taken, RunOutcome):
                return
            core, _ = taken
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
