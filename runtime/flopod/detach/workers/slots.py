"""What runs children one after another for a thread of the pool: a process, or the thread itself."""

import asyncio
from functools import partial
from typing import NamedTuple, Protocol

from flopod.detach.driver import RunChild
from flopod.detach.handle import mark_done, mark_failed, mark_running
from flopod.detach.running import Item
from flopod.detach.workers.errors import WorkerDied, failure_of
from flopod.detach.workers.payload import Payload, Reply
from flopod.detach.workers.process import StartMethod, WorkerProcess
from flopod.detach.workers.serve import call


class Job(NamedTuple):
    """A child that waits for a worker; `payload` is what a process gets of it."""

    item: Item
    payload: Payload | None = None


class Slot(Protocol):
    """Runs a child to the end of its handle; it raises what hindered it."""

    def run(self, job: Job) -> None: ...

    def end(self) -> None: ...


class InThread:
    """Runs children in the thread that it is called in."""

    def __init__(self, run: RunChild) -> None:
        self._run = run

    def run(self, job: Job) -> None:
        child, input, handle, _ = job.item
        mark_running(handle)
        try:
            result = asyncio.run(call(self._run, child, input))
        except BaseException as error:
            mark_failed(handle, failure_of(error))
        else:
            mark_done(handle, result)

    def end(self) -> None:
        """There is nothing to end."""


class InProcess:
    """Runs children in a process, and in another one when that has died."""

    def __init__(self, method: StartMethod) -> None:
        self._method: StartMethod = method
        self._process: WorkerProcess | None = None

    def run(self, job: Job) -> None:
        assert job.payload is not None
        reply: Reply | None = None
        try:
            while reply is None:  # a process that died before it took the child has not failed it
                self._process = self._process or WorkerProcess(self._method)
                reply = self._process.run(job.payload, partial(mark_running, job.item.handle))
                if reply is None:
                    self.end()
        except WorkerDied:
            self.end()
            raise
        mark_done(job.item.handle, reply.result())

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()
