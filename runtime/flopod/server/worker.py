"""What a process does that runs runs for a server, and has no HTTP of its own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from types import ModuleType
from typing import IO, Any, NoReturn

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine.ending import result_apart
from flopod.engine.hooks import Step, load_hooks
from flopod.errors import FlopodError
from flopod.server.enginehost import EngineHost
from flopod.server.host import Build, Start
from flopod.server.messages import (
    Adopt,
    Answer,
    Begin,
    Bind,
    Broken,
    Go,
    Halted,
    Idle,
    Look,
    Message,
    Misfit,
    Order,
    Ready,
    Startable,
    Stepping,
    line,
    read_order,
)
from flopod.server.stepping import Stepper
from flopod.workflow.tracebacks import author_traceback

_IDLE_SECONDS = 30.0
_LIMIT = 1 << 26


def work(
    build: Build, import_module: Callable[[str], ModuleType], backend: str | None, *, adopts_all: bool
) -> NoReturn:
    """Run runs of a build until standard input is closed, then end the process.

    With `adopts_all` these are all that fit, else those that it is told to adopt and what descends from them.
    """
    with result_apart() as out, choose(backend, os.environ) as store:
        try:
            working = Working(store, build, import_module, out, adopts_all=adopts_all)
        except Exception as error:
            send(out, Broken(author_traceback(error)))
            os._exit(1)
        asyncio.run(working.serve())
    os._exit(0)


def send(out: IO[str], message: Message) -> None:
    """Write a message, if anybody reads it."""
    with contextlib.suppress(OSError):
        out.write(line(message).decode())
        out.flush()


class Working:
    """An engine that is told what to do on standard input, and tells what comes of it on `out`.

    Making one imports the modules of the workflows, which may raise anything.
    """

    def __init__(
        self,
        backend: Backend,
        build: Build,
        import_module: Callable[[str], ModuleType],
        out: IO[str],
        *,
        adopts_all: bool,
    ) -> None:
        self._out = out
        self._build = build
        self._stepper = Stepper(load_hooks(build.manifest.hooks, import_module), self._halted)
        self._host = EngineHost(
            backend,
            build.manifest,
            import_module,
            adopts=None if adopts_all else lambda _: False,
            on_misfit=self._misfit,
            hooks=self._stepper,
        )
        self._engine = self._host.engine
        self._answering: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until standard input ends; the runs are left in order."""
        async with self._host:
            send(self._out, Ready(self._build.manifest.build, list(self._startable())))
            idle = asyncio.create_task(self._tell_when_idle())
            async for text in await _standard_input():
                self._obey(read_order(text))
            idle.cancel()
            self._engine.leave()
            os._exit(0)

    def _startable(self) -> Iterator[Startable]:
        for one in self._host.workflows():
            yield Startable(one.entry.name, one.description, one.schema)

    def _obey(self, order: Order) -> None:
        match order:
            case Adopt(run_id=run_id):
                self._engine.adopt(run_id)
            case Begin(number=number, start=start):
                self._answer(number, self._begin(start))
            case Bind(number=number, workflow=workflow, input=input):
                self._answer(number, self._host.bound(workflow, input))
            case Stepping(on=on):
                self._stepper.hold(on)
            case Go(run_id=run_id, on=on):
                self._stepper.go(run_id, on)
            case Look():
                self._engine.look()

    async def _begin(self, start: Start) -> None:
        await self._host.start(start)

    def _answer(self, number: int, work: Coroutine[Any, Any, Raw | None]) -> None:
        task = asyncio.create_task(self._answered(number, work))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answered(self, number: int, work: Coroutine[Any, Any, Raw | None]) -> None:
        try:
            answer = Answer(number, await work)
        except FlopodError as error:
            answer = Answer(number, error=Raw(codec.encode(error)))
        send(self._out, answer)

    def _misfit(self, run_id: str, error: FlopodError) -> None:
        send(self._out, Misfit(run_id, str(error)))

    def _halted(self, step: Step) -> None:
        send(self._out, Halted(step.run.run_id, step.path, step.callee))

    async def _tell_when_idle(self) -> None:
        while True:
            await asyncio.sleep(_IDLE_SECONDS)
            if not self._engine.has_runs:
                send(self._out, Idle())


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=_LIMIT)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader
