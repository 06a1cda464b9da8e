"""Logs that pages have read lately, read on from where they ended."""

from collections import OrderedDict
from threading import Lock

from flopod.backends.base import Backend
from flopod.events import Record, RunSummary, present

_RUNS = 32
_RECORDS = 200_000


class Logs:
    """Keeps the logs of a few runs. Its methods may be called from any thread."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._known: OrderedDict[str, tuple[int, list[Record]]] = OrderedDict()
        self._guard = Lock()

    def of(self, summary: RunSummary) -> list[Record]:
        """Return the log of a run, as far as its summary tells of it at least; it is not to be changed."""
        run_id = summary.run_id
        with self._guard:
            made, known = self._known.get(run_id, (0, []))
        if not known or made != summary.started_at or known[-1].seq > summary.seq:
            known = self._backend.load(run_id)
        elif known[-1].seq < summary.seq:
            known = present([*known, *self._backend.scan(run_id, known[-1].seq)])
        self._keep(run_id, summary.started_at, known)
        return known

    def _keep(self, run_id: str, made: int, records: list[Record]) -> None:
        with self._guard:
            self._known[run_id] = made, records
            self._known.move_to_end(run_id)
            while len(self._known) > 1 and self._is_full():
                self._known.popitem(last=False)

    def _is_full(self) -> bool:
        return len(self._known) > _RUNS or sum(len(known) for _, known in self._known.values()) > _RECORDS
