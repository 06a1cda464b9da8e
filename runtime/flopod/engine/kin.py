"""Which of the runs of a store are an engine's to take up."""

from collections.abc import Callable

from flopod.backends.base import Backend
from flopod.events import RunSummary


class Kin:
    """The runs that are an engine's to take up.

    These are the descendants of one run, or without such an ancestor all that `adopts` says yes to, all if
    it is None; and in any case those that it was given, with what descends from them.
    """

    def __init__(
        self,
        backend: Backend,
        ancestor: str | None,
        adopts: Callable[[RunSummary], bool] | None = None,
    ) -> None:
        self._backend = backend
        self._adopts = adopts
        self._is_bound = ancestor is not None
        self._given: set[str] = set()
        self._known = {} if ancestor is None else {ancestor: True}

    def give(self, run_id: str) -> None:
        """Let a run be one of them, whatever else is said."""
        self._given.add(run_id)
        self._known[run_id] = True

    def __contains__(self, run: RunSummary) -> bool:
        if not self._is_bound and (self._adopts is None or self._adopts(run)):
            return True
        return run.run_id in self._given or (run.parent is not None and self._descends(run.parent))

    def _descends(self, run_id: str) -> bool:
        known = self._known.get(run_id)
        if known is None:
            summary = self._backend.summary(run_id)
            parent = None if summary is None else summary.parent
            known = self._known[run_id] = parent is not None and self._descends(parent)
        return known
