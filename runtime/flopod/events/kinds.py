"""All kinds of events, and what each is called on disk."""

from functools import cache
from typing import TypeAlias

from flopod.events.events import (
    Abandoned,
    ActivityCompleted,
    ActivityFailed,
    ActivityProgress,
    ActivityStarted,
    BranchTaken,
    CancelRequested,
    ChildCompleted,
    ChildStarted,
    Compacted,
    Compensated,
    Detached,
    DetachEnded,
    Event,
    EventReceived,
    IterationCompleted,
    ListChanged,
    Log,
    MapChanged,
    RaceWon,
    Recorded,
    RunCancelled,
    RunCompleted,
    RunDiverged,
    RunFailed,
    RunPaused,
    RunResumed,
    RunRewound,
    RunStarted,
    SleepCompleted,
    SleepStarted,
    StepError,
    VarChanged,
    WaitCompleted,
    WaitStarted,
)

AnyEvent: TypeAlias = (
    RunStarted
    | RunResumed
    | RunPaused
    | CancelRequested
    | RunRewound
    | RunCancelled
    | RunDiverged
    | RunFailed
    | RunCompleted
    | ActivityStarted
    | ActivityCompleted
    | ActivityFailed
    | ActivityProgress
    | BranchTaken
    | Recorded
    | Abandoned
    | RaceWon
    | IterationCompleted
    | VarChanged
    | ListChanged
    | MapChanged
    | SleepStarted
    | SleepCompleted
    | WaitStarted
    | WaitCompleted
    | EventReceived
    | ChildStarted
    | ChildCompleted
    | Detached
    | DetachEnded
    | StepError
    | Compensated
    | Log
    | Compacted
)


def kind_of(event: Event) -> str:
    """Return the kind of `event` as it stands in its record, for example `activity_started`."""
    return _tag(type(event))


@cache
def _tag(kind: type[Event]) -> str:
    return str(kind.__struct_config__.tag)
