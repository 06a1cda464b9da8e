"""Waits for all that is detached, what is detached meanwhile included."""

import asyncio
import contextlib
import time

from msgspec import Struct

from flopod.detach.handle import DetachHandle
from flopod.detach.register import registry
from flopod.durations import Duration, seconds


class Flushed(Struct, frozen=True):
    """How many ended well and badly while they were waited for, and how many had not when the time was up."""

    done: int
    failed: int
    pending: int


async def flush_all_detached(timeout: Duration = 30) -> Flushed:
    """Wait until nothing detached is left in this process, for `timeout` at most (seconds, or "30s").

    What children detach in their turn is waited for too. A child that fails counts, and stops nothing. For
    the end of a process, or of a test.
    """
    end = time.monotonic() + seconds(timeout)
    seen: dict[int, DetachHandle] = {}
    while (left := end - time.monotonic()) > 0:
        waited = registry.handles()
        if not waited:
            break
        seen.update((id(one), one) for one in waited)
        await _any_of(waited, left)
    ended = [one.status for one in seen.values()]
    return Flushed(ended.count("done"), ended.count("failed"), len(registry))


async def _any_of(handles: list[DetachHandle], timeout: float) -> None:
    waits = [asyncio.ensure_future(_over(one)) for one in handles]
    try:
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.ALL_COMPLETED)
    finally:
        for one in waits:
            one.cancel()


async def _over(handle: DetachHandle) -> None:
    with contextlib.suppress(Exception):
        await handle.wait()
