"""Step mode: each step of a run waits until somebody lets it go."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from flopod.engine.hooks import Hooks, RunInfo, Step, StepEnd
from flopod.events import Event


class Stepper(Hooks):
    """Holds steps back, for all runs or for some, and does what the program's `own` hooks do.

    `halted` is called with each step that waits. Steps of one run are let go in the order in which they came.
    """

    def __init__(self, own: Hooks | None, halted: Callable[[Step], None]) -> None:
        self._own = own or Hooks()
        self._halted = halted
        self._all = False
        self._some: dict[str, bool] = {}
        self._waiting: defaultdict[str, deque[asyncio.Event]] = defaultdict(deque)

    def hold(self, on: bool) -> None:
        """Hold the steps of all runs from now on, or let all go."""
        self._all = on
        self._some.clear()
        if not on:
            for run_id in list(self._waiting):
                self._let_all_go(run_id)

    def go(self, run_id: str, on: bool) -> None:
        """Let the next step of a run go, or with `on` all of its steps from now on."""
        if on:
            self._some[run_id] = False
            self._let_all_go(run_id)
        elif self._waiting[run_id]:
            self._waiting[run_id].popleft().set()

    def _let_all_go(self, run_id: str) -> None:
        for each in self._waiting.pop(run_id, ()):
            each.set()

    async def before_step(self, step: Step) -> None:
        run_id = step.run.run_id
        if self._some.get(run_id, self._all):
            turn = asyncio.Event()
            self._waiting[run_id].append(turn)
            self._halted(step)
            await turn.wait()
        answer = self._own.before_step(step)
        if isawaitable(answer):
            await answer

    def should_run(self, run: RunInfo) -> bool | Awaitable[bool]:
        return self._own.should_run(run)

    def before_start(self, run: RunInfo) -> bool | Awaitable[bool]:
        return self._own.before_start(run)

    def after_step(self, step: Step, end: StepEnd) -> Awaitable[None] | None:
        return self._own.after_step(step, end)

    def on_event(self, run: RunInfo, event: Event) -> Awaitable[None] | None:
        return self._own.on_event(run, event)
