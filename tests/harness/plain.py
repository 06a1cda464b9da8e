"""Runs a program as plain Python on asyncio, in virtual time, completing one leaf at each idle moment."""

from __future__ import annotations

import asyncio
import os
import random
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from types import ModuleType
from typing import Any, cast
from unittest import mock

from flopod import authoring
from tests.harness.cases import Scenario
from tests.harness.outcome import Outcome, captured, error_text, value_text
from tests.harness.program import Program
from tests.harness.recorder import PendingCall, Recorder, pick

START = 1_760_000_000.0
SAME_MOMENT = 0.0005
LIMIT = 20_000


class Stuck(AssertionError):
    """Nothing is ready, nothing is due, and the program has not ended."""


class IdleLoop(asyncio.SelectorEventLoop):
    """An event loop that completes one leaf whenever it is idle, and jumps to the next timer otherwise."""

    def __init__(self, seed: int | None) -> None:
        self.now = 0.0
        self.seed = seed
        self.pending: list[PendingCall] = []
        self.turns = 0
        super().__init__(cast(selectors.BaseSelector, _IdleSelector(self)))
        self._clock_resolution = 1e-9
        self._dues: set[float] = set()
        self.set_exception_handler(lambda *_: None)

    def time(self) -> float:
        return self.now

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Give each timer a moment of its own: what happens from outside happens one at a time."""
        while when in self._dues:
            when += 1e-6
        self._dues.add(when)
        return super().call_at(when, callback, *args, context=context)

    async def wait_for_turn(self, pending: PendingCall) -> None:
        pending.turn, begun = self.create_future(), self.turns
        self.pending.append(pending)
        try:
            await pending.turn
        except asyncio.CancelledError:
            pending.void = self.turns == begun
            raise

    def idle(self, timeout: float | None) -> None:
        """Do the next thing that happens from outside."""
        self.turns += 1
        self.pending = [item for item in self.pending if not item.turn.done()]
        if self.turns > LIMIT:
            raise Stuck(f"more than {LIMIT} turns")
        is_due = timeout is not None and timeout < SAME_MOMENT
        if self.pending and not is_due:
            pick(self.pending, self.seed).turn.set_result(None)
        elif timeout is not None:
            self.now += max(timeout, 1e-9)
        else:
            raise Stuck("the program waits for something that never comes")


class _IdleSelector(selectors.SelectSelector):
    """Asks the loop for the next completion instead of waiting for the operating system."""

    def __init__(self, loop: IdleLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.loop.idle(timeout)
        return []


@contextmanager
def surroundings(life: int) -> Iterator[None]:
    """What a process finds around it: other random numbers and another environment in each life."""
    state = random.getstate()
    random.seed(life)
    try:
        with mock.patch.dict(os.environ, {"FLOPOD_CASE_REGION": f"region{life}"}):
            yield
    finally:
        random.setstate(state)


def run_plain(
    program: Program, workflow: str, callees: Iterable[str], scenario: Scenario, *, seed: int | None = None
) -> Outcome:
    """Run `workflow` (`module:qualname`) uncompiled and say what could be seen of it."""
    loop = IdleLoop(seed)
    recorder = Recorder(loop.wait_for_turn, scenario.faults)
    with surroundings(0), _virtual_time(loop), _inbox(scenario), program.imported() as modules:
        recorder.install(modules, callees)
        with captured() as output:
            outcome = _drive(modules, workflow, scenario, loop)
    outcome.calls, outcome.void, outcome.output = recorder.calls, recorder.void, output
    return outcome


def find_workflow(modules: Mapping[str, ModuleType], workflow: str) -> Any:
    """The function that `module:qualname` names."""
    module, _, qualname = workflow.partition(":")
    found: Any = modules[module]
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _drive(modules: Mapping[str, ModuleType], workflow: str, scenario: Scenario, loop: IdleLoop) -> Outcome:
    function = find_workflow(modules, workflow)

    async def main() -> Any:
        result = function(*scenario.args, **scenario.kwargs)
        return await result if asyncio.iscoroutine(result) else result

    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return Outcome(value=value_text(runner.run(main())))
    except Stuck:
        raise
    except Exception as error:
        return Outcome(error=error_text(error))


@contextmanager
def _virtual_time(loop: IdleLoop) -> Iterator[None]:
    def sleep(seconds: float) -> None:
        loop.now += seconds

    with mock.patch.object(time, "sleep", sleep), mock.patch.object(time, "time", lambda: START + loop.now):
        yield


@contextmanager
def _inbox(scenario: Scenario) -> Iterator[None]:
    waiting: dict[str, deque[Any]] = {}
    for item in scenario.events:
        waiting.setdefault(item.event, deque()).append(item.payload)
    with mock.patch.object(authoring, "local_inbox", waiting):
        yield
