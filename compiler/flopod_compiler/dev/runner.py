"""The process that runs the runs of `flopod dev`: started, asked, told, killed, and started again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw, structs

from flopod import codec
from flopod.engine import seed
from flopod.server.host import NotRunning, Start
from flopod.server.messages import (
    Answer,
    Begin,
    Bind,
    Blocked,
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
from flopod_compiler.dev.image import Image
from flopod_compiler.dev.saying import BAD, GOOD, WARNING, Terminal
from flopod_compiler.dev.worker import SIZE

_GRACE = 3.0
_AGAIN = 0.5
_SELDOM = 8.0
_PATIENCE = 15.0
_BUSY = "the worker process does not answer; crash it, or try again"
_UNBLOCK = "await in it, or make it a plain def, which runs in a thread"


@dataclass(slots=True)
class Running:
    """What is known of the process. `halted` are the paths of the steps that wait to be let go, by run.

    `blocked` is the place of code that lets nothing else run in it, "" if there is none.
    `starts` counts the processes that were ready.
    """

    pid: int | None = None
    is_ready: bool = False
    broken: str = ""
    blocked: str = ""
    ended: str = ""
    stepping: bool = False
    halted: dict[str, list[str]] = field(default_factory=dict)
    misfits: dict[str, str] = field(default_factory=dict)
    startable: list[Startable] = field(default_factory=list)
    starts: int = 0


class _Gone(Exception):
    """The process has ended before it answered."""


class Runner:
    """Runs one build at a time in a process of its own. `told` is called after each change of `state`.

    `chosen` is the backend as given on the command line.
    """

    def __init__(self, chosen: str | None, told: Callable[[], None], terminal: Terminal) -> None:
        self.state = Running()
        self.image: Image | None = None
        self._command = [sys.executable, "-m", "flopod_compiler.dev.worker", *([chosen] if chosen else [])]
        self._told = told
        self._terminal = terminal
        self._worker: Worker | None = None
        self._changing = asyncio.Lock()
        self._settled = asyncio.Event()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Raw | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause = _AGAIN
        self._closing = False

    # -- the process -----------------------------------------------------------------------------

    async def run(self, image: Image) -> None:
        """Run this build from now on; the process of the one before leaves its runs in order."""
        async with self._changing:
            self.image = image
            await self._stop()
            self.state.misfits.clear()
            self.state.ended = ""
            self._pause = _AGAIN
            await self._start(image)

    async def close(self) -> None:
        """Let the process leave its runs in order, and end it."""
        self._closing = True
        self._settled.set()
        for task in self._tasks:
            task.cancel()
        async with self._changing:
            await self._stop()

    async def _stop(self) -> None:
        worker, self._worker = self._worker, None
        self._lose()
        if worker is not None:
            await worker.stop(_GRACE)

    def _lose(self) -> None:
        """Forget what was known of a process that is gone."""
        state = self.state
        state.pid, state.is_ready, state.broken, state.blocked = None, False, "", ""
        state.halted.clear()
        self._settled.clear()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(_Gone())
        self._answers.clear()

    async def _start(self, image: Image) -> None:
        document = msgspec.msgpack.encode(structs.replace(image, stepping=self.state.stepping))
        first = len(document).to_bytes(SIZE) + document
        heard: Callable[[Report], None] = lambda report: self._heard(worker, report)  # noqa: E731
        ended: Callable[[int], None] = lambda status: self._ended(worker, status)  # noqa: E731
        worker = Worker(self._command, _environment(), heard, ended, first)
        self._worker = worker
        await worker.start()
        self.state.pid = worker.pid
        self._told()

    def _heard(self, worker: Worker, report: Report) -> None:
        if worker is not self._worker:
            return
        state = self.state
        match report:
            case Ready(workflows=workflows):
                self._is_ready(workflows)
            case Broken(traceback=traceback):
                state.broken = traceback
                self._settled.set()
                self._terminal.say(
                    BAD, "the source cannot be imported; it is tried again when a file is saved"
                )
                self._terminal.show(traceback, indent="  ")
            case Answer():
                _settle(self._answers.pop(report.number, None), report)
            case Misfit(run_id=run_id, reason=reason):
                if state.misfits.get(run_id) != reason:
                    self._terminal.say(WARNING, "does not fit the source as it is now:", strong=run_id)
                    self._terminal.show(reason, indent="  ")
                state.misfits[run_id] = reason
            case Blocked(place=place):
                self._is_blocked(place)
            case Halted(run_id=run_id, paths=paths):
                state.halted[run_id] = paths
                if not paths:
                    del state.halted[run_id]
            case _:
                return
        self._told()

    def _is_ready(self, workflows: list[Startable]) -> None:
        state = self.state
        state.startable, state.is_ready = workflows, True
        state.starts += 1
        self._settled.set()
        self._terminal.say(GOOD, f"worker {state.pid} runs it{' step by step' if state.stepping else ''}")

    def _is_blocked(self, place: str) -> None:
        """Nobody waits for the answers of a process that reads no questions."""
        self.state.blocked = place
        if place:
            self._terminal.say(WARNING, f"the worker does nothing else while {place} runs: {_UNBLOCK}")
            waiting, self._answers = self._answers, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(NotRunning(self.trouble()))
        else:
            self._terminal.say(GOOD, "the worker goes on")

    def _ended(self, worker: Worker, status: int) -> None:
        """One that ended by itself is started again, unless its source is broken."""
        if worker is not self._worker:
            return
        self._worker = None
        broken = self.state.broken
        self._lose()
        self.state.broken = broken
        if broken:
            self._settled.set()
        elif not self._closing:
            by = _how(status)
            self.state.ended = f"{worker.pid} ended by {by} at {time.strftime('%H:%M:%S')}"
            self._terminal.say(BAD, f"worker {worker.pid} ended by {by}; another one is started")
            self._do(self._again())
        self._told()

    async def _again(self) -> None:
        pause, self._pause = self._pause, min(2 * self._pause, _SELDOM)
        await asyncio.sleep(pause)
        async with self._changing:
            if self._worker is None and self.image is not None and not self._closing:
                await self._start(self.image)

    def _do(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- what it is asked and told ---------------------------------------------------------------

    async def start(self, start: Start) -> None:
        """Start a run. Raises what the process raises, and NotRunning."""
        known = structs.replace(start, fresh=False)
        await self._ask(lambda number, again: Begin(number, known if again else start))

    async def bound(self, workflow: str, input: Any) -> Raw:
        """Make of an input what a log holds. Raises what the process raises, and NotRunning."""
        return await self._ask(lambda number, _: Bind(number, workflow, input)) or Raw(b"[]")

    async def _ask(self, order: Callable[[int, bool], Begin | Bind]) -> Raw | None:
        """Ask the process, and once more the next one if it ends before it answers."""
        for again in (False, True):
            await self._until_settled()
            number = next(self._numbers)
            answer: asyncio.Future[Raw | None] = asyncio.get_running_loop().create_future()
            self._answers[number] = answer
            if self._tell(order(number, again)):
                with contextlib.suppress(_Gone):
                    return await self._answered(number, answer)
        raise NotRunning("the worker process ended before it answered; see the terminal, and try again")

    async def _answered(self, number: int, answer: asyncio.Future[Raw | None]) -> Raw | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await answer
        except TimeoutError:
            raise NotRunning(_BUSY) from None
        finally:
            self._answers.pop(number, None)

    async def _until_settled(self) -> None:
        """Wait until the process can be asked. Raises NotRunning."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE if self.image is not None else 0):
                await self._settled.wait()
        if self.trouble():
            raise NotRunning(self.trouble())

    def trouble(self) -> str:
        """Return why nothing runs now, "" if all is well."""
        state = self.state
        if state.broken:
            return "the source cannot be imported: " + state.broken.strip().splitlines()[-1]
        if state.blocked:
            return f"the worker process does nothing else while {state.blocked} runs: {_UNBLOCK}"
        return "" if state.is_ready and not self._closing else "the worker process is starting"

    def crash(self) -> None:
        """Kill the process as a crash does; another one is started after a moment."""
        self._pause = _AGAIN
        if self._worker is not None:
            self._worker.kill()

    def step_mode(self, on: bool) -> None:
        """Hold every step until it is let go, or let all go from now on."""
        self.state.stepping = on
        self._tell(Stepping(on))
        self._told()

    def go(self, run_id: str, on: bool) -> None:
        """Let the next step of a run go, or with `on` all of its steps."""
        self._tell(Go(run_id, on))

    def look(self) -> None:
        """Say that schedules were changed."""
        self._tell(Look())

    def _tell(self, message: Order) -> bool:
        return self._worker is not None and self._worker.tell(message)


def _environment() -> Mapping[str, str]:
    """Runs may be killed as often as one likes to watch it: none is parked for that."""
    given = {seed.VARIABLE: str(seed.DEFAULT_SEED), "FLOPOD_MAX_CRASHES": "1000"}
    return {**given, **os.environ}


def _how(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


def _settle(waiting: asyncio.Future[Raw | None] | None, answer: Answer) -> None:
    if waiting is None or waiting.done():
        return
    if answer.error is None:
        waiting.set_result(answer.value)
    else:
        raised = codec.decode(answer.error)
        waiting.set_exception(raised if isinstance(raised, Exception) else NotRunning(str(raised)))
