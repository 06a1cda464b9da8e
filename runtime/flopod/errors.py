"""The errors of flopod. Each class carries the exit status that a command line ends with.

FlopodError                          1
|- SerializableError, ValueTooLarge  1   a value that cannot be written to the log
|  |- MigrationError                  5   a recorded value that does not become one of today's class
|  |- KeptElsewhere                       a store keeps the value otherwise, and was not told how
|- DuplicateId                       1   one id used twice in a scope
|- ActivityTimeout                   1   an activity ran longer than it may
|  |- HeartbeatTimeout                    ... or gave no sign of life for too long
|- MaybeExecuted                     1   an activity that may run once was in flight at a crash
|- SharedArgument                    1   two calls side by side changed one argument
|- Cancelled                         8   the run was cancelled
|- RunPaused                         3   the run was paused, or parked after crashes
|- StoppedByHook                     3   a hook does not let the run start, or go on
|- UsageError                        2   the caller asked for something that cannot be
|  |- InvalidRunId, BadInput, InputChanged, UnknownWorkflow, UnknownBackend, Unsupported
|  |- OutsideActivity                     what only a running leaf may ask
|- UnknownRun                        4
|  |- UnknownPath, UnknownEvent
|- Conflict                          2   a run is in no state for what was asked of it
|- DivergenceError                   5   the log and the code disagree
|- BuildMismatch                     5   the run belongs to another build
|- StorageError                      6
|  |- DamagedLog, DamagedRecord, ReadOnlyStorage, StorageFull, SyncFailed
|  |- HiddenValue                         a run whose values this process cannot read
|- RunHeld                           7   another process owns the run
   |- Fenced                             ... and has written to it
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar


class FlopodError(Exception):
    """Base of every error that flopod raises on purpose."""

    exit_code: ClassVar[int] = 1

    def __reduce__(self) -> "tuple[Callable[..., FlopodError], tuple[Any, ...]]":
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[FlopodError], args: tuple[Any, ...], state: dict[str, Any]) -> FlopodError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class SerializableError(FlopodError):
    """A value cannot be written to the log.

    `message` says what is wrong, `path` where in the run (`lines[0]/price_line`), `field` where in
    the value (`result.items[3].client`). Both places may be filled in later, by who knows them.
    """

    def __init__(self, message: str, *, path: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.field = field

    def __str__(self) -> str:
        places = [place for place in (self.path, self.field) if place and place not in self.message]
        return ": ".join([*places, self.message])


class ValueTooLarge(SerializableError):
    """A value has more bytes than a value in the log may have."""

    def __init__(self, label: str, size: int, limit: int) -> None:
        super().__init__(
            f"{label} has {size:,} bytes, and a value may have {limit:,}; store it elsewhere and return "
            "where it is, or set FLOPOD_MAX_VALUE",
            field=label,
        )
        self.size = size
        self.limit = limit


KEPT_ELSEWHERE = {
    "sealed": "a value is encrypted, and no key was given; set FLOPOD_ENCRYPTION_KEYS",
    "apart": "a value is kept apart from the log; set FLOPOD_LARGE_VALUES, to whatever size",
}
"""What to do about values that a store would have shown as they are, by the tag that stands for them."""


class KeptElsewhere(SerializableError):
    """In the place of a value is what a store that keeps values otherwise has left there."""


class MigrationError(SerializableError):
    """A recorded value does not become one of its class as that is now, or its migrations are no such."""

    exit_code = 5

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"the migrations of {name}: {why}" if name else f"migrations: {why}")
        self.name = name
        self.why = why


class DuplicateId(FlopodError):
    """An id was used twice in one scope, so that one path would name two operations."""

    def __init__(self, id: str, scope: str = "", hint: str = "") -> None:
        where = f"in {scope!r}" if scope else "in the workflow's own scope"
        hint = hint or f"give one of them another name, for example {id + '#second'!r}"
        super().__init__(f"the id {id!r} is used twice {where}; {hint}")
        self.id = id
        self.scope = scope


class SharedArgument(FlopodError):
    """Two calls that ran side by side changed the same argument. `path` is the later one's."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} changed an argument that was changed elsewhere while it ran; both changes cannot "
            "be kept: let the calls return what they find, or await one after the other"
        )


class ActivityTimeout(FlopodError, TimeoutError):
    """An activity did not end within its timeout; a TimeoutError, as that of `asyncio.timeout` is."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(f"{path}: no result within {seconds:g} s")
        self.path = path
        self.seconds = seconds


class HeartbeatTimeout(ActivityTimeout):
    """An activity gave no sign of life within its heartbeat."""

    def __init__(self, path: str, seconds: float) -> None:
        FlopodError.__init__(self, f"{path}: no heartbeat within {seconds:g} s")
        self.path = path
        self.seconds = seconds


class MaybeExecuted(FlopodError):
    """An activity that may run at most once was in flight when the run was left: nobody knows what it did."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} was in flight when the run was left, and it may run at most once: whether it did is "
            "unknown; find out and go on, or undo it"
        )
        self.path = path


class Cancelled(FlopodError):
    """The run, or this part of it, was cancelled. The author may catch it to clean up."""

    exit_code = 8

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "the run was cancelled")
        self.reason = reason


class RunPaused(FlopodError):
    """The run is paused and does nothing until it is resumed."""

    exit_code = 3

    def __init__(self, run_id: str, reason: str = "") -> None:
        super().__init__(f"the run {run_id!r} is paused" + (f": {reason}" if reason else ""))
        self.run_id = run_id
        self.reason = reason


class StoppedByHook(FlopodError):
    """A hook does not let the run start, or go on. The run is as it was, and can be started again."""

    exit_code = 3

    def __init__(self, run_id: str, hook: str, why: str) -> None:
        super().__init__(
            f"the run {run_id!r} does not go on here: the hook {hook} {why}; it stays as it is until it is "
            "started again"
        )
        self.run_id = run_id
        self.hook = hook
        self.why = why


class UsageError(FlopodError):
    """What was asked for cannot be done as it was asked."""

    exit_code = 2


class OutsideActivity(UsageError):
    """Something that only a running leaf may ask for."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}() is for a leaf while it runs; in a thread of your own, hand over what it gave in the "
            "leaf itself; uncompiled, mark the function with @activity"
        )


class InvalidRunId(UsageError):
    """A text that cannot be the id of a run."""

    def __init__(self, run_id: object, why: str) -> None:
        super().__init__(
            f"{run_id!r} is not a run id: {why}; use 1 to 128 of the characters A-Z a-z 0-9 _ . - "
            "and do not begin with a dot"
        )
        self.run_id = run_id


class BadInput(UsageError):
    """An input or a payload that does not decode. `field` is the place in it, where known."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field and field not in message else message)
        self.field = field


class InputChanged(UsageError):
    """A run was started again with another workflow or another input than the recorded ones."""

    def __init__(self, run_id: str, what: str, recorded: str, given: str) -> None:
        both = "the input" if what == "input" else f"the {what} and the input"
        super().__init__(
            f"the run {run_id!r} exists with another {what}: recorded {recorded}, given {given}; "
            f"start a new run with another --run-id, or leave {both} out to resume this one"
        )
        self.run_id = run_id
        self.what = what
        self.recorded = recorded
        self.given = given


class UnknownWorkflow(UsageError):
    """No workflow of this name."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        names = sorted(known)
        there_is = f"there is: {', '.join(names)}" if names else "there are no workflows here"
        super().__init__(f"no workflow is called {name!r}; {there_is}")
        self.name = name
        self.known = names


class UnknownDetach(UsageError):
    """Detached work whose function or driver this process does not know."""

    def __init__(self, run_id: str, name: str) -> None:
        super().__init__(
            f"the run {run_id!r} is detached work, and {name!r} is not in the modules that are loaded; keep "
            "functions and drivers at the top level of a module, so that a later process finds them"
        )
        self.run_id = run_id
        self.missing = name


class UnknownBackend(UsageError):
    """A backend specification that names no backend."""

    def __init__(self, spec: str, source: str) -> None:
        super().__init__(
            f"{source} is {spec!r}, which names no backend; use memory, file, sqlite, file:DIR or sqlite:PATH"
            ", or postgresql://ADDRESS"
        )
        self.spec = spec
        self.source = source


class Unsupported(UsageError):
    """Something that is planned but that this version does not have."""


class UnknownRun(FlopodError):
    """No run of this id in the storage that was asked."""

    exit_code = 4

    def __init__(self, run_id: str, where: str = "", near: Sequence[str] = ()) -> None:
        super().__init__(f"no run {run_id!r}" + (f" in {where}" if where else "") + _near(near))
        self.run_id = run_id
        self.where = where
        self.near = list(near)


class Conflict(FlopodError):
    """A run is in no state for what was asked of it."""

    exit_code = 2

    def __init__(self, run_id: str, status: str, why: str) -> None:
        super().__init__(f"the run {run_id!r} is {status}: {why}")
        self.run_id = run_id
        self.status = status


class UnknownPath(UnknownRun):
    """The run cannot wait at this path, or has done nothing there."""

    def __init__(
        self, run_id: str, path: str, near: Sequence[str] = (), *, what: str = "cannot wait at"
    ) -> None:
        FlopodError.__init__(self, f"the run {run_id!r} {what} {path!r}{_near(near)}")
        self.run_id = run_id
        self.path = path
        self.near = list(near)


class UnknownEvent(UnknownRun):
    """The run waits at this path, but for another event."""

    def __init__(self, run_id: str, path: str, event: str, near: Sequence[str] = ()) -> None:
        FlopodError.__init__(
            self, f"the run {run_id!r} does not wait for the event {event!r} at {path!r}{_near(near)}"
        )
        self.run_id = run_id
        self.path = path
        self.event = event
        self.near = list(near)


def _near(candidates: Sequence[str]) -> str:
    if not candidates:
        return ""
    return "; did you mean " + " or ".join(repr(candidate) for candidate in candidates) + "?"


class DivergenceError(FlopodError):
    """The recorded history and the code that replays it disagree at `path`."""

    exit_code = 5

    def __init__(self, path: str, recorded: str, current: str, hint: str = "") -> None:
        lines = [f"the run diverged at {path!r}", f"  recorded: {recorded}", f"  the code: {current}"]
        super().__init__("\n".join([*lines, f"  help: {hint}"] if hint else lines))
        self.path = path
        self.recorded = recorded
        self.current = current


class BuildMismatch(FlopodError):
    """The run was made by a build that this one cannot stand in for."""

    exit_code = 5

    def __init__(self, run_id: str, needs: str, this: str, why: str = "") -> None:
        because = f" ({why})" if why else ""
        super().__init__(
            f"the run {run_id!r} needs the build {needs}, this is {this}{because}; resume it with that "
            "build, or start a new run with another --run-id"
        )
        self.run_id = run_id
        self.needs = needs
        self.this = this
        self.why = why


class StorageError(FlopodError):
    """The storage refused or lost something. The run itself is not failed: it can be resumed."""

    exit_code = 6

    def __init__(self, message: str, *, file: str = "") -> None:
        super().__init__(f"{file}: {message}" if file else message)
        self.file = file


class DamagedLog(StorageError):
    """A record that was once written cannot be read. Nothing was changed.

    `line` counts from 1 and is 0 where the whole store is meant; `offset` is None outside of files.
    """

    def __init__(self, file: str, line: int, offset: int | None, why: str) -> None:
        place = f"record {line}" if offset is None else f"line {line} (byte offset {offset})"
        super().__init__(f"{place if line else 'it'} is damaged: {why}; nothing was changed", file=file)
        self.line = line
        self.offset = offset
        self.why = why


class HiddenValue(StorageError):
    """A value is there, but this process was not told how it is kept. Nothing was changed."""

    def __init__(self, run_id: str, why: str) -> None:
        super().__init__(f"the run {run_id!r} cannot be read: {why}; nothing was changed")
        self.run_id = run_id
        self.why = why


class DamagedRecord(StorageError):
    """The bytes of one record make no sense. A store turns it into a DamagedLog that says where."""


class ReadOnlyStorage(StorageError):
    """The storage can be read but not written."""

    def __init__(self, file: str, why: str = "") -> None:
        super().__init__(
            "cannot be written" + (f" ({why})" if why else "") + "; choose another place with --backend",
            file=file,
        )
        self.why = why


class StorageFull(StorageError):
    """No room is left. What was committed is intact, and the run resumes when there is room."""

    def __init__(self, file: str, why: str = "no space left on the device") -> None:
        super().__init__(f"{why}; the run keeps what it has and resumes when there is room", file=file)
        self.why = why


class SyncFailed(StorageError):
    """The system could not confirm that a write reached the disk, so it counts as not written."""


class RunHeld(FlopodError):
    """Another process, or another place in this one, runs this run."""

    exit_code = 7

    def __init__(self, run_id: str, pid: int | None = None, host: str = "") -> None:
        who = f"the process {pid}" if pid else "another process"
        where = f" on {host}" if host else ""
        super().__init__(f"the run {run_id!r} is held by {who}{where}; wait until it ends, or stop it")
        self.run_id = run_id
        self.pid = pid
        self.host = host


class Fenced(RunHeld):
    """Another writer appended to the run, so that this one must stop at once."""

    def __init__(self, run_id: str, expected: int, found: int) -> None:
        FlopodError.__init__(
            self,
            f"the log of the run {run_id!r} ends at {found}, not at {expected}: another process writes to it",
        )
        self.run_id = run_id
        self.pid = None
        self.host = ""
        self.expected = expected
        self.found = found
