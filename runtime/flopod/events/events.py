"""What can happen in a run: one immutable struct for each kind of event in its log.

A value of the author (an input, a result, an error) is a `Raw`: JSON text made by the codec, which
is embedded in the record as it is. `at` is the time in milliseconds since the epoch, set by whoever
appends the event. The kind on disk is the name of the class in snake case.
"""

import re
from typing import Literal, TypeAlias

from msgspec import Raw, Struct

from flopod.events.parts import OptionalRaw, Standing, Totals, WaitPoint

Attribute: TypeAlias = str | int | float | bool


def _kind(class_name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower()


class Event(Struct, tag_field="kind", tag=_kind, omit_defaults=True, kw_only=True, frozen=True):
    """Base of all events; `path` is the operation in the run that it belongs to."""

    path: str = ""
    at: int = 0


class RunStarted(Event, kw_only=True, frozen=True):
    """Always the first event of a run; `generation` is that of the lock of its build.

    `queue`, `key` and `priority` say where it stands in line; `attributes` are what it can be found by. A
    fork names the run that it has its past from. A child names its `parent`, and ends with it unless it is
    `detached`. What was detached with a `driver` names it, and the `detach` of which it is the work.
    `versions` are those of the TypedDicts with migrations.
    """

    workflow: str
    input: Raw
    build: str = ""
    build_name: str = ""
    generation: str = ""
    hash_seed: int = 0
    parent: str | None = None
    detached: bool = False
    driver: str = ""
    detach: str = ""
    waits: list[WaitPoint] = []
    run_id: str = ""
    sync: bool = False
    queue: str = ""
    key: str = ""
    priority: int = 0
    attributes: dict[str, Attribute] = {}
    forked_from: str = ""
    versions: dict[str, int] = {}


class RunResumed(Event, kw_only=True, frozen=True):
    """Another process went on with the run; `crashed` if the one before was killed.

    A build of another generation says with `waits` where it can wait.
    """

    build: str = ""
    generation: str = ""
    waits: list[WaitPoint] = []
    crashed: bool = False
    reason: str = ""


class RunPaused(Event, kw_only=True, frozen=True):
    """The run rests until it is resumed on purpose."""

    reason: str = ""


class CancelRequested(Event, kw_only=True, frozen=True):
    """The body was told that the run is cancelled, where it waited; it may clean up before it ends."""

    reason: str = ""


class RunRewound(Event, kw_only=True, frozen=True):
    """What was recorded after `to` counts no more: the run goes on from there, but for what was delivered.

    The activity at `path`, if there is one, has all its attempts again. `standing` is what was open there.
    """

    to: int
    reason: str = ""
    standing: Standing = Standing()


class RunCancelled(Event, kw_only=True, frozen=True):
    """The run ended because somebody cancelled it."""

    reason: str = ""


class RunDiverged(Event, kw_only=True, frozen=True):
    """The log and the code disagree; nothing is lost."""

    reason: str = ""


class RunFailed(Event, kw_only=True, frozen=True):
    """The workflow raised."""

    error: Raw
    traceback: str = ""


class RunCompleted(Event, kw_only=True, frozen=True):
    """The workflow returned; `versions` are those of the TypedDicts with migrations."""

    result: Raw
    versions: dict[str, int] = {}


class ActivityStarted(Event, kw_only=True, frozen=True):
    """A leaf is about to be called; `callee` is `module:qualname`."""

    callee: str
    fingerprint: str
    args: OptionalRaw = None


class ActivityCompleted(Event, kw_only=True, frozen=True):
    """A leaf returned; `state` is the new state of the arguments that it changed.

    `versions` are those of the TypedDicts with migrations that its annotation names.
    """

    result: Raw
    state: OptionalRaw = None
    attempt: int = 1
    versions: dict[str, int] = {}


class ActivityFailed(Event, kw_only=True, frozen=True):
    """One attempt of a leaf raised; without `next_try` the error goes to the workflow."""

    attempt: int
    error: Raw
    state: OptionalRaw = None
    next_try: int | None = None
    traceback: str = ""


class ActivityProgress(Event, kw_only=True, frozen=True):
    """An attempt of a leaf is under way: it told its progress, or began anew where that may be only once."""

    attempt: int
    progress: OptionalRaw = None


class BranchTaken(Event, kw_only=True, frozen=True):
    """The outcome of a condition that holds a durable operation."""

    key: Raw


class Recorded(Event, kw_only=True, frozen=True):
    """A value read from outside (clock, random, environment) that replay repeats."""

    value: Raw
    callee: str = ""


class Abandoned(Event, kw_only=True, frozen=True):
    """Operations that had begun are cancelled: a timeout that was not needed, the losers of a race.

    Replay finds that out by itself; this is for those who only read what is open.
    """

    paths: list[str]


class RaceWon(Event, kw_only=True, frozen=True):
    """One arm of a race was first."""

    winner: str


class IterationCompleted(Event, kw_only=True, frozen=True):
    """One pass of a loop or fan-out ended, with everything begun under it.

    `snapshot` begins with the values of the durable state at the paths `states`, in this order. Changes
    of variables that were to be appended together with it are left out. `entry` is the fingerprint of what
    the loop carried when it began. `versions` are those of the TypedDicts with migrations.
    """

    index: int
    key: str = ""
    item: str = ""
    states: list[str] = []
    entry: str = ""
    versions: dict[str, int] = {}
    snapshot: OptionalRaw = None
    result: OptionalRaw = None
    error: OptionalRaw = None
    work: OptionalRaw = None


class VarChanged(Event, kw_only=True, frozen=True):
    """A durable variable has a new value."""

    value: Raw


class ListChanged(Event, kw_only=True, frozen=True):
    """A durable list was changed by `op`; `size` is its length after."""

    op: str
    args: Raw
    size: int


class MapChanged(Event, kw_only=True, frozen=True):
    """A durable mapping was changed by `op`; `size` is its length after."""

    op: str
    args: Raw
    size: int


class SleepStarted(Event, kw_only=True, frozen=True):
    """A timer runs until `due`, in milliseconds since the epoch."""

    due: int


class SleepCompleted(Event, kw_only=True, frozen=True):
    """The timer at this path went off."""


class WaitStarted(Event, kw_only=True, frozen=True):
    """The workflow waits for `event`, not longer than `due` if there is one."""

    event: str
    due: int | None = None
    schema: OptionalRaw = None


class WaitCompleted(Event, kw_only=True, frozen=True):
    """The wait ended, with a payload or by its timeout; `event_seq` is the event_received it took.

    `versions` are those of the classes with migrations that its type names.
    """

    payload: OptionalRaw = None
    timed_out: bool = False
    event_seq: int | None = None
    versions: dict[str, int] = {}


class EventReceived(Event, kw_only=True, frozen=True):
    """Item `inbox` of the run's inbox was taken over; `path` is the wait it is for."""

    event: str
    payload: Raw
    inbox: int


class ChildStarted(Event, kw_only=True, frozen=True):
    """A run of its own was started from here; a `detached` one does not end with this one."""

    child: str
    workflow: str
    input: Raw
    detached: bool = False


class ChildCompleted(Event, kw_only=True, frozen=True):
    """The child run at this path ended, with a result or an error.

    `versions` are those of the TypedDicts with migrations when it did.
    """

    child: str
    result: OptionalRaw = None
    error: OptionalRaw = None
    versions: dict[str, int] = {}


class Detached(Event, kw_only=True, frozen=True):
    """Work was handed to a driver as the run `child`, to be joined later or to be forgotten.

    `workflow` is the function that is called, `module:qualname`, or the workflow. `id` is that of the handle.
    """

    id: str
    driver: str
    mode: Literal["join", "forget"]
    child: str
    workflow: str
    input: Raw
    label: str = ""

    @property
    def detached(self) -> bool:
        """What is detached goes on when its parent ends."""
        return True


class DetachEnded(Event, kw_only=True, frozen=True):
    """Detached work that is to be joined ended, with a result or an error; fields as of a child's end."""

    id: str
    child: str
    result: OptionalRaw = None
    error: OptionalRaw = None
    versions: dict[str, int] = {}


ChildBegun: TypeAlias = ChildStarted | Detached
"""A run of its own was started."""

ChildEnded: TypeAlias = ChildCompleted | DetachEnded
"""The end of a run that this one is to see."""


class StepError(Event, kw_only=True, frozen=True):
    """A piece of work beside the main line raised, which goes on; `id` is the name of the task."""

    id: str
    error: Raw
    traceback: str = ""


class Compensated(Event, kw_only=True, frozen=True):
    """A compensation ran; without `error` it undid its step."""

    callee: str
    error: OptionalRaw = None


class Log(Event, kw_only=True, frozen=True):
    """A line that the workflow printed or logged."""

    message: str
    stream: Literal["stdout", "stderr", "logging"] = "stdout"
    level: str = ""
    logger: str = ""
    fields: OptionalRaw = None


class Compacted(Event, kw_only=True, frozen=True):
    """Records before this one do not count any more, and may be gone.

    `dropped` are all that the log has lost so far, as ranges of sequence numbers, first and last. Of
    what they said `inbox` stays, the last inbox item taken over, and `totals`, those of the whole run.
    """

    dropped: list[tuple[int, int]]
    inbox: int = 0
    totals: Totals
