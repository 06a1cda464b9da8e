"""The source of today and the process that runs it: compiled anew, and started anew, when it changes."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.server.builds import KeptBuilds
from flopod.server.host import Build, NotReady, Start
from flopod.server.messages import (
    Answer,
    Begin,
    Bind,
    Broken,
    Go,
    Halted,
    Look,
    Misfit,
    Order,
    Ready,
    Report,
    Startable,
    Stepping,
)
from flopod.server.process import Worker
from flopod_compiler.dev.compiling import Compiled, compile_source
from flopod_compiler.dev.watching import changed, look

_GRACE = 3.0
_AGAIN = 1.0


@dataclass(slots=True)
class State:
    """What the page shows of a session. `halted` are the steps that wait to be let go, by run."""

    compiling: bool = True
    compiled: Compiled = field(default_factory=Compiled)
    broken: str = ""
    pid: int | None = None
    crashed: str = ""
    stepping: bool = False
    halted: dict[str, list[Halted]] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)
    reloads: int = 0


class Session:
    """Compiles `src` whenever it changes, and has a worker process run it.

    `told` is called after each change of `state`. `chosen` is the backend as given on the command line.
    """

    def __init__(self, src: Path, backend: Backend, chosen: str | None, told: Callable[[], None]) -> None:
        self.state = State()
        self.build: Build | None = None
        self.startable: list[Startable] = []
        self.kept = KeptBuilds(backend)
        self._src = src
        self._chosen = chosen
        self._told = told
        self._worker: Worker | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Raw | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    # -- the source ------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Compile and run the source, now and after each change, until cancelled."""
        seen = look(self._src)
        while True:
            await self._take(await asyncio.to_thread(compile_source, self._src))
            seen = await changed(self._src, seen)
            self.state.compiling = True
            self._told()

    async def _take(self, compiled: Compiled) -> None:
        state = self.state
        state.compiling, state.compiled = False, compiled
        build = compiled.build
        if build is not None and (self.build is None or self.build.manifest.build != build.manifest.build):
            await asyncio.to_thread(self.kept.keep, build)
            self.build = build
            state.reloads += 1
            await self._restart()
        self._told()

    # -- the process -----------------------------------------------------------------------------

    async def _restart(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(_GRACE)
        state = self.state
        state.misfits.clear()
        state.broken = ""
        await self._spawn()

    async def _spawn(self) -> None:
        self.state.halted.clear()
        command = [sys.executable, "-m", "flopod_compiler.dev.worker", str(self._src)]
        if self._chosen is not None:
            command.append(self._chosen)
        worker = Worker(command, self._environment(), self._heard, lambda status: self._ended(worker, status))
        self._worker = worker
        await worker.start()
        self.state.pid = worker.pid

    def _environment(self) -> Mapping[str, str]:
        """Runs may be killed as often as one likes to watch it: none is parked for that."""
        return {**os.environ, "FLOPOD_MAX_CRASHES": os.environ.get("FLOPOD_MAX_CRASHES", "1000")}

    def _heard(self, report: Report) -> None:
        state = self.state
        match report:
            case Ready(workflows=workflows):
                self.startable = list(workflows)
                if state.stepping:
                    self._tell_worker(Stepping(True))
            case Broken(traceback=traceback):
                state.broken = traceback
            case Answer():
                waiting = self._answers.pop(report.number, None)
                if waiting is not None and not waiting.done():
                    _settle(waiting, report)
            case Misfit(run_id=run_id, reason=reason):
                state.misfits[run_id] = reason
            case Halted(run_id=run_id):
                state.halted.setdefault(run_id, []).append(report)
            case _:
                return
        self._told()

    def _ended(self, worker: Worker, status: int) -> None:
        """A worker that ended by itself is started again, unless its source is broken."""
        if worker is not self._worker:
            return
        self._worker = None
        self.state.pid = None
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(NotReady("the worker process has ended; try again"))
        self._answers.clear()
        if not self._closing and not self.state.broken:
            when = time.strftime("%H:%M:%S")
            by = f"signal {-status}" if status < 0 else f"status {status}"
            self.state.crashed = f"process {worker.pid} ended by {by} at {when}"
            self._do_again()
        self._told()

    def _do_again(self) -> None:
        task = asyncio.create_task(self._after_a_while())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after_a_while(self) -> None:
        await asyncio.sleep(_AGAIN)
        if self._worker is None and not self._closing:
            await self._spawn()
            self._told()

    # -- what the page asks for ------------------------------------------------------------------

    async def start(self, start: Start) -> None:
        """Have the worker start a run. Raises what it raises, and NotReady."""
        await self._ask(lambda number: Begin(number, start))

    async def bound(self, workflow: str, input: Any) -> Raw:
        """Have the worker make of an input what a log holds. Raises what it raises, and NotReady."""
        return await self._ask(lambda number: Bind(number, workflow, input)) or Raw(b"[]")

    async def _ask(self, order: Callable[[int], Begin | Bind]) -> Raw | None:
        number = next(self._numbers)
        answer: asyncio.Future[Raw | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        if not self._tell_worker(order(number)):
            del self._answers[number]
            raise NotReady(self.trouble() or "the worker process is starting; try again")
        return await answer

    def trouble(self) -> str:
        """Return why no run goes on now, "" if all is well."""
        if self.state.broken:
            return "the source cannot be imported: " + self.state.broken.strip().splitlines()[-1]
        if self.build is None:
            return "the source is being compiled" if self.state.compiling else "the source has errors"
        return "" if self._worker is not None else "the worker process is starting"

    def crash(self) -> bool:
        """Kill the worker as a crash does; it is started again after a moment."""
        if self._worker is None:
            return False
        self._worker.kill()
        return True

    def step_mode(self, on: bool) -> None:
        """Hold every step until it is let go, or let all go from now on."""
        self.state.stepping = on
        if not on:
            self.state.halted.clear()
        self._tell_worker(Stepping(on))
        self._told()

    def go(self, run_id: str, on: bool = False) -> None:
        """Let the next step of a run go, or with `on` all of its steps."""
        waiting = self.state.halted.get(run_id, [])
        del waiting[: len(waiting) if on else 1]
        if not waiting:
            self.state.halted.pop(run_id, None)
        self._tell_worker(Go(run_id, on))
        self._told()

    def look(self) -> None:
        """Say that schedules were changed."""
        self._tell_worker(Look())

    def _tell_worker(self, message: Order) -> bool:
        return self._worker is not None and self._worker.tell(message)

    async def close(self) -> None:
        """Let the worker leave its runs in order, and end it."""
        self._closing = True
        if self._worker is not None:
            await self._worker.stop(_GRACE)


def _settle(waiting: asyncio.Future[Raw | None], answer: Answer) -> None:
    if answer.error is None:
        waiting.set_result(answer.value)
    else:
        raised = codec.decode(answer.error)
        waiting.set_exception(raised if isinstance(raised, Exception) else NotReady(str(raised)))
