"""Step mode: each step of a run waits until somebody lets it go."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import NamedTuple

from flopod.engine.hooks import Hooks, RunInfo, Step, StepEnd
from flopod.events import Event


class _Turn(NamedTuple):
    """A step that waits, and what lets it go."""

    path: str
    go: asyncio.Event


class Stepper(Hooks):
    """Holds steps back, for all runs or for some, and does what the program's `own` hooks do.

    `halted` is called with a run and the paths of all its steps that wait, whenever these are others. They
    are let go in the order in which they came. `seen` is called with each record of this process.
    """

    def __init__(
        self,
        own: Hooks | None,
        halted: Callable[[str, Sequence[str]], None],
        seen: Callable[[RunInfo, Event], None] = lambda *_: None,
        *,
        stepping: bool = False,
    ) -> None:
        self._own = own or Hooks()
        self._halted = halted
        self._seen = seen
        self._all = stepping
        self._some: dict[str, bool] = {}
        self._waiting: dict[str, list[_Turn]] = {}

    def hold(self, on: bool) -> None:
        """Hold the steps of all runs from now on, or let all go."""
        self._all = on
        self._some.clear()
        if not on:
            for run_id in list(self._waiting):
                self._let_go(run_id, self._waiting[run_id])

    def go(self, run_id: str, on: bool) -> None:
        """Let the next step of a run go, or with `on` all of its steps from now on."""
        if on:
            self._some[run_id] = False
        turns = self._waiting.get(run_id, [])
        self._let_go(run_id, turns if on else turns[:1])

    def _let_go(self, run_id: str, turns: Sequence[_Turn]) -> None:
        for turn in list(turns):
            turn.go.set()
            self._forget(run_id, turn)

    def _forget(self, run_id: str, turn: _Turn) -> None:
        turns = self._waiting.get(run_id, [])
        if turn in turns:
            turns.remove(turn)
            self._halted(run_id, [each.path for each in turns])
        if not turns:
            self._waiting.pop(run_id, None)

    async def _turn_of(self, step: Step) -> None:
        """Wait until a step may be taken, or is not wanted any more."""
        run_id = step.run.run_id
        turn = _Turn(step.path, asyncio.Event())
        turns = self._waiting.setdefault(run_id, [])
        turns.append(turn)
        self._halted(run_id, [each.path for each in turns])
        try:
            await turn.go.wait()
        finally:
            self._forget(run_id, turn)

    async def before_step(self, step: Step) -> None:
        if self._some.get(step.run.run_id, self._all):
            await self._turn_of(step)
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
        self._seen(run, event)
        return self._own.on_event(run, event)
