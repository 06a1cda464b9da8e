"""What a process does that runs runs for a server, and has no HTTP of its own."""

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from types import ModuleType
from typing import IO, Any, NoReturn

from msgspec import Raw

from flopod import codec
from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.engine import seed
from flopod.engine.ending import result_apart
from flopod.engine.hooks import RunInfo, load_hooks
from flopod.engine.registry import Compiled
from flopod.errors import FlopodError
from flopod.events import Event
from flopod.server.blocking import Blocking
from flopod.server.enginehost import EngineHost
from flopod.server.host import Build, NotRunning, Start
from flopod.server.messages import (
    Adopt,
    Answer,
    Begin,
    Bind,
    Blocked,
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
from flopod.server.trying import stuck_runs
from flopod.workflow.tracebacks import author_traceback

Seen = Callable[[RunInfo, Event], None]

_IDLE_SECONDS = 30.0
_GRACE = 3.0
_LIMIT = 1 << 26
_SENDING = threading.Lock()


def work(
    build: Build,
    import_module: Callable[[str], ModuleType],
    backend: str | None,
    *,
    adopts_all: bool,
    stepping: bool = False,
    seen: Seen = lambda *_: None,
) -> NoReturn:
    """Run runs of a build until standard input is closed, then end the process.

    With `adopts_all` these are all that fit, else those that it is told to adopt and what descends from them.
    With `stepping` each step waits to be let go. `seen` is called with each record of this process.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal sends it to all; the server says when to end
    _end_with_the_server()
    with result_apart() as out, choose(backend, os.environ) as store:
        try:
            working = Working(
                store, build, import_module, out, adopts_all=adopts_all, stepping=stepping, seen=seen
            )
        except (Exception, SystemExit) as error:
            send(out, Broken(author_traceback(error)))
            os._exit(1)
        asyncio.run(working.serve())
    os._exit(0)


def _end_with_the_server() -> None:
    """Let this process not outlive for long the one that started it, whatever it is busy with then."""
    server = os.getppid()
    closing = select.poll()
    closing.register(0, 0)  # that it was closed is told unasked

    def watch() -> None:
        closing.poll()
        while os.getppid() == server:  # it lives, and says how long it waits
            time.sleep(_GRACE / 10)
        time.sleep(_GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="flopod parent", daemon=True).start()


def send(out: IO[str], message: Message) -> None:
    """Write a message, if anybody reads it."""
    with _SENDING, contextlib.suppress(OSError):
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
        stepping: bool,
        seen: Seen,
    ) -> None:
        self._out = out
        self._build = build
        self._import_module = import_module
        self._adopts_all = adopts_all
        own = load_hooks(build.manifest.hooks, import_module)
        self._stepper = Stepper(own, self._halted, seen, stepping=stepping)
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
            blocking = Blocking(self._build.sources, lambda place: send(self._out, Blocked(place)))
            beside = [asyncio.create_task(self._tell_when_idle()), asyncio.create_task(blocking.watch())]
            if self._adopts_all:
                beside.append(asyncio.create_task(self._tell_stuck()))
            async for text in await _standard_input():
                self._obey(read_order(text))
            for task in beside:
                task.cancel()
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
        except Exception as error:  # of code that belongs to the source: a default, a type of an argument
            text = f"the source raised {author_traceback(error).strip()}"
            answer = Answer(number, error=Raw(codec.encode(NotRunning(text))))
        send(self._out, answer)

    def _misfit(self, run_id: str, error: FlopodError) -> None:
        send(self._out, Misfit(run_id, str(error)))

    async def _tell_stuck(self) -> None:
        manifest = self._build.manifest
        registry = Compiled(manifest, self._import_module, seed.current() or seed.DEFAULT_SEED)
        for run in await asyncio.to_thread(stuck_runs, self._host.backend, registry, manifest.build):
            send(self._out, Misfit(run.run_id, run.reason))

    def _halted(self, run_id: str, paths: Sequence[str]) -> None:
        send(self._out, Halted(run_id, list(paths)))

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
