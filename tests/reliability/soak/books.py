"""What was executed and what was recorded: a leaf runs again only if it was in flight at a kill."""

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from flopod.backends import Backend
from flopod.backends.base import Filter
from flopod.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityStarted,
    Record,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunSummary,
    fold,
)


class Call(NamedTuple):
    """One attempt of a leaf."""

    run_id: str
    path: str
    attempt: int


class Books:
    """The log and the journal of a run and its children, compared after each kill."""

    def __init__(self, run_id: str, journal: Path) -> None:
        self.run_id = run_id
        self._journal = journal
        self._allowed: Counter[Call] = Counter()
        self._in_flight_at: Counter[Call] = Counter()

    def killed(self, store: Backend) -> None:
        """Note what was in flight at a kill."""
        for run in self._runs(store):
            self._in_flight_at.update(in_flight(run.run_id, store.load(run.run_id)))
        self._check_calls()

    def ended(self, store: Backend) -> None:
        """Check that all is over, that the logs are whole, and that nothing ran too often."""
        runs = self._runs(store)
        assert self.run_id in [run.run_id for run in runs]
        for run in runs:
            records = store.load(run.run_id)
            ends = [
                event for _, event in records if isinstance(event, RunCompleted | RunFailed | RunCancelled)
            ]
            assert len(ends) == 1, f"{run.run_id} ended {len(ends)} times: {ends}"
            assert records[-1].event is ends[0], f"{run.run_id} went on after its end"
            assert run == folded(run.run_id, records), f"the summary of {run.run_id} is not that of its log"
        self._check_calls()

    def _runs(self, store: Backend) -> list[RunSummary]:
        found = store.find(Filter(text=self.run_id))
        return [run for run in found if self._is_kin(run.run_id)]

    def _is_kin(self, run_id: str) -> bool:
        return f"{run_id}.".startswith(f"{self.run_id}.")

    def _check_calls(self) -> None:
        calls, arguments = self._calls()
        for call, times in calls.items():
            most = 1 + self._in_flight_at[call]
            assert times <= most, f"{call} was executed {times} times, and in flight at {most - 1} kills"
            assert len(arguments[call]) == 1, f"{call} had different arguments: {arguments[call]}"

    def _calls(self) -> tuple[Counter[Call], dict[Call, set[str]]]:
        calls: Counter[Call] = Counter()
        arguments: dict[Call, set[str]] = {}
        text = self._journal.read_text("utf-8") if self._journal.exists() else ""
        for line in text.splitlines():
            run_id, path, attempt, given = json.loads(line)
            if self._is_kin(run_id):
                call = Call(run_id, path, attempt)
                calls[call] += 1
                arguments.setdefault(call, set()).add(given)
        return calls, arguments


def in_flight(run_id: str, records: list[Record]) -> list[Call]:
    """The attempts that a log leaves open: begun, or to be begun, and nothing is recorded of their end."""
    attempts: dict[str, int] = {}
    for _, event in records:
        if isinstance(event, ActivityStarted):
            attempts.setdefault(event.path, 1)
        elif isinstance(event, ActivityCompleted):
            attempts.pop(event.path, None)
        elif isinstance(event, ActivityFailed):
            attempts[event.path] = event.attempt + 1
            if event.next_try is None:
                del attempts[event.path]
    return [Call(run_id, path, attempt) for path, attempt in attempts.items()]


def folded(run_id: str, records: list[Record]) -> RunSummary | None:
    """The summary that a log gives."""
    summary: RunSummary | None = None
    for seq, event in records:
        summary = fold(summary, seq, event)
        summary.run_id = run_id
    return summary
