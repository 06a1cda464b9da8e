"""Runs a program as plain Python on asyncio, in virtual time, completing one leaf at each idle moment."""

from __future__ import annotations

import asyncio
import os
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from flopod import authoring
from flopod.testing.clocks import virtual_time
from flopod.testing.loop import VirtualLoop
from flopod.workflow import forms
from tests.harness.cases import Scenario
from tests.harness.outcome import Outcome, captured, error_text, value_text
from tests.harness.program import Program
from tests.harness.recorder import PendingCall, Recorder, is_inside_a_leaf, pick

START = 1_760_000_000.0
SAME_MOMENT = 0.0005
LIMIT = 20_000


class Stuck(AssertionError):
    """Nothing is ready, nothing is due, and the program has not ended."""


class NumberedTask(asyncio.Task[Any]):
    """A task of the program, whose hash is its number."""

    number = 0

    def __hash__(self) -> int:
        return self.number


class IdleLoop(VirtualLoop):
    """A loop that completes one leaf whenever it is idle, and jumps to the next timer otherwise.

    What happens from outside happens one at a time.
    """

    def __init__(self, seed: int | None) -> None:
        super().__init__()
        self.seed = seed
        self.pending: list[PendingCall] = []
        self.turns = 0
        self.answers = 0
        self.set_exception_handler(lambda *_: None)
        self.created = 0
        self.set_task_factory(self._task)

    def _task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Number the tasks of the program as its compiled form does: sets of tasks then iterate alike."""
        if is_inside_a_leaf():
            return asyncio.Task(coro, loop=loop, **options)
        self.created += 1
        task = NumberedTask(coro, loop=loop, **{"name": f"Task-{self.created}", **options})
        task.number = self.created
        return task

    async def wait_for_turn(self, pending: PendingCall) -> None:
        pending.turn, begun = self.create_future(), self.answers
        self.pending.append(pending)
        try:
            await pending.turn
        except asyncio.CancelledError:
            pending.void = self.answers == begun
            raise

    def idle(self) -> None:
        """Do the next thing that happens from outside."""
        self.turns += 1
        if self.turns > LIMIT:
            raise Stuck(f"more than {LIMIT} turns")
        self.pending = [item for item in self.pending if not item.turn.done()]
        due = self.next_due()
        if self.pending and (due is None or due - self.now >= SAME_MOMENT):
            self.answers += 1
            pick(self.pending, self.seed).turn.set_result(None)
        elif due is not None:
            self.fire()
        else:
            raise Stuck("the program waits for something that never comes")


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
    ordered = mock.patch.object(asyncio, "as_completed", forms.as_completed)
    time = virtual_time(loop, START, steady=False)
    with surroundings(0), time, _inbox(scenario), ordered, program.imported() as modules:
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
    args, kwargs = scenario.given()

    async def main() -> Any:
        result = function(*args, **kwargs)
        return await result if asyncio.iscoroutine(result) else result

    try:
        with _left_in_order(), asyncio.Runner(loop_factory=lambda: loop) as runner:
            return Outcome(value=value_text(runner.run(main())))
    except Stuck:
        raise
    except (Exception, BaseExceptionGroup) as error:
        return Outcome(error=error_text(error))


@contextmanager
def _left_in_order() -> Iterator[None]:
    """Cancel the tasks that a program leaves behind in the order of their creation: asyncio's is a set's."""
    all_tasks = asyncio.all_tasks

    def ordered(loop: asyncio.AbstractEventLoop | None = None) -> list[asyncio.Task[Any]]:
        return sorted(all_tasks(loop), key=lambda task: getattr(task, "number", 0))

    with mock.patch.object(asyncio.tasks, "all_tasks", ordered):
        yield


@contextmanager
def _inbox(scenario: Scenario) -> Iterator[None]:
    waiting: dict[str, deque[Any]] = {}
    for item in scenario.events:
        waiting.setdefault(item.event, deque()).append(item.payload)
    with mock.patch.object(authoring, "local_inbox", waiting):
        yield
