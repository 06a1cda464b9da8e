"""The process of a worker: runs children one after another, and ends when nobody is at the other end."""

import asyncio
import contextlib
import inspect
import os
import signal
import threading
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from flopod.codec import decode, encode, program_modules
from flopod.detach.flush import flush_all_detached
from flopod.detach.register import registry
from flopod.detach.workers.errors import failure_of
from flopod.detach.workers.payload import Payload, Reply, Task, news

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

READY, RUNNING = "ready", "running"
_GLANCE = 1.0


def serve(pipe: "Connection[Any, Any]") -> None:
    """Run what comes through the pipe until None comes. Called in the worker's process."""
    _be_a_worker()
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, tasks), name="flopod worker pipe", daemon=True).start()
    pipe.send(READY)
    told: set[str] = set()
    with contextlib.suppress(BrokenPipeError):  # the parent is gone
        while (task := tasks.get()) is not None:
            told.update(task.modules)
            program_modules(task.modules)
            pipe.send(RUNNING)
            asyncio.run(_serve(pipe, task.payload, told))


def _be_a_worker() -> None:
    """Undo what a fork brings along. An interrupt is the parent's, whose end is the end of this process."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    registry.reset()


def _listen(pipe: "Connection[Any, Any]", tasks: "SimpleQueue[Task | None]") -> None:
    """Take tasks while the main thread runs one. A parent that is gone ends a child that is under way."""
    parent = os.getppid()
    with contextlib.suppress(EOFError, OSError):
        while os.getppid() == parent:  # a sibling that was forked holds this pipe open
            if pipe.poll(_GLANCE):
                tasks.put(task := pipe.recv())
                if task is None:
                    return
    os._exit(1)


async def _serve(pipe: "Connection[Any, Any]", payload: Payload, told: set[str]) -> None:
    pipe.send(await _reply(payload, told))
    await flush_all_detached()  # what the child has detached in its turn, on this event loop


async def _reply(payload: Payload, told: set[str]) -> Reply:
    try:
        result = encode(await call(*map(decode, payload)), label="result")
    except BaseException as error:
        text = f"in the worker process {os.getpid()}:\n{_traceback(error)}"
        return Reply(False, encode(failure_of(error)), text, news(told))
    return Reply(True, result, "", news(told))


async def call(run: Any, child: Any, input: Any) -> Any:
    """Let a runner run a child, which may be awaited."""
    given = run(child, input)
    return await given if inspect.isawaitable(given) else given


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()
