"""Puts runs of the store in line: those that are open when an engine opens, and those that come later."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeAlias

from flopod.backends.base import Backend
from flopod.engine.family import Family
from flopod.engine.kin import Kin
from flopod.engine.line import Line
from flopod.engine.misfits import Misfits
from flopod.engine.outcome import OpenWait
from flopod.engine.ready import Place
from flopod.engine.standing import waits_of
from flopod.events import AT_REST, RunSummary

_PIECE = 500

OnWaiting: TypeAlias = Callable[[str, Sequence[OpenWait]], None]


class Uptake:
    """Takes up what is of the `kin`, and no run that is among the `misfits`.

    `on_waiting` is called with the run id and the open waits of a run that goes on waiting.
    """

    def __init__(
        self,
        backend: Backend,
        line: Line,
        family: Family,
        kin: Kin,
        misfits: Misfits,
        on_waiting: OnWaiting | None,
    ) -> None:
        self._backend = backend
        self._line = line
        self._family = family
        self._kin = kin
        self._misfits = misfits
        self._on_waiting = on_waiting

    def take_all(self) -> None:
        """Take up the open runs of the store."""
        runs = (summary for summary in self._backend.each_open() if summary in self._kin)
        while some := list(islice(runs, _PIECE)):
            delivered = self._backend.inbox_tails([one.run_id for one in some if one.status == "waiting"])
            for summary in some:
                self._take(summary, delivered.get(summary.run_id, 0))

    def take(self, run_id: str) -> None:
        """Take up a run whatever it is, if it is open."""
        self._kin.adopt(run_id)
        self._misfits.forget(run_id)
        summary = self._backend.summary(run_id)
        if summary is not None and summary.status not in AT_REST:
            self._take(summary, self._backend.inbox_tails([run_id]).get(run_id, 0))
            self._line.changed.set()

    def look_at(self, run_id: str) -> None:
        """Put a run in line that somebody has started, resumed, retried or copied."""
        summary = self._backend.summary(run_id)
        if summary is None or summary.status in AT_REST or summary not in self._kin:
            return
        if not self._misfits.pass_on(summary):
            self._line.begin(summary)
            self._family.cancel_orphan(summary)
            self._line.changed.set()

    def _take(self, summary: RunSummary, delivered: int) -> None:
        self._let_in(summary, delivered)
        self._family.cancel_orphan(summary)

    def _let_in(self, summary: RunSummary, delivered: int) -> None:
        self._family.taken_up(summary)
        if summary.status == "pending":
            self._line.begin(summary)
            return
        self._line.ready.hold(summary.run_id, Place.of(summary))
        # A child may have ended, or something have come, while nobody was here.
        if summary.status == "waiting" and not summary.children and delivered <= summary.inbox:
            self._line.put_away(summary.run_id, summary.next_due)
            if self._on_waiting is not None:
                self._on_waiting(summary.run_id, waits_of(summary))
        else:
            self._line.ready.go_on(summary.run_id)
