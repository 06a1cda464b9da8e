"""Which runs of a store an engine takes up."""

from collections.abc import Callable
from typing import TypeAlias

from flopod.backends.base import Backend
from flopod.events import RunSummary

Adopts: TypeAlias = Callable[[RunSummary], bool]


class Kin:
    """The descendants of the run `ancestor`; those that it `adopts` or was given, and their descendants.

    With neither of the two it is all runs.
    """

    def __init__(self, backend: Backend, ancestor: str | None = None, adopts: Adopts | None = None) -> None:
        self.ancestor = ancestor
        self._backend = backend
        self._adopts = adopts
        self._given: set[str] = set()
        self._known: dict[str, bool] = {}

    @property
    def are_all(self) -> bool:
        """Whether every run is one of them."""
        return self.ancestor is None and self._adopts is None

    def adopt(self, run_id: str) -> None:
        """Take a run as one of them from now on."""
        self._given.add(run_id)
        self._known.clear()  # so are its descendants

    def __contains__(self, run: RunSummary) -> bool:
        return (
            self.are_all
            or run.run_id in self._given
            or (self._adopts is not None and self._adopts(run))
            or (run.parent is not None and self._descends(run.parent))
        )

    def _descends(self, parent: str) -> bool:
        known = parent == self.ancestor or self._known.get(parent)
        if known is None:
            summary = self._backend.summary(parent)
            known = self._known[parent] = summary is not None and summary in self
        return known
