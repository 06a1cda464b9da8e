"""Runs that do not fit the build of a server go on in processes of the builds that they were begun with."""

import asyncio
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flopod.backends.base import Backend
from flopod.errors import FlopodError
from flopod.server.builds import KeptBuilds
from flopod.server.messages import Adopt, Idle, Misfit, Report
from flopod.server.process import Worker

_GRACE = 10.0
_AGAIN = 2.0
_SETTLED = 5.0
_LOGGER = logging.getLogger("flopod.server")


class OlderBuilds:
    """One process for each older build that has runs to go on with; `chosen` is the backend as given.

    A process that ends by itself is started again, and gets its runs again.
    """

    def __init__(self, backend: Backend, kept: KeptBuilds, chosen: str | None) -> None:
        self._backend = backend
        self._kept = kept
        self._chosen = chosen
        self._folder = TemporaryDirectory(prefix="flopod-builds-", ignore_cleanup_errors=True)
        self._workers: dict[str, Worker] = {}
        self._given: defaultdict[str, set[str]] = defaultdict(set)
        self._given_at: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def why_not(self, run_id: str) -> str:
        """Return why a run goes on nowhere, "" if it does."""
        return self._reasons.get(run_id, "")

    def take(self, run_id: str, error: FlopodError) -> None:
        """Let a run go on with its own build, or remember why it cannot."""
        run = self._backend.summary(run_id)
        build = "" if run is None else run.build
        if self._closing or run is None:
            return
        if not self._kept.can_run(build):
            self._reasons[run_id] = str(error)
            _LOGGER.warning("run %s goes on nowhere: %s", run_id, error)
            return
        self._given[build].add(run_id)
        self._given_at[build] = time.monotonic()
        worker = self._workers.get(build)
        if worker is None:
            self._spawn(build)
        else:
            worker.tell(Adopt(run_id))

    def _spawn(self, build: str) -> None:
        path = self._kept.write(build, Path(self._folder.name))
        command = [sys.executable, str(path), "worker", *([] if self._chosen is None else [self._chosen])]
        worker = Worker(
            command,
            os.environ,
            lambda report: self._told(build, report),
            lambda status: self._ended(build, status),
        )
        self._workers[build] = worker
        self._do(self._started(build, worker))

    async def _started(self, build: str, worker: Worker) -> None:
        await worker.start()
        for run_id in self._given[build]:
            worker.tell(Adopt(run_id))

    def _told(self, build: str, report: Report) -> None:
        match report:
            case Misfit(run_id=run_id, reason=reason):
                self._given[build].discard(run_id)
                self._reasons[run_id] = reason
            case Idle() if time.monotonic() - self._given_at.get(build, 0) > _SETTLED:
                self._given.pop(build, None)
                worker = self._workers.pop(build, None)
                if worker is not None:
                    self._do(worker.stop(_GRACE))
            case _:
                pass

    def _ended(self, build: str, status: int) -> None:
        if self._workers.pop(build, None) is not None and self._given[build] and not self._closing:
            _LOGGER.warning("the process of the build %s ended with %s; it is started again", build, status)
            asyncio.get_running_loop().call_later(_AGAIN, self._again, build)

    def _again(self, build: str) -> None:
        if not self._closing and build not in self._workers:
            self._spawn(build)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let all processes leave their runs in order, and end."""
        self._closing = True
        await asyncio.gather(*(worker.stop(_GRACE) for worker in self._workers.values()))
        self._folder.cleanup()
