"""The clocks of Python and of the engine, led by an event loop in virtual time."""

import asyncio
import datetime as dates
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flopod.testing.loop import VirtualLoop

START = 1_767_225_600.0
"""When a test begins, unless it says otherwise: 2026-01-01 00:00 UTC."""

_MONOTONIC = 1e6


class LoopClock:
    """The time of a loop for the engine, in milliseconds since the epoch."""

    real: bool = False

    def __init__(self, loop: VirtualLoop, start: float) -> None:
        self._loop = loop
        self.start = start

    def now(self) -> int:
        return round((self.start + self._loop.now) * 1000)

    def offset(self, ms: int) -> float:
        """Return when a moment is by the time of the loop."""
        return ms / 1000 - self.start

    async def pause(self, due: int | None, woken: asyncio.Event, idle: bool) -> None:
        del idle  # leaves take time too
        try:
            async with asyncio.timeout_at(None if due is None else self.offset(due)):
                await woken.wait()
        except TimeoutError:
            return


@contextmanager
def virtual_time(loop: VirtualLoop, start: float, *, steady: bool = True) -> Iterator[None]:
    """Meanwhile `time.time` and `time.sleep` are the loop's; `time.monotonic` and its like if `steady`."""
    fakes = _clocks(loop, start, steady)
    before = {name: getattr(time, name) for name in fakes}
    _set(fakes)
    try:
        yield
    finally:
        _set(before)


def _set(clocks: dict[str, Callable[..., Any]]) -> None:
    for name, clock in clocks.items():
        setattr(time, name, clock)


def _clocks(loop: VirtualLoop, start: float, steady: bool) -> dict[str, Callable[..., Any]]:
    def sleep(seconds: float) -> None:
        loop.now += seconds

    def now() -> float:
        return start + loop.now

    def monotonic() -> float:
        return _MONOTONIC + loop.now

    fakes: dict[str, Callable[..., Any]] = {"sleep": sleep, "time": now, "time_ns": _nanoseconds(now)}
    if steady:
        for name in ("monotonic", "perf_counter"):
            fakes |= {name: monotonic, f"{name}_ns": _nanoseconds(monotonic)}
    return {name: _named(fake, name) for name, fake in fakes.items()}


def _nanoseconds(seconds: Callable[[], float]) -> Callable[[], int]:
    return lambda: round(seconds() * 1000) * 1_000_000


def _named(fake: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Give a stand-in the name of the original, which is in the log."""

    @functools.wraps(getattr(time, name), assigned=("__doc__",))
    def clock(*args: Any) -> Any:
        return fake(*args)

    clock.__module__, clock.__name__, clock.__qualname__ = "time", name, name
    return clock


def calendar(clock: LoopClock) -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return what reads the time of a clock, by the function of `datetime` that it stands for."""

    def now(tz: dates.tzinfo | None = None) -> dates.datetime:
        return dates.datetime.fromtimestamp(clock.now() / 1000, tz)

    return {
        dates.datetime.now: now,
        dates.datetime.today: now,
        dates.datetime.utcnow: lambda: now(dates.UTC).replace(tzinfo=None),
        dates.date.today: lambda: now().date(),
    }
