"""What the runs of a file store are listed by, looked up again only for those whose files have changed."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from flopod.backends import disk
from flopod.backends.headlines import Headlines
from flopod.backends.listing import Page
from flopod.events import RunSummary, Status
from flopod.runid import is_run_id

_Stamp: TypeAlias = tuple[int, int, int]


class FileListing:
    """The runs with a log in the folder `directory`.

    `pulse` is another once a run has changed; `summary` gives that of a run, None if there is no such run.
    """

    def __init__(
        self, directory: Path, pulse: Callable[[], object], summary: Callable[[str], RunSummary | None]
    ) -> None:
        self._directory = directory
        self._pulse = pulse
        self._summary = summary
        self._lock = threading.Lock()
        self._headlines = Headlines()
        self._stamps: dict[str, tuple[_Stamp, _Stamp | None, _Stamp | None]] = {}
        self._seen: object = self

    def page(self, page: Page) -> list[RunSummary]:
        """Return the runs of a page. Raises BadInput, StorageError."""
        with self._lock:
            self._refresh()
            found = map(self._summary, self._headlines.of(page))
            return page.cut(summary for summary in found if summary is not None)

    def upwards(self, page: Page) -> Iterator[RunSummary]:
        """Yield the runs of a page from its other end, one by one. Raises as `page` does."""
        with self._lock:
            self._refresh()
            names = list(self._headlines.of(page))
        found = map(self._summary, reversed(names))
        return (summary for summary in found if summary is not None and summary.status in page.statuses)

    def counts(self) -> dict[Status, int]:
        """Return how many runs have each status that there is. Raises StorageError."""
        with self._lock:
            self._refresh()
            return self._headlines.counts()

    def _refresh(self) -> None:
        pulse = self._pulse()
        if pulse == self._seen:
            return
        # A lock tells of trouble that could be noted in no other place.
        logs, summaries, locks = self._files("events"), self._files("summaries"), self._files("locks")
        there = {
            run_id: (stamp, summaries.get(f"{run_id}.json"), locks.get(run_id))
            for name, stamp in logs.items()
            if is_run_id(run_id := name.removesuffix(".jsonl")) and run_id != name
        }
        for run_id in self._stamps.keys() - there:
            self._headlines.drop(run_id)
        for run_id, stamps in there.items():
            if self._stamps.get(run_id) != stamps:
                self._note(run_id)
        self._stamps, self._seen = there, pulse

    def _note(self, run_id: str) -> None:
        summary = self._summary(run_id)
        if summary is None:
            self._headlines.drop(run_id)
        else:
            self._headlines.put(summary)

    def _files(self, kind: str) -> dict[str, _Stamp]:
        """The files of a folder, and what of each differs once it was changed."""
        folder = self._directory / kind
        if not folder.is_dir():
            return {}
        with disk.errors(folder):
            return dict(_stamped(folder))


def _stamped(folder: Path) -> Iterator[tuple[str, _Stamp]]:
    for entry in os.scandir(folder):
        try:
            status = entry.stat()
        except FileNotFoundError:
            continue
        yield entry.name, (status.st_ino, status.st_size, status.st_mtime_ns)
