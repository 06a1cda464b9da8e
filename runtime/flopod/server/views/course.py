"""What a run has done so far: each operation with its attempts, folded from the records of its log."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Raw, Struct

from flopod.events import Record, Span
from flopod.events import events as e
from flopod.log.rewind import effective

State: TypeAlias = Literal["running", "retrying", "waiting", "sleeping", "done", "failed", "cancelled"]
OPEN: frozenset[str] = frozenset({"running", "retrying", "waiting", "sleeping"})


class Attempt(Struct):
    """One try of an operation; `ended` is None while it goes on. Times are ms since the epoch."""

    number: int
    begun: int
    ended: int | None = None
    seq: int = 0
    error: Raw | None = None
    traceback: str = ""


class Operation(Struct):
    """One operation of a run at its path; `kind` is that of the path in the manifest, or of its event."""

    path: str
    kind: str
    seq: int
    begun: int
    state: State
    ended: int | None = None
    attempts: list[Attempt] = []
    callee: str = ""
    event: str = ""
    child: str = ""
    due: int | None = None
    timed_out: bool = False
    args: Raw | None = None
    result: Raw | None = None
    error: Raw | None = None
    progress: Raw | None = None
    last_seq: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it has begun and not ended."""
        return self.state in OPEN


class Mark(Struct, frozen=True):
    """Something that happened to a run as a whole; it lasted from `since` to `at`."""

    kind: Literal["crashed", "left", "paused", "cancelling", "rewound"]
    since: int
    at: int
    text: str = ""


class Course:
    """The operations of a run by their paths, in the order in which they began.

    `loops` says how many iterations of each loop are known to have ended, `dropped` what compaction has
    removed from the log: then there is less here than has happened. `last_path` is where something happened
    last.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.operations: dict[str, Operation] = {}
        self.loops: dict[str, int] = {}
        self.marks: list[Mark] = list(_marks(records))
        self.logs: list[Record] = []
        self.dropped: list[Span] = []
        self.started = records[0].event.at if records else 0
        self.last = records[-1].event.at if records else 0
        self.last_path = ""
        self.ended: int | None = None
        self.failure: e.RunFailed | None = None
        self.result: Raw | None = None
        for seq, event in effective(records):
            self.last_path = event.path or self.last_path
            step = _STEPS.get(type(event))
            if step is not None:
                step(self, seq, event)

    def open_operations(self) -> list[Operation]:
        """Return what has begun and not ended."""
        return [one for one in self.operations.values() if one.is_open]

    def begin(self, seq: int, event: e.Event, kind: str, state: State, /, **more: Any) -> Operation:
        """Note that an operation begins, with its first attempt."""
        made = Operation(event.path, kind, seq, event.at, state, last_seq=seq, **more)
        made.attempts = [Attempt(1, event.at, seq=seq)]
        self.operations[event.path] = made
        return made

    def at_once(
        self, seq: int, event: e.Event, kind: str, state: State = "done", /, **more: Any
    ) -> Operation:
        """Note an operation that took no time."""
        made = self.begin(seq, event, kind, state, **more)
        made.ended = made.attempts[0].ended = event.at
        return made

    def end(self, seq: int, event: e.Event, state: State, path: str | None = None) -> Operation | None:
        """Note that an operation has ended; None if nothing is known of its beginning."""
        found = self.operations.get(event.path if path is None else path)
        if found is None or not found.is_open:
            return None
        found.state, found.ended, found.last_seq, found.due = state, event.at, seq, None
        if found.attempts[-1].ended is None:
            found.attempts[-1].ended = event.at
        return found


def _marks(records: Sequence[Record]) -> "list[Mark]":
    found: list[Mark] = []
    before = 0
    for _, event in records:
        match event:
            case e.RunResumed(crashed=True):
                found.append(Mark("crashed", before, event.at, "the process was killed"))
            case e.RunResumed():
                found.append(
                    Mark("left", before, event.at, event.reason or "gone on with by another process")
                )
            case e.RunPaused():
                found.append(Mark("paused", event.at, event.at, event.reason))
            case e.CancelRequested():
                found.append(Mark("cancelling", event.at, event.at, event.reason))
            case e.RunRewound():
                found.append(Mark("rewound", before, event.at, event.reason))
            case _:
                pass
        before = event.at
    return found


def _activity_started(course: Course, seq: int, event: e.ActivityStarted) -> None:
    course.begin(seq, event, "activity", "running", callee=event.callee, args=event.args)


def _activity_completed(course: Course, seq: int, event: e.ActivityCompleted) -> None:
    found = _attempt_at(course, event.path, event.attempt, seq)
    if found is not None:
        found.result = event.result
        course.end(seq, event, "done")


def _activity_failed(course: Course, seq: int, event: e.ActivityFailed) -> None:
    found = _attempt_at(course, event.path, event.attempt, seq)
    if found is None:
        return
    last = found.attempts[-1]
    last.ended, last.error, last.traceback = event.at, event.error, event.traceback
    found.last_seq = seq
    if event.next_try is None:
        found.error = event.error
        course.end(seq, event, "failed")
    else:
        found.state, found.due = "retrying", event.next_try


def _activity_progress(course: Course, seq: int, event: e.ActivityProgress) -> None:
    found = _attempt_at(course, event.path, event.attempt, seq)
    if found is not None:
        found.state, found.last_seq = "running", seq
        found.progress = event.progress if event.progress is not None else found.progress


def _attempt_at(course: Course, path: str, number: int, seq: int) -> Operation | None:
    """The operation with its attempt of that number begun: when it was due, as far as one can know."""
    found = course.operations.get(path)
    if found is None:
        return None
    while found.attempts[-1].number < number:
        last = found.attempts[-1]
        begun = found.due if found.due is not None else last.ended or last.begun
        found.attempts.append(Attempt(last.number + 1, begun, seq=seq))
        found.due = None
    return found


def _sleep_started(course: Course, seq: int, event: e.SleepStarted) -> None:
    course.begin(seq, event, "sleep", "sleeping", due=event.due)


def _wait_started(course: Course, seq: int, event: e.WaitStarted) -> None:
    course.begin(seq, event, "wait", "waiting", event=event.event, due=event.due)


def _child_started(course: Course, seq: int, event: e.ChildStarted) -> None:
    course.begin(seq, event, "child", "waiting", callee=event.workflow, child=event.child, args=event.input)


def _detached(course: Course, seq: int, event: e.Detached) -> None:
    more: dict[str, Any] = {"callee": event.workflow, "child": event.child, "args": event.input}
    if event.mode == "join":
        course.begin(seq, event, "detach", "waiting", **more)
    else:
        course.at_once(seq, event, "detach", **more)


def _ended(course: Course, seq: int, event: e.ChildEnded) -> None:
    found = course.end(seq, event, "done" if event.error is None else "failed")
    if found is not None:
        found.result, found.error = event.result, event.error


def _slept(course: Course, seq: int, event: e.SleepCompleted) -> None:
    course.end(seq, event, "done")


def _waited(course: Course, seq: int, event: e.WaitCompleted) -> None:
    found = course.end(seq, event, "done")
    if found is not None:
        found.result, found.timed_out = event.payload, event.timed_out


def _abandoned(course: Course, seq: int, event: e.Abandoned) -> None:
    for path in event.paths:
        course.end(seq, event, "cancelled", path)


def _branch(course: Course, seq: int, event: e.BranchTaken) -> None:
    course.at_once(seq, event, "branch", result=event.key)


def _recorded(course: Course, seq: int, event: e.Recorded) -> None:
    course.at_once(seq, event, "recorded", callee=event.callee, result=event.value)


def _compensated(course: Course, seq: int, event: e.Compensated) -> None:
    state: State = "done" if event.error is None else "failed"
    course.at_once(seq, event, "compensate", state, callee=event.callee, error=event.error)


def _step_error(course: Course, seq: int, event: e.StepError) -> None:
    path = event.path if event.path not in course.operations else f"{event.path}:{seq}"
    course.operations[path] = Operation(
        path, "work", seq, event.at, "failed", event.at, event=event.id, error=event.error, last_seq=seq
    )
    course.operations[path].attempts = [Attempt(1, event.at, event.at, seq, event.error, event.traceback)]


def _iterated(course: Course, _seq: int, event: e.IterationCompleted) -> None:
    course.loops[event.path] = max(event.index + 1, course.loops.get(event.path, 0))


def _logged(course: Course, seq: int, event: e.Log) -> None:
    course.logs.append(Record(seq, event))


def _compacted(course: Course, _seq: int, event: e.Compacted) -> None:
    course.dropped = list(event.dropped)


def _over(course: Course, seq: int, event: e.Event) -> None:
    """What is open when a run ends was cancelled with it."""
    course.ended = event.at
    for operation in course.open_operations():
        course.end(seq, event, "cancelled", operation.path)


def _failed(course: Course, seq: int, event: e.RunFailed) -> None:
    course.failure = event
    _over(course, seq, event)


def _completed(course: Course, seq: int, event: e.RunCompleted) -> None:
    course.result = event.result
    _over(course, seq, event)


_STEPS: dict[type[e.Event], Callable[[Course, int, Any], None]] = {
    e.ActivityStarted: _activity_started,
    e.ActivityCompleted: _activity_completed,
    e.ActivityFailed: _activity_failed,
    e.ActivityProgress: _activity_progress,
    e.SleepStarted: _sleep_started,
    e.SleepCompleted: _slept,
    e.WaitStarted: _wait_started,
    e.WaitCompleted: _waited,
    e.ChildStarted: _child_started,
    e.ChildCompleted: _ended,
    e.Detached: _detached,
    e.DetachEnded: _ended,
    e.Abandoned: _abandoned,
    e.BranchTaken: _branch,
    e.Recorded: _recorded,
    e.Compensated: _compensated,
    e.StepError: _step_error,
    e.IterationCompleted: _iterated,
    e.Log: _logged,
    e.Compacted: _compacted,
    e.RunFailed: _failed,
    e.RunCompleted: _completed,
    e.RunCancelled: _over,
}
