"""A worker process as its parent sees it: it is asked for one child at a time, and may die meanwhile."""

import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from flopod.detach.workers.errors import WorkerDied
from flopod.detach.workers.payload import Payload, Reply, Task, news
from flopod.detach.workers.serve import READY, serve

StartMethod: TypeAlias = Literal["fork", "spawn", "forkserver"]

_starting = threading.Lock()
_GLANCE = 1.0
_PATIENCE = 2.0


class WorkerProcess:
    """One process with a pipe of its own, so that its death is nobody else's."""

    def __init__(self, method: StartMethod) -> None:
        """Start it and wait until it is ready. Raises WorkerDied if it does not come so far."""
        import multiprocessing

        context: Any = multiprocessing.get_context(method)
        with _starting:  # a process that is forked meanwhile would hold the pipe open
            self._pipe, its_end = context.Pipe()
            try:
                self._process = context.Process(
                    target=serve, args=(its_end,), name="flopod worker", daemon=True
                )
                self._process.start()
            finally:
                its_end.close()
        self._told: set[str] = set()
        if self._receive() != READY:
            raise WorkerDied(
                f"the worker process could not start: it ended {self._how()}; a program that is started as a "
                'script needs `if __name__ == "__main__":` around what it does'
            )

    def run(self, payload: Payload, on_running: Callable[[], None]) -> Reply | None:
        """Run a child to its end; None if the process was gone before it took it. Raises WorkerDied."""
        with contextlib.suppress(OSError):
            self._pipe.send(Task(payload, news(self._told)))
        if self._receive() is None:
            return None
        on_running()
        reply: Reply | None = self._receive()
        if reply is None:
            raise WorkerDied(
                f"the worker process {self._process.pid} ended {self._how()} while it ran the child"
            )
        return reply

    def end(self) -> None:
        """Let it end, or make it."""
        with contextlib.suppress(OSError):
            self._pipe.send(None)
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(_PATIENCE)
        self._pipe.close()

    def _receive(self) -> Any:
        """Return the next message, None once there will be no more."""
        from multiprocessing.connection import wait

        while True:
            is_over = not self._process.is_alive()
            try:
                if self._pipe.poll():
                    return self._pipe.recv()
            except (EOFError, OSError):
                return None
            if is_over:
                return None
            # Not for ever: a sentinel is silent as long as a process that was forked elsewhere holds it.
            wait([self._pipe, self._process.sentinel], _GLANCE)

    def _how(self) -> str:
        self._process.join(_PATIENCE)
        status = self._process.exitcode
        if status is None or status >= 0:
            return f"with status {status}"
        return f"by {signal.Signals(-status).name}"
