"""The crash matrix: a run is killed after each write of its log and resumed, and must end the same."""

import contextlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from flopod.backends.memory import MemoryBackend
from flopod.errors import FlopodError
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
    RunStarted,
    encode_line,
    kind_of,
)
from flopod.testing.calls import Call
from flopod.testing.errors import Mismatch, TestFailure
from flopod.testing.run import Run
from flopod.testing.script import Dealer

Called = tuple[str, str]
"""The path of a call, and what is called with what."""

_OVER = (RunCompleted, RunFailed, RunCancelled)


def crash_matrix(run: Run, cuts: Iterable[int] | None = None) -> int:
    """Kill a run after each of its writes (or only after so many, for each of `cuts`), and resume it.

    The script deals to each attempt what it got, and what was delivered is delivered again: as long after
    its wait began as before. Raises Mismatch, which names the write, when the run or one that it has
    detached does not end the same, or calls a leaf again whose outcome is recorded. A run that is not over
    must come to stand where it stands. Returns how often it was killed.
    """
    records = run.log()
    counts = range(1, len(records) + 1) if cuts is None else list(cuts)
    for count in counts:
        kept = records[:count]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            different = _difference(run, kept)
        if different:
            where = f"{kind_of(kept[-1].event)} {kept[-1].event.path}".strip()
            place = f"killed after write {count} of {len(records)} ({where})"
            raise Mismatch(f"{place} and resumed, the run differs:\n{different}")
    return len(counts)


def _difference(run: Run, kept: Sequence[Record]) -> str:
    """Say what differs when the run goes on after the `kept` records; "" if nothing does."""
    again = None
    try:
        again = _resumed(run, kept)
        again.go_on_to(run)
        _compare(run, again, [record.event for record in kept])
        _compare_detached(run, again, kept[-1].seq)
    except (TestFailure, FlopodError) as error:
        return str(error) if isinstance(error, Mismatch) else f"  {type(error).__name__}: {error}"
    finally:
        if again is not None:
            again.close()
    return ""


# -- resuming ------------------------------------------------------------------------------------


def _resumed(run: Run, kept: Sequence[Record]) -> Run:
    """Return the run in another process, as a kill after the last of the `kept` records leaves it."""
    logs = {run.run_id: list(kept)}
    for child, seq in _family_at(run, kept[-1].seq).items():
        logs[child] = [one for one in run.log(child) if one.seq <= seq]
    tape = run.tape.fork(Dealer(None))
    tape.replayed = [one for one in run.tape.deliveries if one.number > _received(logs.get(one.run_id, ()))]
    for run_id, log in logs.items():
        tape.committed(run_id, log[-1].seq, [event for _, event in log])
    now = kept[-1].event.at / 1000 - run.start
    return Run(
        run.subject,
        *run.input,
        run_id=run.run_id,
        backend=_store(run.run_id, logs),
        tape=tape,
        start=run.start,
        now=now,
    )


def _store(run_id: str, logs: Mapping[str, Sequence[Record]]) -> MemoryBackend:
    """A store with the run, and with its children as far as they had come."""
    store = MemoryBackend.from_records(run_id, [encode_line(seq, event) for seq, event in logs[run_id]])
    for child in logs.keys() - {run_id}:
        store.append(child, 0, [event for _, event in logs[child]])
    for each, log in logs.items():
        for _, event in log:
            if isinstance(event, EventReceived):
                store.deliver(each, event.path, event.event, event.payload, event.at)
    return store


def _received(log: Sequence[Record]) -> int:
    """The number in its inbox of the last thing that a run has taken."""
    return max((one.event.inbox for one in log if isinstance(one.event, EventReceived)), default=0)


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


def _compare(run: Run, again: Run, kept: Sequence[Event]) -> None:
    _equal("ends", run.ending(), again.ending())
    _compare_calls(run.calls(), again.calls(), kept)
    if not isinstance(kept[-1], _OVER):
        _equal("printed", run.output, printed_by(kept) + again.output)


def _compare_detached(run: Run, again: Run, seq: int) -> None:
    """Check that what a run has detached, killed when that had come to `seq`, ends and calls the same."""
    known = _family_at(run, seq)
    for child in run.children:
        first, later = run.log(child), again.log(child)
        if first and isinstance(first[0].event, RunStarted) and first[0].event.detach:
            _equal(f"{child} ends", _end_of(first), _end_of(later))
            kept = [event for number, event in first if number <= known.get(child, 0)]
            _compare_calls(run.calls(run_id=child), again.calls(run_id=child), kept)


def _end_of(log: Sequence[Record]) -> str:
    """How the run of a log ended, or that it did not."""
    last = log[-1].event if log else None
    if isinstance(last, RunCompleted):
        return f"completed with {bytes(last.result).decode()}"
    if isinstance(last, RunFailed):
        return f"failed with {bytes(last.error).decode()}"
    return "nothing" if last is None else kind_of(last)


def _compare_calls(calls: Sequence[Call], again: Sequence[Call], kept: Sequence[Event]) -> None:
    done = completed(kept)
    repeated = sorted({one.path for one in again if one.path in done})
    if repeated:
        raise Mismatch(f"  {', '.join(repeated)}: called again, although the outcome is recorded")
    if kept and isinstance(kept[-1], _OVER):
        return
    missing, more = differing_calls(_called(calls), _called(again), kept)
    if missing or more:
        lines = [f"  not called: {one}" for one in missing] + [f"  called: {one}" for one in more]
        raise Mismatch("\n".join(lines))


def _equal(what: str, uninterrupted: object, resumed: object) -> None:
    if uninterrupted != resumed:
        raise Mismatch(f"  {what}, uninterrupted: {uninterrupted}\n  {what}, resumed:       {resumed}")


def _called(calls: Iterable[Call]) -> list[Called]:
    """Each attempt once: what was in flight at a crash of the test's own is there twice."""
    attempts = {(one.path, one.attempt): one.shown for one in calls}
    return [(path, shown) for (path, _), shown in attempts.items()]


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
