"""The awaitables of a body besides the call of a leaf: sleep, wait, and the item of a hand-written `each`.

An operation begins when it is first awaited, once. It then asks for its recorded begin or emits one,
and is settled by an outcome: the recorded one on replay, what the world reports when live.
"""

import sys
from abc import ABCMeta
from collections.abc import Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.events import Event, IterationCompleted, SleepStarted, WaitCompleted, WaitStarted
from flopod.workflow.describing import describe_event
from flopod.workflow.raising import raise_in
from flopod.workflow.scheduler import Outcome

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Operation:
    """Base of what a body awaits: begun by its `await`, once, as a coroutine is.

    It deliberately has no `throw` method: an exception thrown into a task then reaches the innermost
    frame of the body as it is.
    """

    __slots__ = ("_awaited", "core", "future", "path")

    def __init__(self, core: "Core", path: str) -> None:
        self.core = core
        self.path = path
        self.future = Outcome(loop=core.scheduler)
        self.future.on_cancel = self._cancelled
        self._awaited = False
        core.created[path] = self

    def __await__(self) -> Generator[Any, Any, Any]:
        if self._awaited:
            raise RuntimeError("cannot reuse already awaited coroutine")
        self._awaited = True
        core = self.core
        if core.scheduler.current is None and not (core.fenced and core.external is None):
            return core.bridge(self)
        if not core.fenced:
            self.begin()
            if core.history.replaying and core.scheduler.is_idle and core.replay.take(self):
                core.scheduler.release(self.future)
        return self  # type: ignore[return-value] # not a generator: it must have no `throw`

    def __iter__(self) -> "Operation":
        return self

    def __next__(self) -> Outcome:
        future = self.future
        if not future.done():
            future._asyncio_future_blocking = True
            return future
        if future.stop is not None:
            raise_in(sys._getframe(1), future.stop)
            raise StopIteration
        raise StopIteration(future.result())

    def result(self) -> Any:
        """Return the outcome, or raise it."""
        if self.future.stop is not None:
            raise self.future.stop
        return self.future.result()

    def set_result(self, result: Any) -> None:
        """End with a result."""
        self.future.set_result(result)

    def set_exception(self, error: BaseException) -> None:
        """End with an error."""
        if isinstance(error, StopIteration):
            self.future.stop = error
            self.future.set_result(None)
        else:
            self.future.set_exception(error)
            self.future.exception()  # so that asyncio does not call it unretrieved

    def done(self) -> bool:
        return self.future.done()

    def close(self) -> None:
        """Give up an operation that was not awaited; a coroutine can do that."""
        self._awaited = True

    def cancel(self) -> bool:
        return self.future.cancel()

    def _cancelled(self) -> None:
        self.core.closed(self)

    def begin(self) -> None:
        """Ask for the recorded begin, or emit one."""
        raise NotImplementedError

    def activate(self) -> None:
        """Ask the world for an outcome: the recorded past is over and holds none."""

    def settle(self, event: Event, /) -> None:
        """Take over an outcome from its record."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return what the code asks for, in the words of `describe_event`."""
        raise NotImplementedError


# asyncio refuses and begins operations as it does the coroutines that they stand for
cast("ABCMeta", Coroutine).register(Operation)


class Sleep(Operation):
    """A durable timer of `seconds`, or until `due` (ms since the epoch); it gives `value`.

    A `blocking` one is one step, as `time.sleep` is: no other task of the run goes on meanwhile.
    """

    __slots__ = ("_blocking", "_due", "_seconds", "_value")

    def __init__(
        self,
        core: "Core",
        path: str,
        seconds: float,
        due: int | None = None,
        value: Any = None,
        blocking: bool = False,
    ) -> None:
        super().__init__(core, path)
        self._blocking = blocking
        self._seconds = seconds
        self._due = due
        self._value = value

    @property
    def due(self) -> int:
        return self._due or 0

    def begin(self) -> None:
        core = self.core
        recorded = core.replay.ask(self.path, SleepStarted, self)
        if recorded is not None:
            self._due = recorded.due
        else:
            if self._due is None:
                self._due = core.now + round(self._seconds * 1000)
            core.emit(SleepStarted(path=self.path, at=core.now, due=self._due))
        if not core.fenced:
            core.opened(self)
            if self._blocking and core.scheduler.current is not None:
                core.scheduler.floor = self.future

    def activate(self) -> None:
        self.core.agenda.wake_at(self.due, self)

    def settle(self, _: Event, /) -> None:
        self.set_result(self._value)

    def describe(self) -> str:
        return "a sleep"


class Turn(Operation):
    """`asyncio.sleep(0)`: the other tasks take a turn, in asyncio's order. Nothing is recorded."""

    __slots__ = ("_taken", "_value")

    def __init__(self, core: "Core", path: str, value: Any) -> None:
        super().__init__(core, path)
        self._taken = False
        self._value = value

    def begin(self) -> None:
        self.core.created.pop(self.path, None)

    def __next__(self) -> Any:
        if self.core.fenced:
            return super().__next__()
        if self._taken:
            raise StopIteration(self._value)
        self._taken = True
        return None


class Wait(Operation):
    """A wait for an event from outside, for `timeout` seconds at most."""

    __slots__ = ("_timeout", "due", "event", "type")

    def __init__(self, core: "Core", path: str, event: str, type: Any, timeout: float | None) -> None:
        super().__init__(core, path)
        self.event = event
        self.type = type
        self.due: int | None = None
        self._timeout = timeout

    def begin(self) -> None:
        core = self.core
        recorded = core.replay.ask(self.path, WaitStarted, self)
        if recorded is not None:
            self.due = recorded.due
            if recorded.event != self.event:
                core.replay.conflict(self.path, describe_event(recorded), self.describe())
        else:
            self.due = None if self._timeout is None else core.now + round(self._timeout * 1000)
            schema = payload_schema(self.type)
            core.emit(WaitStarted(path=self.path, at=core.now, event=self.event, due=self.due, schema=schema))
        if not core.fenced:
            core.opened(self)

    def activate(self) -> None:
        self.core.mailbox.wait(self)
        if self.due is not None:
            self.core.agenda.wake_at(self.due, self)

    def settle(self, event: Event) -> None:
        if isinstance(event, WaitCompleted):
            payload = event.payload
            if event.timed_out or payload is None:
                self.set_result(None)
            else:
                self.set_result(read_payload(payload, self.type, event.versions))

    def describe(self) -> str:
        return f"a wait for {self.event!r}"


class Item(Operation):
    """One item of a hand-written `each` that an earlier process completed: settled by its record."""

    __slots__ = ("_fingerprint",)

    def __init__(self, core: "Core", path: str, fingerprint: str) -> None:
        super().__init__(core, path)
        self._fingerprint = fingerprint

    def begin(self) -> None:
        self.core.opened(self)

    def settle(self, event: Event) -> None:
        if not isinstance(event, IterationCompleted):
            return
        if not codec.agree(event.item, self._fingerprint):
            self.core.replay.diverge(self.path, f"an item with fingerprint {event.item}", self.describe())
        elif event.error is not None:
            self.set_result((None, codec.decode(event.error)))
        else:
            self.set_result((codec.decode(event.result or Raw(b"null")), None))

    def describe(self) -> str:
        return f"an item with fingerprint {self._fingerprint}"


def read_payload(payload: Raw, type: Any, versions: Mapping[str, int] | None = None) -> Any:
    """Return a delivered payload as the type that the wait asks for. Raises if it does not fit.

    `versions` are those of the classes in the type when it was recorded, the present ones by default.
    """
    data = msgspec.json.decode(payload)
    if versions is not None:
        data = codec.migrated(data, type, versions, plain=True)
    return data if type is Any else codec.from_plain(data, type)


def payload_schema(type: Any) -> Raw | None:
    """Return the JSON Schema of a payload type as text, None if it has none."""
    if type is Any:
        return None
    schema = codec.json_schema(type)
    return None if schema is None else Raw(msgspec.json.encode(schema))
