"""A process in virtual time that serves many runs with an engine, until it is stopped or killed."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.clock import Clock
from flopod.engine.engine import Engine
from flopod.engine.gate import opening_of
from flopod.engine.kin import Kin
from flopod.events import RunSummary
from flopod.testing.scripted import Scripted
from flopod.testing.subject import Subject
from flopod.testing.tape import Tape
from flopod.workflow.core import Core

MakeEngine = Callable[[Clock], Engine]


class Serving(Scripted):
    """`make` makes the engine of a clock; `subjects` are its workflows by their names."""

    def __init__(
        self,
        make: MakeEngine,
        subjects: Mapping[str, Subject],
        backend: Backend,
        tape: Tape,
        *,
        start: float,
        now: float,
    ) -> None:
        installed = next(iter(subjects.values())).installed
        super().__init__(backend, tape, start=start, now=now, installed=installed)
        self.engine = make(self.clock)
        self._subjects = subjects
        self._workflows: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self.expect_open_waits(one.run_id for one in backend.open_runs())
        for later in tape.later:
            self.announce(later)
        self.surrounded(self.begin, self._serve())

    async def _serve(self) -> None:
        self.engine.enter()
        await self._stopping.wait()
        await self.engine.drain()

    def do(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let time go on until this work is done; the task is not done if it never will be."""
        task: asyncio.Task[Any] = self.surrounded(self.loop.create_task, work)
        self.drive(task.done)
        if not task.done():
            task.cancel()
        return task

    def stop(self) -> None:
        """End in good order: leaves under way may end."""
        self.surrounded(self._stopping.set)
        self.drive(lambda: self.is_over)
        self.close()

    def kill(self) -> None:
        """End as a process does that is killed: nothing is noted, and nothing goes on."""
        self.fence()
        self.engine.drop()
        self.close()

    # -- surroundings ----------------------------------------------------------------------------

    def entered(self, core: Core) -> None:
        self._workflows[core.run_id] = opening_of(core).workflow
        super().entered(core)

    def subject_of(self, run_id: str) -> Subject:
        return self._subjects[self._workflows.get(run_id) or self._summary(run_id).workflow]

    def _summary(self, run_id: str) -> RunSummary:
        summary = self.backend.summary(run_id)
        assert summary is not None
        return summary

    def kin_of(self, run_id: str) -> list[str]:
        kin = Kin(self.backend, run_id)
        return [one.run_id for one in self.backend.summaries() if one in kin][::-1]
