"""What `activity(...)` puts on a leaf, for the plain run and for a durable one."""

from collections.abc import Callable
from typing import Any

import msgspec

from flopod.retry import Retry


class ActivityOptions(msgspec.Struct, frozen=True):
    """What rides on a leaf; durations in seconds. `fn` is the bare function."""

    fn: Callable[..., Any]
    name: str | None = None
    retry: Retry | None = None
    timeout: float | None = None
    heartbeat: float | None = None
    compensate: Callable[..., Any] | None = None
    at_most_once: bool = False

    @property
    def call_name(self) -> str:
        """The name of a call of the leaf."""
        return self.name or str(getattr(self.fn, "__name__", repr(self.fn)))


def options_of(fn: Callable[..., Any]) -> ActivityOptions:
    """Return the options of a function, those of a bare one if it has none."""
    found: ActivityOptions | None = getattr(fn, "__flopod_activity__", None)
    return ActivityOptions(fn) if found is None else found
