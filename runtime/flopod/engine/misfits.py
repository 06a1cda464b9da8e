"""Runs that do not fit the build of an engine, and are left to somebody who has the build that they need."""

import logging
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from flopod.backends.base import Backend
from flopod.engine.outcome import RunOutcome
from flopod.errors import BuildMismatch, FlopodError, UnknownDetach, UnknownWorkflow
from flopod.events import AT_REST, RunSummary

OnMisfit: TypeAlias = Callable[[str, BuildMismatch], None]

_LOGGER = logging.getLogger("flopod")


class _Left(NamedTuple):
    """Why a run was left, and how far it was then."""

    error: BuildMismatch
    stand: tuple[int, int]


class Misfits:
    """Tells `on_misfit` of each such run once, and again when something has come for it."""

    def __init__(self, backend: Backend, on_misfit: OnMisfit | None) -> None:
        self._backend = backend
        self._on_misfit = on_misfit
        self._left: dict[str, _Left] = {}

    def take(self, run_id: str, error: Exception) -> bool:
        """Leave a run for which this was raised to somebody else, if that is what it takes."""
        if self._on_misfit is None or not isinstance(error, BuildMismatch | UnknownWorkflow | UnknownDetach):
            return False
        summary = self._backend.summary(run_id)
        if summary is None:
            return False
        self._left[run_id] = left = _Left(_mismatch(summary, error), self._stand(summary))
        self._tell(run_id, left.error)
        return True

    def pass_on(self, run: RunSummary) -> bool:
        """Whether a run was left: it is told of again if something has come for it since."""
        left = self._left.get(run.run_id)
        if left is None:
            return False
        stand = self._stand(run)
        if stand != left.stand:
            self._left[run.run_id] = left._replace(stand=stand)
            self._tell(run.run_id, left.error)
        return True

    def outcome(self, run_id: str) -> RunOutcome | None:
        """Return how a run stands that was left, None for another one, and once it is over or at rest."""
        left = self._left.get(run_id)
        summary = None if left is None else self._backend.summary(run_id)
        if left is None or summary is None or summary.status in AT_REST:
            return None
        return RunOutcome("diverged", reason=str(left.error), error=left.error)

    def forget(self, run_id: str) -> None:
        """Let a run be tried again."""
        self._left.pop(run_id, None)

    def _tell(self, run_id: str, error: BuildMismatch) -> None:
        assert self._on_misfit is not None
        try:
            self._on_misfit(run_id, error)
        except Exception as raised:
            _LOGGER.error("nobody has taken %s: %s", run_id, error, exc_info=raised)

    def _stand(self, run: RunSummary) -> tuple[int, int]:
        """What differs once the run has gone on, or something was delivered to it."""
        return run.seq, self._backend.inbox_tails([run.run_id]).get(run.run_id, 0)


def _mismatch(run: RunSummary, error: FlopodError) -> BuildMismatch:
    if isinstance(error, BuildMismatch):
        return error
    return BuildMismatch(run.run_id, run.build or "(none)", "another one", str(error))
