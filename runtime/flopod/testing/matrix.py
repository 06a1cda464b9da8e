"""The crash matrix: a run is killed after every write of its log, and resumed; each time it must end the same."""

from collections import Counter
from collections.abc import Iterable, Sequence

from flopod.backends.memory import MemoryBackend
from flopod.engine.outcome import RunOutcome
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    Event,
    EventReceived,
    Log,
    Record,
    RunCancelled,
    RunCompleted,
    RunFailed,
    encode_line,
    kind_of,
)
from flopod.testing.calls import Call
from flopod.testing.errors import Mismatch, TestFailure
from flopod.testing.run import Run
from flopod.testing.same import outcome_lines
from flopod.testing.script import Dealer

Called = tuple[str, str]
"""The path of a call, and what is called with what."""


def crash_matrix(run: Run) -> int:
    """Kill a run that is over after each of its writes, and resume it; returns how often.

    The script deals to each attempt what it got, and what was delivered is delivered again: as long after its
    wait began as before. Raises Mismatch, which names the write, when it does not end the same, or calls a
    leaf again whose outcome is recorded.
    """
    first = run.outcome()
    records = run.backend.load(run.run_id)
    for count in range(1, len(records) + 1):
        again = _resumed(run, records[:count])
        try:
            _compare(run, first, again, records[:count])
        except TestFailure as error:
            last = records[count - 1].event
            where = f"{kind_of(last)} {last.path}".strip()
            raise Mismatch(
                f"killed after write {count} of {len(records)} ({where}) and resumed, the run differs:\n{error}"
            ) from error
        finally:
            again.close()
    return len(records)


# -- resuming ------------------------------------------------------------------------------------


def _resumed(run: Run, kept: Sequence[Record]) -> Run:
    """Return the run in another process, as a kill after the last of the `kept` records leaves it."""
    store, start = _store(run, kept), run.start
    received = {one.event.inbox for one in kept if isinstance(one.event, EventReceived)}
    tape = run.tape.fork(Dealer(None))
    tape.replayed = [
        one for one in run.tape.deliveries if one.run_id != run.run_id or one.number not in received
    ]
    now = kept[-1].event.at / 1000 - start
    return Run(run.subject, *run.input, run_id=run.run_id, backend=store, tape=tape, start=start, now=now)


def _store(run: Run, kept: Sequence[Record]) -> MemoryBackend:
    """A store with the run, and with its children as far as they had come."""
    received = [one.event.inbox for one in kept if isinstance(one.event, EventReceived)]
    inbox = [item for item in run.backend.inbox(run.run_id) if item.n in received]
    lines = [encode_line(seq, event) for seq, event in kept]
    store = MemoryBackend.from_records(run.run_id, lines, inbox)
    for child, seq in _family_at(run, kept[-1].seq).items():
        events = [event for number, event in run.backend.load(child) if number <= seq]
        store.append(child, 0, events)
    return store


def _family_at(run: Run, seq: int) -> dict[str, int]:
    """The last record of each child when the run had come to `seq`."""
    found: dict[str, int] = {}
    for run_id, last in run.tape.journal:
        if run_id == run.run_id and last >= seq:
            break
        if run_id != run.run_id:
            found[run_id] = last
    born = dict.fromkeys(run.children_until(seq), 1)
    return born | {child: last for child, last in found.items() if run.backend.first(child) is not None}


# -- comparing -----------------------------------------------------------------------------------


def _compare(run: Run, first: RunOutcome, again: Run, kept: Sequence[Record]) -> None:
    events = [record.event for record in kept]
    different = outcome_lines(first, again.outcome(), "uninterrupted", "resumed")
    if different:
        raise Mismatch("\n".join(different))
    done = completed(events)
    repeated = sorted({one.path for one in again.calls() if one.path in done})
    if repeated:
        raise Mismatch(f"  {', '.join(repeated)}: called again, although the outcome is recorded")
    if isinstance(events[-1], RunCompleted | RunFailed | RunCancelled):
        return
    missing, more = differing_calls(_called(run.calls()), _called(again.calls()), events)
    if missing or more:
        lines = [f"  not called: {one}" for one in missing] + [f"  called: {one}" for one in more]
        raise Mismatch("\n".join(lines))
    printed = printed_by(events) + again.output
    if printed != run.output:
        raise Mismatch(f"  printed, uninterrupted: {run.output!r}\n  printed, resumed: {printed!r}")


def _called(calls: Iterable[Call]) -> list[Called]:
    return [(one.path, one.shown) for one in calls]


def completed(events: Iterable[Event]) -> set[str]:
    """The paths of the leaves whose last outcome is recorded."""
    return {
        event.path
        for event in events
        if isinstance(event, ActivityCompleted)
        or (isinstance(event, ActivityFailed) and event.next_try is None)
    }


def differing_calls(
    first: Sequence[Called], again: Sequence[Called], kept: Sequence[Event]
) -> tuple[list[str], list[str]]:
    """Which calls a resumed run lacks, and which it has too many, after what its log had `kept`.

    A call that was in flight may be missing: the run need not ask for its outcome any more.
    """
    expected = Counter(_left(first, completed(kept), Counter(_failed(kept))))
    found = Counter(again)
    begun = {event.path for event in kept if isinstance(event, ActivityStarted)}
    missing = Counter({call: n for call, n in (expected - found).items() if call[0] not in begun})
    return _lines(missing), _lines(found - expected)


def _failed(events: Iterable[Event]) -> Iterable[str]:
    return (event.path for event in events if isinstance(event, ActivityFailed))


def _left(calls: Sequence[Called], done: set[str], failed: Counter[str]) -> list[Called]:
    """Each call, without those whose outcome a log has, failed attempts among them."""
    left = []
    for path, shown in calls:
        if path in done:
            continue
        if failed[path] > 0:
            failed[path] -= 1
        else:
            left.append((path, shown))
    return left


def _lines(calls: Counter[Called]) -> list[str]:
    return sorted(f"{path}: {shown}" for path, shown in calls.elements())


def printed_by(events: Iterable[Event]) -> str:
    """What a run had printed whose log holds these events."""
    return "".join(one.message for one in events if isinstance(one, Log) and one.stream == "stdout")
