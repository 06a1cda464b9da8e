"""What can be done to a run, and why something cannot be."""

from typing import NamedTuple

from flopod.events import FINAL, RunSummary


class Action(NamedTuple):
    """A button; without `reason` it can be pressed. `asks` is a question to be answered first."""

    name: str
    label: str
    reason: str = ""
    asks: str = ""
    danger: bool = False


def actions(summary: RunSummary) -> list[Action]:
    """Return the buttons of a run, in their order."""
    status = summary.status
    over = f"the run is {status}" if status in FINAL else ""
    is_at_rest = status in ("paused", "diverged")
    return [
        Action("resume", "Resume", "" if is_at_rest else over or "the run is not paused"),
        Action("pause", "Pause", over or (f"the run is {status} already" if is_at_rest else "")),
        Action("retry", "Retry", _no_retry(status)),
        Action("fork", "Fork"),
        Action(
            "cancel",
            "Cancel",
            over or ("the run is being cancelled" if summary.cancelling else ""),
            f"Cancel the run {summary.run_id}? Its body is told where it waits, and may clean up.",
            danger=True,
        ),
    ]


def _no_retry(status: str) -> str:
    if status in ("failed", "cancelled"):
        return ""
    return f"only a run that failed or was cancelled can be tried again; this one is {status}"
