"""The driver that runs children beside this process: each in a process, or a thread, of a small pool."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from flopod.detach.driver import Capabilities, Child, RunChild
from flopod.detach.handle import DetachHandle, mark_failed
from flopod.detach.running import Item, run_child
from flopod.detach.workers.payload import Payload, by_name
from flopod.detach.workers.pool import Pool
from flopod.detach.workers.process import StartMethod
from flopod.detach.workers.slots import InProcess, InThread, Job, Slot
from flopod.durations import Duration, seconds


class _Worker:
    """Hands children to workers, which start when there is something to do and end when there is not."""

    def __init__(
        self, run: RunChild, size: int, threads: bool, method: StartMethod | None, idle: float
    ) -> None:
        self.name = "worker-thread" if threads else "worker"
        self.capabilities = Capabilities(in_process=threads, cpu_isolated=not threads)
        self._run = run
        self._size = size
        self._threads = threads
        self._method: StartMethod | None = method
        self._idle = idle
        self._pools: dict[int, Pool] = {}

    def validate(self) -> None:
        """Raises ValueError for a start method that is not there, TypeError for a runner without a name."""
        if self._threads:
            return
        from multiprocessing import get_all_start_methods

        known = get_all_start_methods()
        if self._method is not None and self._method not in known:
            raise ValueError(
                f"this system does not start processes by {self._method!r}; write context="
                f"{' or '.join(map(repr, known))}, or leave it out"
            )
        by_name(self._run)

    def schedule(self, child: Child, input: Any, ref_id: str) -> DetachHandle:
        item = Item.queued(child, input, ref_id)
        try:
            self._pool().put(Job(item, None if self._threads else self._written(child, input)))
        except Exception as error:
            mark_failed(item.handle, error)
        return item.handle

    def _written(self, child: Child, input: Any) -> Payload:
        from multiprocessing import current_process

        if current_process().daemon:
            raise RuntimeError(
                "a child in a worker process cannot detach to another one; use another driver there, such as "
                "microtask_batch_driver"
            )
        return Payload.of(self._run, child, input)

    def _pool(self) -> Pool:
        """The pool of this process: threads do not come along into one that is forked."""
        pid = os.getpid()
        return self._pools.get(pid) or self._pools.setdefault(pid, Pool(self._slot(), self._size, self._idle))

    def _slot(self) -> Callable[[], Slot]:
        if self._threads:
            return partial(InThread, self._run)
        return partial(InProcess, self._method or _safest())

    def __repr__(self) -> str:
        return f"<driver {self.name}>"


def create_worker_driver(
    run: RunChild = run_child,
    *,
    workers: int | None = None,
    threads: bool = False,
    context: StartMethod | None = None,
    idle: Duration = 30,
) -> _Worker:
    """A driver that runs children in processes, so that they have processors and memory of their own.

    There are `workers` at most, as many as processors by default, started when they are needed and ended
    when they have had nothing to do for `idle` (seconds, or "30s"). A child and `run` are sent by name, so
    they stand at the top level of modules; an input, a result and an error as a log would hold them. What
    cannot be sent fails the handle at once. A process that dies fails the child that it was running.

    `context` says how processes start: by default "forkserver" where there is one, else "spawn". "fork" is
    quickest, and copies this process with its locks and files, whatever its other threads are doing.
    With `threads` children run in threads of this process, and nothing is sent or copied.
    """
    size = workers if workers is not None else os.cpu_count() or 1
    if size < 1:
        raise ValueError(f"workers={workers}: a driver needs one worker at least")
    return _Worker(run, size, threads, context, seconds(idle))


worker_driver = create_worker_driver()


def _safest() -> StartMethod:
    from multiprocessing import get_all_start_methods

    return "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
