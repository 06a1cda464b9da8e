"""Drives a core without asyncio or a clock, counts leaf calls, and resumes a run from every prefix."""

import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.current import ActivityContext, current_context
from flopod.errors import DivergenceError
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    Event,
    EventReceived,
    Log,
    Record,
    RunCompleted,
    RunFailed,
    RunResumed,
    RunStarted,
    decode_line,
    encode_line,
    present,
)
from flopod.log import History
from flopod.workflow.commands import CancelLeaf, Commit, Compact, StartLeaf, Write
from flopod.workflow.core import Core

RUN = "r"
START = 1_760_000_000_000
Body = Callable[..., Awaitable[Any]]
Mail = tuple[str, str, Any]

calls: list[str] = []


def called() -> None:
    """To be called by a leaf: notes its path."""
    activity = current_context.get()
    assert activity is not None
    calls.append(activity.path)


@dataclass
class Ran:
    """What one process did with a run; `records` is the log after it."""

    core: Core
    records: list[Record]
    calls: list[str]
    printed: str = ""
    commits: list[int] = field(default_factory=list)
    now: int = START

    @property
    def value(self) -> Any:
        assert isinstance(self.core.ended, RunCompleted), self.core.error or self.core.diverged or "not over"
        return self.core.value

    @property
    def diverged(self) -> DivergenceError:
        assert self.core.diverged is not None, "it did not diverge"
        return self.core.diverged

    @property
    def events(self) -> list[Event]:
        return [record.event for record in self.records]

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class Simulator:
    """One process: it commits to a list of records and completes leaves in an order fixed by `seed`.

    The order depends on the paths only, so that a resumed run sees the order of an uninterrupted one.
    Without a seed leaves complete in the order of their start. `stop` ends it before a commit.
    """

    def __init__(
        self,
        body: Body,
        args: Sequence[Any],
        records: Sequence[Record] = (),
        *,
        mail: Sequence[Mail] = (),
        seed: int | None = None,
        now: int = START,
        crashed: bool = False,
        stop: Callable[[Commit], bool] | None = None,
        compact: int | None = None,
    ) -> None:
        self.records = present([decode_line(encode_line(*record)) for record in records])
        self.now = now
        self._seed = seed
        self._mail = mail
        self._stop = stop
        self._flying: dict[str, StartLeaf] = {}
        self._printed: list[str] = []
        self._commits: list[int] = []
        opening: Event = RunStarted(at=now, workflow="main", input=Raw(b"[]"), run_id=RUN)
        if records:
            opening = RunResumed(at=now, crashed=crashed)
        self.core = Core(RUN, History(self.records), [opening], crashed=crashed, compact=compact)
        self.core.start(lambda wf: _call(body, wf, args))

    def run(self) -> Ran:
        """Drive until the run is over, diverged, paused or waits for what does not come."""
        calls.clear()
        for number, (path, event, payload) in enumerate(self._mail, 1):
            self.core.receive(number, path, event, Raw(msgspec.json.encode(payload)), self.now)
        while self._turn():
            pass
        self.core.abandon()
        return Ran(self.core, self.records, list(calls), "".join(self._printed), self._commits, self.now)

    def _turn(self) -> bool:
        core = self.core
        commit = core.step(self.now)
        if self._stop is not None and self._stop(commit):
            return False
        self._commit(commit)
        if core.ended is not None or core.diverged is not None or core.paused is not None:
            return False
        if core.has_more:
            return True
        if self._flying:
            self._complete_one()
            return True
        due = core.next_due()
        if due is None:
            return False
        self.now = max(self.now, due)
        return True

    def _commit(self, commit: Commit) -> None:
        if commit.events:
            assert commit.expected == self._last_seq
            self._commits.append(len(commit.events))
        for event in commit.events:
            self.records.append(decode_line(encode_line(self._last_seq + 1, event)))
        for command in commit.commands:
            if isinstance(command, StartLeaf):
                self._flying[command.path] = command
            elif isinstance(command, CancelLeaf):
                del self._flying[command.path]
            elif isinstance(command, Write):
                self._printed.append(command.text)
            elif isinstance(command, Compact):
                self.records = present(self.records)

    @property
    def _last_seq(self) -> int:
        return self.records[-1].seq if self.records else 0

    def _complete_one(self) -> None:
        path = next(iter(self._flying)) if self._seed is None else min(self._flying, key=self._rank)
        command = self._flying.pop(path)
        context = ActivityContext(RUN, path, command.attempt, f"{RUN}/{path}")
        token = current_context.set(context)
        try:
            value = command.fn(*command.call.args, **command.call.kwargs)
            outcome: Any = command.call.returned(_finish(value) if inspect.isawaitable(value) else value)
        except BaseException as error:
            outcome = command.call.raised(error)
        finally:
            current_context.reset(token)
        self.core.complete(path, outcome, self.now)

    def _rank(self, path: str) -> bytes:
        return blake2b(f"{self._seed} {path}".encode()).digest()


async def _call(body: Body, wf: Any, args: Sequence[Any]) -> Any:
    return await body(wf, *args)


def _finish(coro: Any) -> Any:
    try:
        while True:
            coro.send(None)
    except StopIteration as stop:
        return stop.value


def run(body: Body, *args: Any, records: Sequence[Record] = (), **options: Any) -> Ran:
    """Start or resume a run in a process of its own."""
    return Simulator(body, args, records, **options).run()


def result(core: Core) -> tuple[str, bytes]:
    """Return an outcome in a form that can be compared, types and identity included."""
    ended = core.ended
    assert core.diverged is None, core.diverged
    assert ended is not None, f"not over: {core.paused or list(core.open)}"
    return type(ended).__name__, codec.encode(core.error if isinstance(ended, RunFailed) else core.value)


def settled(records: Sequence[Record]) -> set[str]:
    """Return the paths of the activities with a recorded outcome."""
    ends = (record.event for record in records)
    return {
        event.path
        for event in ends
        if isinstance(event, ActivityCompleted) or (isinstance(event, ActivityFailed) and not event.next_try)
    }


def logged(records: Sequence[Record]) -> str:
    """Return what the recorded part of the run printed."""
    return "".join(record.event.message for record in records if isinstance(record.event, Log))


def sweep(body: Body, *args: Any, mail: Sequence[Mail] = (), depth: int = 2, **options: Any) -> Ran:
    """Run `body`, then resume it from every prefix of its log, and from prefixes of those logs.

    Checks each time that the outcome is the same, that no leaf with a recorded outcome is called, that
    every other one is, and that what is printed is what the log does not have yet.
    """
    first = run(body, *args, mail=mail, **options)
    result(first.core)
    _sweep(body, args, first, first, depth, 0, {"mail": mail, **options})
    return first


def _sweep(
    body: Body, args: Sequence[Any], first: Ran, ran: Ran, depth: int, start: int, options: dict[str, Any]
) -> None:
    step = 1 if ran is first or len(ran.records) < 20 else 4
    for cut in range(start, len(ran.records), step):
        kept = ran.records[:cut]
        place = f"cut after {cut} of {len(ran.records)}: {kept[-1] if kept else 'nothing'}"
        now = max([START, *(record.event.at for record in kept)])
        again = run(body, *args, records=kept, now=now, **options)
        _check(first, again, kept, place)
        if depth > 1:
            _sweep(body, args, first, again, depth - 1, cut + 1, options)


def _check(first: Ran, again: Ran, kept: Sequence[Record], place: str) -> None:
    assert result(again.core) == result(first.core), place
    assert not settled(kept) & set(again.calls), f"{place}: a recorded leaf was called again"
    assert settled(again.records) == settled(first.records), place
    missing = settled(first.records) - settled(kept) - set(again.calls)
    assert not missing, f"{place}: {missing} were neither recorded nor called"
    assert logged(kept) + again.printed == logged(again.records), place
    assert Counter(logged(again.records).splitlines()) == Counter(logged(first.records).splitlines()), place
    received = [event.inbox for event in again.events if isinstance(event, EventReceived)]
    assert received == sorted(set(received)), place
