"""What runs are listed by, of a store that keeps no index of its own: in memory, in the order of listings."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from flopod.backends.listing import Page
from flopod.events import RunSummary, Status


class Headline(NamedTuple):
    """What a listing filters and orders by."""

    workflow: str
    status: Status
    started_at: int


class Headlines:
    """The headlines of all runs of a store. A run that did not change costs nothing again."""

    def __init__(self) -> None:
        self._lines: dict[str, Headline] = {}
        self._order: list[tuple[int, str]] = []
        self._counts: Counter[Status] = Counter()

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._lines

    def put(self, run: RunSummary) -> None:
        """Take the headline of a run, in the place of the one before."""
        line, before = Headline(run.workflow, run.status, run.started_at), self._lines.get(run.run_id)
        if line == before:
            return
        if before is None or before.started_at != line.started_at:
            self.drop(run.run_id)
            insort(self._order, (line.started_at, run.run_id))
            before = None
        self._counts[line.status] += 1
        if before is not None:
            self._counts[before.status] -= 1
        self._lines[run.run_id] = line

    def drop(self, run_id: str) -> None:
        """Forget a run, if it is known."""
        line = self._lines.pop(run_id, None)
        if line is not None:
            self._counts[line.status] -= 1
            del self._order[bisect_left(self._order, (line.started_at, run_id))]

    def counts(self) -> dict[Status, int]:
        """Return how many runs have each status that there is."""
        return {status: count for status, count in self._counts.items() if count}

    def of(self, page: Page) -> Iterator[str]:
        """Yield the runs that fit in all but the limit, the youngest first. Raises BadInput."""
        end = len(self._order) if page.place is None else bisect_left(self._order, page.place)
        for _, name in reversed(self._order[:end]):
            line = self._lines[name]
            if _is_wanted(line, page):
                yield name


def _is_wanted(line: Headline, page: Page) -> bool:
    return (
        (not page.statuses or line.status in page.statuses)
        and page.workflow in (None, line.workflow)
        and (page.started_after is None or line.started_at > page.started_after)
        and (page.started_before is None or line.started_at < page.started_before)
    )
