"""Runs hand-written compiled-form programs, counts their leaf calls, and resumes them from every prefix."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from flopod import codec
from flopod.backends.memory import MemoryBackend
from flopod.engine.clock import VirtualClock
from flopod.engine.leaves import current_activity
from flopod.engine.outcome import RunOutcome
from flopod.engine.runtime import run_workflow
from flopod.events import ActivityCompleted, ActivityFailed, Event, Log, Record

RUN = "r"
Body = Callable[..., Awaitable[Any]]

calls: list[str] = []


def called() -> None:
    """To be called by a leaf: notes its path."""
    activity = current_activity.get()
    assert activity is not None
    calls.append(activity.path)


@dataclass
class Ran:
    """What one process did with a run."""

    outcome: RunOutcome
    backend: MemoryBackend
    calls: list[str] = field(default_factory=list)
    printed: str = ""

    @property
    def records(self) -> list[Record]:
        return self.backend.load(RUN)

    @property
    def events(self) -> list[Event]:
        return [record.event for record in self.records]

    def of(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def run(
    body: Body,
    *args: Any,
    backend: MemoryBackend | None = None,
    mail: Sequence[tuple[str, str, Any]] = (),
    **options: Any,
) -> Ran:
    """Start or resume the run in this process; `mail` is delivered before it starts."""
    backend = MemoryBackend() if backend is None else backend
    for path, event, payload in mail:
        backend.deliver(RUN, path, event, Raw(msgspec.json.encode(payload)))
    calls.clear()
    printed: list[str] = []
    options.setdefault("clock", VirtualClock())
    options.setdefault("write", lambda stream, text: printed.append(text))
    outcome = asyncio.run(run_workflow(body, args, run_id=RUN, backend=backend, **options))
    return Ran(outcome, backend, list(calls), "".join(printed))


def result(outcome: RunOutcome) -> tuple[str, bytes]:
    """Return an outcome in a form that can be compared, types and identity included."""
    value = outcome.error if outcome.status == "failed" else outcome.value
    return outcome.status, codec.encode(value)


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


def sweep(
    body: Body, *args: Any, mail: Sequence[tuple[str, str, Any]] = (), depth: int = 2, **options: Any
) -> Ran:
    """Run `body`, then resume it from every prefix of its log, and from prefixes of those logs.

    Checks each time that the outcome is the same, that no leaf with a recorded outcome is called, that
    every other one is, and that what is printed is what the log does not have yet.
    """
    first = run(body, *args, mail=mail, **options)
    _sweep(body, args, first, first, depth, 0, options)
    return first


def _sweep(
    body: Body, args: Sequence[Any], first: Ran, ran: Ran, depth: int, start: int, options: dict[str, Any]
) -> None:
    step = 1 if depth == 2 or len(ran.records) < 20 else 5
    for cut in range(start, len(ran.records) + 1, step):
        kept = ran.records[:cut]
        again = run(body, *args, backend=ran.backend.prefix(RUN, cut, crashed=False), **options)
        place = f"cut after {cut} of {len(ran.records)}: {kept[-1] if kept else 'nothing'}"
        assert result(again.outcome) == result(first.outcome), place
        _check_calls(first, again, kept, place)
        if not _finished(kept):
            assert logged(kept) + again.printed == logged(again.records), place
            assert Counter(logged(again.records).splitlines()) == Counter(first.printed.splitlines()), place
        if depth > 1 and cut < len(ran.records):
            _sweep(body, args, first, again, depth - 1, cut + 1, options)


def _check_calls(first: Ran, again: Ran, kept: Sequence[Record], place: str) -> None:
    assert not settled(kept) & set(again.calls), f"{place}: a recorded leaf was called again"
    missing = settled(first.records) - settled(kept) - set(again.calls)
    assert _finished(kept) or not missing, f"{place}: {missing} were neither recorded nor called"
    assert settled(again.records) == settled(first.records), place


def _finished(records: Sequence[Record]) -> bool:
    return bool(records) and type(records[-1].event).__name__ in ("RunCompleted", "RunFailed")
