"""The drivers that run children on the event loop of the process, now or a little later."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeGuard

from flopod.detach.driver import Capabilities, Child, RunChild
from flopod.detach.handle import DetachHandle, mark_failed
from flopod.detach.loops import home
from flopod.detach.running import Item, begin, run_child
from flopod.durations import Duration, seconds

_IMMEDIATE = "immediate"

_Later = Callable[[asyncio.AbstractEventLoop, Callable[[], None]], object]


class _InProcess:
    """What drivers of the process have in common; `later(loop, call)` says when a child begins.

    `delay` is how long a child is kept back (seconds).
    """

    def __init__(self, name: str, run: RunChild, later: _Later, delay: float = 0) -> None:
        self.name = name
        self.delay = delay
        self.capabilities = Capabilities(immediate=name == _IMMEDIATE)
        self._run = run
        self._later = later

    @property
    def only_begins(self) -> bool:
        """Whether it decides when a child begins and nothing else: it has no runner of its own."""
        return self._run is run_child

    def schedule(self, child: Child, input: Any, ref_id: str) -> DetachHandle:
        item = Item.queued(child, input, ref_id)
        self._take(home(), item)
        return item.handle

    def _take(self, loop: asyncio.AbstractEventLoop, item: Item) -> None:
        self._on(loop, partial(self._later, loop, partial(self._begin, item)))

    def _on(self, loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
        if _is_here(loop):
            call()
        else:
            loop.call_soon_threadsafe(call)

    def _begin(self, item: Item) -> None:
        try:
            begin(item, self._run)
        except Exception as error:
            mark_failed(item.handle, error)

    def __repr__(self) -> str:
        return f"<driver {self.name}>"


class _Batching(_InProcess):
    """One call of `later` for all children that are detached before it comes."""

    def __init__(self, name: str, run: RunChild, later: _Later) -> None:
        super().__init__(name, run, later)
        self._batches: dict[asyncio.AbstractEventLoop, list[Item]] = {}

    def _take(self, loop: asyncio.AbstractEventLoop, item: Item) -> None:
        batch = self._batches.get(loop)
        if batch is not None:
            batch.append(item)
            return
        self._batches[loop] = [item]
        self._on(loop, partial(self._later, loop, partial(self._flush, loop)))

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        # First: what these children detach is the next batch.
        for item in self._batches.pop(loop, []):
            self._begin(item)


def create_microtask_batch_driver(run: RunChild = run_child) -> _Batching:
    """A driver that starts all children that were detached together in the next turn of the event loop."""
    return _Batching("microtask-batch", run, lambda loop, call: loop.call_soon(call))


def create_immediate_driver(run: RunChild = run_child) -> _InProcess:
    """A driver that starts a child at once: its handle is running when the detach returns. For tests."""
    return _InProcess(_IMMEDIATE, run, lambda _, call: call())


def create_set_immediate_driver(run: RunChild = run_child) -> _Batching:
    """A driver that lets the event loop do first what input and output is waiting for it."""
    # What the next turn's look at the files finds stands behind the first of the two calls.
    return _Batching("set-immediate", run, lambda loop, call: loop.call_soon(loop.call_soon, call))


def create_set_timeout_driver(delay: Duration = 0, run: RunChild = run_child) -> _InProcess:
    """A driver that starts each child `delay` after its own detach (seconds, or text such as "5s")."""
    wait = seconds(delay)
    name = f"set-timeout-{round(wait * 1000)}ms" if wait else "set-timeout"
    return _InProcess(name, run, lambda loop, call: loop.call_later(wait, call), wait)


microtask_batch_driver = create_microtask_batch_driver()
immediate_driver = create_immediate_driver()
set_immediate_driver = create_set_immediate_driver()
set_timeout_driver = create_set_timeout_driver()


def standard_driver(name: str) -> _InProcess | None:
    """Return a driver of the process, without a runner of its own, by its name; None if none has it."""
    delayed = re.fullmatch(r"set-timeout-(\d+)ms", name)
    if delayed is not None:
        return create_set_timeout_driver(int(delayed[1]) / 1000)
    known = (microtask_batch_driver, immediate_driver, set_immediate_driver, set_timeout_driver)
    return next((one for one in known if one.name == name), None)


def is_standard(driver: object) -> TypeGuard[_InProcess]:
    """Whether a driver is one of the process, without a runner of its own."""
    return isinstance(driver, _InProcess) and driver.only_begins


def _is_here(loop: asyncio.AbstractEventLoop) -> bool:
    with contextlib.suppress(RuntimeError):
        return asyncio.get_running_loop() is loop
    return False
