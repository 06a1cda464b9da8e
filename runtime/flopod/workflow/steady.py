"""The clocks that count from the start of a machine, as a run sees them: from one origin for all machines.

A difference is then right also if the run was killed, and went on after a restart or elsewhere. Within a
process they are as steady as the machine's own; they agree with the time of the run's event loop.
"""

import time
from collections.abc import Callable
from typing import Any

_ORIGIN = time.time_ns() - time.monotonic_ns()


def _nanoseconds() -> int:
    return _ORIGIN + time.monotonic_ns()


def _seconds() -> float:
    return _nanoseconds() / 1e9


STEADY: dict[Callable[..., Any], Callable[..., Any]] = {
    time.monotonic: _seconds,
    time.perf_counter: _seconds,
    time.monotonic_ns: _nanoseconds,
    time.perf_counter_ns: _nanoseconds,
}


def steady(_path: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return what to call for a value that is recorded: the steady clock in the place of the machine's."""
    return STEADY.get(fn, fn)
