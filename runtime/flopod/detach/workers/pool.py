"""The threads of this process that wait for workers: as many as there is work for, as long as there is."""

import atexit
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from flopod.detach.handle import mark_failed
from flopod.detach.workers.slots import Job, Slot


class Pool:
    """Jobs in the order in which they came, and up to `size` threads, each with a slot of its own."""

    def __init__(self, make: Callable[[], Slot], size: int, idle: float) -> None:
        self._make = make
        self._size = size
        self._idle = idle
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._waiting = 0
        self._closed = False
        atexit.register(self.close)

    def put(self, job: Job) -> None:
        """Take a job; nothing is waited for. Raises RuntimeError when this process is ending."""
        with self._changed:
            if self._closed:
                raise RuntimeError("this process is ending: nothing can be detached any more")
            self._jobs.append(job)
            self._changed.notify()
            if self._waiting >= len(self._jobs) or self._threads == self._size:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._work, name="flopod detach worker", daemon=True).start()
        except RuntimeError as error:
            self._do_without(job, error)

    def close(self) -> None:
        """Start nothing more: at the end of the process, before its workers are ended."""
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()

    def _do_without(self, job: Job, error: RuntimeError) -> None:
        """Go on with the threads that there are; a job that has none fails."""
        with self._changed:
            self._threads -= 1
            if self._threads:
                return
            with contextlib.suppress(ValueError):
                self._jobs.remove(job)
        raise error

    def _work(self) -> None:
        slot = self._make()
        while (job := self._take()) is not None:
            try:
                slot.run(job)
            except BaseException as error:
                mark_failed(job.item.handle, error)
            del job  # nobody keeps its input while this waits for the next
        slot.end()

    def _take(self) -> Job | None:
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._jobs or self._closed, self._idle)
            self._waiting -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads -= 1
            return None
