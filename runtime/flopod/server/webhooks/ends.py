"""Which of the runs that are waited for have ended, asked of the store as seldom as it can be."""

from collections.abc import Iterable

from flopod.backends.base import Backend
from flopod.events import FINAL

_GONE = 24 * 3600 * 1000
"""Milliseconds after which a run that never began, or was removed, is waited for no more."""


class Ends:
    """The runs that are waited for, with the end of their logs when they were looked at last."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._since: dict[str, int] = {}
        self._tails: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._since)

    def wait_for(self, run_id: str, since: int) -> None:
        """Wait for a run, from `since` on (ms since the epoch)."""
        self._since.setdefault(run_id, since)

    def forget(self, run_id: str) -> None:
        """Wait for a run no more."""
        self._since.pop(run_id, None)
        self._tails.pop(run_id, None)

    def among(self, run_ids: Iterable[str]) -> list[str]:
        """Return which of these runs are waited for."""
        return [run_id for run_id in run_ids if run_id in self._since]

    def grown(self) -> list[str]:
        """Return the runs that are new here, or whose logs have grown since. Asks the store, once."""
        waiting = list(self._since)
        tails = self._backend.tails(waiting)
        grown = [run_id for run_id in waiting if tails.get(run_id, 0) != self._tails.get(run_id)]
        self._tails.update((run_id, tails.get(run_id, 0)) for run_id in grown)
        return grown

    def has_ended(self, run_id: str) -> bool:
        """Whether a run has ended."""
        summary = self._backend.summary(run_id)
        return summary is not None and summary.status in FINAL

    def ended(self, run_ids: Iterable[str], now: int) -> tuple[list[str], list[str]]:
        """Return which of these runs have ended, and which will never: both are waited for no more."""
        ended, gone = [], []
        for run_id in run_ids:
            summary = self._backend.summary(run_id)
            if summary is None:
                gone += [run_id] if now - self._since.get(run_id, now) > _GONE else []
            elif summary.status in FINAL:
                ended.append(run_id)
        return ended, gone
