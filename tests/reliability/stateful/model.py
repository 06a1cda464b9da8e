"""What a store should answer, in plain Python: a dict of runs, and no thought of disks or processes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from flopod.backends.base import Filter
from flopod.errors import Fenced, FlopodError, RunHeld
from flopod.events import Event, Record, RunSummary, Span, fold


@dataclass
class Run:
    """A run that the model knows. `events` are those ever appended; `dropped` the numbers of those gone."""

    events: list[Event] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    summary: RunSummary | None = None

    def append(self, events: Sequence[Event], run_id: str) -> None:
        """Add events, and fold them into the summary."""
        for event in events:
            self.events.append(event)
            self.summary = fold(self.summary, len(self.events), event)
            self.summary.run_id = run_id

    @property
    def records(self) -> list[Record]:
        """The records that count."""
        numbered = enumerate(self.events, 1)
        return [Record(seq, event) for seq, event in numbered if seq not in self.dropped]


@dataclass
class Model:
    """Runs, what was delivered to them, documents, and who holds what."""

    runs: dict[str, Run] = field(default_factory=dict)
    inboxes: dict[str, list[tuple[int, str, bytes]]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    documents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def append(self, run_id: str, expected: int, events: Sequence[Event]) -> int | FlopodError:
        """Add events, unless the log ends elsewhere."""
        found = len(self.runs[run_id].events) if run_id in self.runs else 0
        if found != expected:
            return Fenced(run_id, expected, found)
        if events:
            self.runs.setdefault(run_id, Run()).append(events, run_id)
        return found + len(events)

    def load(self, run_id: str) -> list[Record]:
        """The records that count."""
        return self.runs[run_id].records if run_id in self.runs else []

    def summary(self, run_id: str) -> RunSummary | None:
        """The summary of a run."""
        return self.runs[run_id].summary if run_id in self.runs else None

    def listing(self, wanted: Filter) -> list[RunSummary]:
        """The summaries that are meant, the youngest run first."""
        found = [
            run.summary for run in self.runs.values() if run.summary and self._is_meant(run.summary, wanted)
        ]
        return sorted(found, key=lambda run: (run.started_at, run.run_id), reverse=True)

    def _is_meant(self, run: RunSummary, wanted: Filter) -> bool:
        texts = [run.run_id, run.workflow, run.error, *map(str, run.attributes.values())]
        return all(
            (
                not wanted.status or run.status in wanted.status,
                wanted.workflow is None or run.workflow == wanted.workflow,
                wanted.queue is None or run.queue == wanted.queue,
                all(run.attributes.get(name) == value for name, value in wanted.attributes.items()),
                wanted.started_after is None or run.started_at > wanted.started_after,
                wanted.started_before is None or run.started_at < wanted.started_before,
                not wanted.text or any(wanted.text in text.lower() for text in texts),
            )
        )

    def timers(self, before: int) -> list[tuple[int, str, str]]:
        """What wants to be woken before a time: (when, run, path)."""
        found = []
        for run_id, run in self.runs.items():
            if run.summary is not None and run.summary.status in ("running", "waiting"):
                due = {path: at for path, at in run.summary.timers().items() if at < before}
                found += [(at, run_id, path) for path, at in due.items()]
        return sorted(found)

    def mark(self, run_id: str, reason: str) -> bool:
        """Set the status of trouble."""
        run = self.runs.get(run_id)
        if run is None or run.summary is None:
            return False
        run.summary = replace(run.summary, status="storage_error", error=reason)
        return True

    def compact(self, run_id: str, dropped: Sequence[Span], taken: int) -> None:
        """Note which records are gone, and what may be gone of the inbox."""
        self.runs[run_id].dropped.update(seq for first, last in dropped for seq in range(first, last + 1))
        self.taken[run_id] = max(taken, self.taken.get(run_id, 0))

    def deliver(self, run_id: str, path: str, payload: bytes) -> int:
        """Add to an inbox."""
        items = self.inboxes.setdefault(run_id, [])
        items.append((len(items) + 1, path, payload))
        return len(items)

    def delete(self, run_id: str) -> bool | FlopodError:
        """Forget a run that nobody holds."""
        if run_id in self.held:
            return RunHeld(run_id)
        self.inboxes.pop(run_id, None)
        self.taken.pop(run_id, None)
        return self.runs.pop(run_id, None) is not None
