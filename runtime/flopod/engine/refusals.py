"""Runs that were refused: another process has them, a hook does not want them, their store is in trouble."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable

from flopod.backends.base import Backend
from flopod.engine.misfits import Misfits
from flopod.engine.openings import Openings
from flopod.engine.outcome import RunOutcome
from flopod.errors import (
    DamagedLog,
    DivergenceError,
    Fenced,
    FlopodError,
    HiddenValue,
    RunHeld,
    StoppedByHook,
    StorageError,
    UnknownDetach,
)

_AT_MOST = 12
_LOGGER = logging.getLogger("flopod")


class Refusals:
    """Calls `again(run_id)` some seconds after a run was refused, once however often it was meanwhile.

    Where a commit of a killed process may have come late, it does so at once: that happens once a run. Where
    the store is in trouble, it does so less and less often: leaves whose outcome cannot be written run again
    each time. The `misfits` are left to others. With `says` it logs what another process may well be able to
    run, too.
    """

    def __init__(
        self,
        backend: Backend,
        seconds: float,
        again: Callable[[str], None],
        openings: Openings,
        misfits: Misfits,
        *,
        says: bool = False,
    ) -> None:
        self._backend = backend
        self._seconds = seconds
        self._again = again
        self._openings = openings
        self._misfits = misfits
        self._says = says
        self._refused: set[str] = set()
        self._were_late: set[str] = set()
        self._in_trouble: Counter[str] = Counter()
        self._said: dict[str, str] = {}
        self._left: set[str] = set()

    def __contains__(self, run_id: object) -> bool:
        """Whether a run was refused here, to be tried again later or left as it is."""
        return run_id in self._refused or run_id in self._left

    def outcome(self, run_id: str, error: Exception) -> RunOutcome:
        """Return what becomes of a run for which this was raised: "held" if it is tried again."""
        if self._openings.failed(run_id, error):
            return RunOutcome("storage_error", error=error)
        is_for_good = isinstance(error, DamagedLog | HiddenValue)
        if isinstance(error, RunHeld | StorageError | StoppedByHook) and not is_for_good:
            self._note(run_id, error)
            return RunOutcome("held", reason=str(error))
        self.over(run_id)
        if self._misfits.take(run_id, error):
            return RunOutcome("diverged", reason=str(error), error=error)
        self._left.add(run_id)
        if is_for_good:
            self._say_it_is_lost(run_id, error)
            return RunOutcome("storage_error", reason=str(error), error=error)
        if not isinstance(error, FlopodError):
            _LOGGER.error("run %s is left as it is", run_id, exc_info=error)
        elif self._says or isinstance(error, DivergenceError | UnknownDetach):
            _LOGGER.error("run %s is left as it is: %s", run_id, error)
        return RunOutcome("diverged", reason=str(error), error=error)

    def _note(self, run_id: str, error: FlopodError) -> None:
        if isinstance(error, StorageError):
            self._in_trouble[run_id] += 1
        self._say(run_id, error)
        if run_id not in self._refused:
            self._refused.add(run_id)
            asyncio.get_running_loop().call_later(self._delay(run_id, error), self._try_again, run_id)

    def _say_it_is_lost(self, run_id: str, error: Exception) -> None:
        """Let the log say, and the summary, that a run cannot be read; values may only be hidden from us."""
        _LOGGER.error("run %s is left as it is: %s", run_id, error)
        if isinstance(error, DamagedLog):
            with contextlib.suppress(StorageError):
                self._backend.mark(run_id, "storage_error", str(error))

    def _say(self, run_id: str, error: FlopodError) -> None:
        """Log what is no answer but a fault of somebody's, once as long as it is the same."""
        has_raised = isinstance(error, StoppedByHook) and error.__cause__ is not None
        if has_raised and self._said.get(run_id) != str(error):
            self._said[run_id] = str(error)
            _LOGGER.warning("%s; asked again every %g s", error, self._seconds, exc_info=error.__cause__)

    def are_of_store(self, run_id: str) -> bool:
        """Whether a run was let go because its store was in trouble."""
        return self._in_trouble[run_id] > 0

    def over(self, run_id: str) -> None:
        """The run was taken up."""
        self._were_late.discard(run_id)
        self._left.discard(run_id)
        self._in_trouble.pop(run_id, None)
        self._said.pop(run_id, None)

    def _delay(self, run_id: str, error: FlopodError) -> float:
        if isinstance(error, Fenced) and run_id not in self._were_late:
            self._were_late.add(run_id)
            return 0
        times = max(self._in_trouble[run_id] - 1, 0)
        return self._seconds * min(1 << times, _AT_MOST)

    def _try_again(self, run_id: str) -> None:
        self._refused.discard(run_id)
        self._again(run_id)
