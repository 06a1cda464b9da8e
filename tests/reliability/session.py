"""What a process does to a store, with every kind of act, and the check that nothing acknowledged is lost."""

from msgspec import Raw

from flopod.backends import Backend
from flopod.errors import StorageError
from flopod.events import Compacted, Event, RunCompleted, Totals
from tests.contract.support import started, step


class Session:
    """What a process does to a store, with what was acknowledged of it."""

    def __init__(self, store: Backend) -> None:
        self.store = store
        self.acknowledged: list[Event] = []
        self.delivered: list[bytes] = []
        self.kept: bytes | None = None
        self.doubtful: list[Event] = []

    def append(self, *events: Event) -> None:
        """Append, and note what is acknowledged."""
        self.doubtful = []
        try:
            self.store.append("run", len(self.acknowledged), list(events))
        except StorageError:
            self.store.mark("run", "storage_error", "trouble")
            raise
        self.acknowledged += events

    def play(self) -> None:
        """Start, go on, take deliveries, keep a document, compact, end; a step that fails is done again."""
        for act in (
            lambda: self.append(started()),
            lambda: self.append(*step(0)),
            lambda: self.deliver(b"1"),
            lambda: self.append(*step(1)),
            lambda: self.keep(b"plan"),
            lambda: self.append(*(event for n in range(2, 9) for event in step(n))),
            lambda: self.append(Compacted(at=3, dropped=[(2, 14)], totals=Totals(started=7, done=7))),
            lambda: self.store.compact("run", [(2, 14)]),
            lambda: self.deliver(b"2"),
            lambda: self.append(RunCompleted(at=9, result=Raw(b"1"))),
        ):
            try:
                act()
            except StorageError:
                act()

    def deliver(self, payload: bytes) -> None:
        """Deliver, and note it."""
        self.store.deliver("run", "p", "e", payload)
        self.delivered.append(payload)

    def keep(self, document: bytes) -> None:
        """Keep a document, and note it."""
        self.store.keep("plan", "run", document)
        self.kept = document

    def check(self, store: Backend) -> None:
        """What was acknowledged is there, once and in order, for another process too."""
        gone = range(2, 15) if len(self.acknowledged) > 19 else range(0)
        numbered = [(seq, event) for seq, event in enumerate(self.acknowledged, 1) if seq not in gone]
        assert [tuple(record) for record in store.load("run")] == numbered
        assert [bytes(item.payload) for item in store.inbox("run")] == self.delivered
        assert store.kept("plan", "run") == self.kept
        summary = store.summary("run")
        assert summary is not None
        assert (summary.status, summary.seq) == ("completed", len(self.acknowledged))
