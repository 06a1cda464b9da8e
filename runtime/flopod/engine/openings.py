"""New runs whose first event is not in the store yet, and who waits for it to be."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from flopod.backends.base import Backend
from flopod.engine.call import check_same
from flopod.engine.waits import first_event
from flopod.errors import StorageError
from flopod.events import RunStarted


class Openings:
    """First events by the ids of their runs, until their step takes them into the store."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._openings: dict[str, RunStarted] = {}
        self._fresh: set[str] = set()
        self._durable: dict[str, asyncio.Future[None]] = {}

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._openings

    def get(self, run_id: str) -> RunStarted | None:
        """Return the first event of a run that is not in the store."""
        return self._openings.get(run_id)

    def is_fresh(self, run_id: str) -> bool:
        """Whether the id of a run was just made, so that nobody else knows it yet."""
        return run_id in self._fresh

    def forget(self, run_id: str) -> None:
        """Let go of a first event: it is in the store, or never will be."""
        self._openings.pop(run_id, None)
        self._fresh.discard(run_id)

    @contextlib.contextmanager
    def opened(self, opening: RunStarted, *, fresh: bool) -> Iterator[asyncio.Future[None]]:
        """Take a new run; the future is done once its first event is `written`, or has `failed` to be."""
        run_id = opening.run_id
        self._openings[run_id] = opening
        if fresh:
            self._fresh.add(run_id)
        durable = self._durable[run_id] = asyncio.get_running_loop().create_future()
        try:
            yield durable
        except BaseException as error:
            self._fail(durable, error)
            raise
        else:
            self.written(run_id)
        finally:
            self._durable.pop(run_id, None)

    def written(self, run_id: str) -> None:
        """Tell who waits for it that the first event of a run is in the store."""
        durable = self._durable.get(run_id)
        if durable is not None and not durable.done():
            durable.set_result(None)

    def failed(self, run_id: str, error: Exception) -> bool:
        """Raise an error where the first event of a run is waited for; False if that is nowhere."""
        durable = self._durable.get(run_id)
        if durable is None or durable.done():
            return False
        durable.set_exception(error)
        return True

    @staticmethod
    def _fail(durable: asyncio.Future[None], error: BaseException) -> None:
        """Tell others who wait, if there are any: who has opened the run knows."""
        if not durable.done():
            durable.set_exception(StorageError(f"the run did not start: {error}"))
            durable.exception()

    async def is_started(self, opening: RunStarted, fn: Callable[..., Any]) -> bool:
        """Whether this run was started before, durably, here or by another process.

        Raises InputChanged if it is another run, and what `failed` is told if it could not be written.
        """
        recorded = self._openings.get(opening.run_id) or first_event(self._backend, opening.run_id)
        if recorded is None:
            return False
        check_same(opening.run_id, recorded, opening.workflow, opening.input, fn)
        durable = self._durable.get(opening.run_id)
        if durable is not None:
            await asyncio.shield(durable)
        return True
