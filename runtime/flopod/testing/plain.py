"""A workflow as plain Python, in virtual time and by a script: what the compiled one must equal."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import FunctionType
from typing import Any
from unittest import mock

from flopod import authoring
from flopod.codec import plain
from flopod.durations import Duration, seconds
from flopod.engine.outcome import OpenWait, RunOutcome
from flopod.localinbox import NOTHING
from flopod.testing.calls import Call
from flopod.testing.driven import Driven
from flopod.testing.errors import TestFailure
from flopod.testing.exchange import exchanged, find_function
from flopod.testing.process import Process
from flopod.testing.script import NEVER, Names, Outcome
from flopod.testing.subject import Subject, check_event
from flopod.testing.tape import Tape

_inside: ContextVar[bool] = ContextVar("flopod.testing.inside_a_leaf", default=False)


class Stop(BaseException):
    """Ends a plain program where nothing can be awaited, because the test has failed."""


@contextmanager
def _called(noted: Call) -> Iterator[None]:
    """Inside of a leaf: what it raises is noted, and what it calls is none."""
    token = _inside.set(True)
    try:
        yield
    except BaseException as error:
        noted.error = error
        raise
    finally:
        _inside.reset(token)


class PlainLife(Process):
    """A process with the plain source in it."""

    def __init__(self, subject: Subject, tape: Tape, start: float) -> None:
        super().__init__(start, 0.0, self._in_place)
        self.subject = subject
        self.tape = tape
        self.inbox = PlainInbox(self)
        self._functions = dict(_functions(subject))

    async def run(self, args: Sequence[Any], kwargs: dict[str, Any]) -> RunOutcome:
        """Call the workflow, and return how it ended."""
        try:
            return RunOutcome("completed", value=await self._called(args, kwargs))
        except Exception as error:
            return RunOutcome("failed", error=error)

    async def _called(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """Call it; leaves of a plain function may start event loops of their own."""
        assert self.subject.plain is not None
        asyncio._set_running_loop(None if self.subject.sync else self.loop)
        try:
            value = self.subject.plain(*args, **kwargs)
        finally:
            asyncio._set_running_loop(self.loop)
        return await value if inspect.isawaitable(value) else value

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        instead = {function: self._stand_in(callee) for callee, function in self._functions.items()}
        with exchanged(instead), mock.patch.object(authoring, "local_inbox", self.inbox):
            yield

    def _stand_in(self, callee: str) -> Callable[[FunctionType], Callable[..., Any]]:
        def make(original: FunctionType) -> Callable[..., Any]:
            async def leaf(*args: Any, **kwargs: Any) -> Any:
                if _inside.get():
                    return await original(*args, **kwargs)
                return await self._call(callee, original, args, kwargs)

            def sync_leaf(*args: Any, **kwargs: Any) -> Any:
                if _inside.get():
                    return original(*args, **kwargs)
                return self._call_sync(callee, original, args, kwargs)

            return leaf if inspect.iscoroutinefunction(original) else sync_leaf

        return make

    async def _call(self, callee: str, original: FunctionType, args: Any, kwargs: Any) -> Any:
        noted, outcome = self._begin(callee, args, kwargs)
        if outcome.after:
            await self.sleep(outcome.after)
        with _called(noted), self.at_work():
            noted.result = await (original(*args, **kwargs) if outcome.real else outcome.give(args, kwargs))
        return noted.result

    def _call_sync(self, callee: str, original: FunctionType, args: Any, kwargs: Any) -> Any:
        noted, outcome = self._begin(callee, args, kwargs)
        if outcome.after == NEVER:
            self.fail(TestFailure(f"{callee} is a plain function: where it never returns, nothing goes on"))
            raise Stop
        self.loop.now += outcome.after
        with _called(noted):
            noted.result = original(*args, **kwargs) if outcome.real else outcome.give_now(*args, **kwargs)
        return noted.result

    async def sleep(self, duration: float) -> None:
        """Let time pass, for ever if that is how long."""
        if duration == NEVER:
            await self.loop.create_future()
        await asyncio.sleep(duration)

    def _begin(self, callee: str, args: Any, kwargs: Any) -> tuple[Call, Outcome]:
        names = Names("", callee)
        noted = Call.of("", names, 1, args, kwargs, self.clock.now())
        self.tape.calls.append(noted)
        try:
            outcome = self.tape.leaves.deal(names)
        except AssertionError as error:
            self.fail(error)
            raise Stop from None
        return noted, outcome or Outcome(real=True)


def _functions(source: Subject) -> Iterator[tuple[str, FunctionType]]:
    """The leaves that are functions, which can be exchanged."""
    for callee in source.callees:
        module, _, qualname = callee.partition(":")
        try:
            yield callee, find_function(source.import_module(module), qualname)
        except (AttributeError, ImportError):
            continue


class PlainInbox:
    """What is delivered to a plain run, and what it waits for."""

    def __init__(self, life: PlainLife) -> None:
        self._life = life
        self._letters: list[tuple[str, Any]] = []
        self._waiting: list[tuple[str, int | None, asyncio.Future[Any]]] = []

    @property
    def waits(self) -> list[OpenWait]:
        return [OpenWait(event, event, due) for event, due, found in self._waiting if not found.done()]

    async def take(self, event: str, timeout: float | None) -> Any:
        """Return the next payload of an event, as JSON data."""
        for letter in self._letters:
            if letter[0] == event:
                self._letters.remove(letter)
                return letter[1]
        clock = self._life.clock
        due = None if timeout is None else clock.now() + round(timeout * 1000)
        waiting = (event, due, self._life.loop.create_future())
        self._waiting.append(waiting)
        self._expect(event)
        try:
            async with asyncio.timeout(timeout):
                return await waiting[2]
        except TimeoutError:
            return NOTHING
        finally:
            self._waiting.remove(waiting)

    def _expect(self, event: str) -> None:
        try:
            outcome = self._life.tape.events.deal(Names("", event))
        except AssertionError as error:
            self._life.fail(error)
            return
        if outcome is not None and outcome.after < NEVER:
            self._life.loop.call_later(outcome.after, lambda: self.deliver(event, outcome.give_now()))

    def deliver(self, event: str, payload: Any) -> None:
        """Give an event to whoever waits for it, or keep it."""
        data = plain(payload)
        for name, _, found in self._waiting:
            if name == event and not found.done():
                found.set_result(data)
                return
        self._letters.append((event, data))


class PlainRun(Driven):
    """A run of the plain source; it has no log, so it has no paths and cannot be resumed."""

    def __init__(
        self,
        subject: Subject,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        *,
        tape: Tape,
        start: float,
    ) -> None:
        super().__init__(subject, tape, start)
        self._life = PlainLife(subject, tape, start)
        self._life.begin(self._life.run(args, kwargs))

    @property
    def _process(self) -> PlainLife:
        return self._life

    @property
    def waits(self) -> list[OpenWait]:
        return self._life.inbox.waits

    @property
    def status(self) -> str:
        """`completed`, `failed`, `waiting` or `running`."""
        if self._life.is_over:
            return str(self._life.main.result().status)
        return "waiting" if self.waits else "running"

    def _unfinished(self) -> Sequence[str]:
        return []

    def deliver(self, event: str, payload: Any = None, *, after: Duration | None = None) -> "PlainRun":
        """Give it an event, now or when so much time has passed."""
        check_event(self.subject, event)
        wait = 0.0 if after is None else seconds(after)
        self._life.loop.call_later(wait, self._life.inbox.deliver, event, payload)
        return self

    def calls(self, leaf: str | None = None) -> list[Call]:
        """Return the calls of a leaf, or all; every attempt is one."""
        if leaf is not None:
            self.check_leaf(leaf)
        return [one for one in self.tape.calls if leaf is None or one.goes_by(leaf)]
