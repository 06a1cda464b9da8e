"""Runs that begin and end in a store, without anybody who runs them."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.events import Event, RunCancelled, RunCompleted, RunFailed, RunResumed, RunStarted

AT = 1_700_000_000_000


def begin(store: Backend, run_id: str) -> None:
    """Let a run begin."""
    started = RunStarted(at=AT, run_id=run_id, workflow="greet", build="b", input=Raw(b"[]"))
    store.append(run_id, 0, [started])


def end(store: Backend, run_id: str, how: str = "completed", value: Any = None, *, after: int = 1) -> None:
    """Let a run end whose log ends at `after`."""
    store.append(run_id, after, [_end(how, value)])


def resume(store: Backend, run_id: str) -> None:
    """Let a run that has ended go on."""
    store.append(run_id, 2, [RunResumed(at=AT)])


def _end(how: str, value: Any) -> Event:
    if how == "failed":
        error = b'{"$":"exception","type":"builtins:ValueError","args":["no stock"]}'
        return RunFailed(at=AT + 1, error=Raw(error), traceback="Traceback\nValueError: no stock")
    if how == "cancelled":
        return RunCancelled(at=AT + 1, reason="not wanted")
    return RunCompleted(at=AT + 1, result=Raw(msgspec.json.encode(value)))


def until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < limit, "it never was so"
        time.sleep(0.02)
