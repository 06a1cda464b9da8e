"""All kinds of events, and what each is called on disk."""

from functools import cache
from typing import TypeAlias

from flopod.events import events as e

AnyEvent: TypeAlias = (
    e.RunStarted
    | e.RunResumed
    | e.RunPaused
    | e.CancelRequested
    | e.RunRewound
    | e.RunCancelled
    | e.RunDiverged
    | e.RunFailed
    | e.RunCompleted
    | e.ActivityStarted
    | e.ActivityCompleted
    | e.ActivityFailed
    | e.ActivityProgress
    | e.BranchTaken
    | e.Recorded
    | e.Abandoned
    | e.RaceWon
    | e.IterationCompleted
    | e.VarChanged
    | e.ListChanged
    | e.MapChanged
    | e.SleepStarted
    | e.SleepCompleted
    | e.WaitStarted
    | e.WaitCompleted
    | e.EventReceived
    | e.ChildStarted
    | e.ChildCompleted
    | e.Detached
    | e.DetachEnded
    | e.StepError
    | e.Compensated
    | e.Log
    | e.Compacted
)


def kind_of(event: e.Event) -> str:
    """Return the kind of `event` as it stands in its record, for example `activity_started`."""
    return _tag(type(event))


@cache
def _tag(kind: type[e.Event]) -> str:
    return str(kind.__struct_config__.tag)
