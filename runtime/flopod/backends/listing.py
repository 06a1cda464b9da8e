"""What listings ask for: which runs, how many, and from which place on."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

import msgspec

from flopod.errors import BadInput
from flopod.events import Attribute, RunSummary, Status
from flopod.runid import is_run_id

_AS_IT_IS = frozenset("abcdefghjlmnopqrstuvwxyz0123456789 .,:;-/@#")
_OF_NUMBERS = frozenset("0123456789.+-e")
_LONG = 100
_TIME = re.compile(r"-?[0-9]{1,18}", re.ASCII)

Place: TypeAlias = tuple[int, str]
"""Start time and run id."""


class Page(NamedTuple):
    """Which summaries a listing wants: at most `limit`, after the place `cursor_after` that is given.

    Without `statuses` it wants all. `text` is a hint: a store may leave out runs that do not have it.
    """

    statuses: tuple[Status, ...] = ()
    workflow: str | None = None
    limit: int | None = None
    cursor: str | None = None
    started_after: int | None = None
    started_before: int | None = None
    text: str = ""

    @property
    def place(self) -> Place | None:
        """That of the last run of the page before, if there is one. Raises BadInput."""
        return None if self.cursor is None else read_cursor(self.cursor)

    @property
    def pattern(self) -> str | None:
        """What is LIKE each summary in JSON that has the text, and some others; None for all of them.

        It takes into account that a letter of another script may become an ASCII one in lower case, that JSON
        escapes some characters, and that it writes numbers in a way of its own.
        """
        text = self.text.lower()[:_LONG]
        if _OF_NUMBERS.issuperset(text):
            return None
        return f"%{''.join(char if char in _AS_IT_IS else '_' if char in 'ik' else '%' for char in text)}%"

    def cut(self, runs: Iterable[RunSummary]) -> list[RunSummary]:
        """Take the first runs of the statuses, of those that are in order and fit in all else."""
        return list(
            islice((run for run in runs if not self.statuses or run.status in self.statuses), self.limit)
        )


class Filter(msgspec.Struct, kw_only=True, frozen=True):
    """Which runs are meant. Times are milliseconds since the epoch; what is left out lets all through.

    `text` is looked for in run id, workflow, error and the values of the attributes, in any case.
    """

    status: Sequence[Status] = ()
    workflow: str | None = None
    queue: str | None = None
    attributes: Mapping[str, Attribute] = {}
    started_after: int | None = None
    started_before: int | None = None
    ended_before: int | None = None
    updated_after: int | None = None
    text: str = ""

    def lets_through(self, run: RunSummary) -> bool:
        """Whether a run is one of those that are meant."""
        return (
            (not self.status or run.status in self.status)
            and self.workflow in (None, run.workflow)
            and self.queue in (None, run.queue)
            and all(run.attributes.get(name) == value for name, value in self.attributes.items())
            and (self.started_after is None or run.started_at > self.started_after)
            and (self.started_before is None or run.started_at < self.started_before)
            and (self.ended_before is None or (run.ended_at is not None and run.ended_at < self.ended_before))
            and (self.updated_after is None or run.updated_at > self.updated_after)
            and self._is_in(run)
        )

    def _is_in(self, run: RunSummary) -> bool:
        texts = (run.run_id, run.workflow, run.error, *map(str, run.attributes.values()))
        return not self.text or any(self.text.lower() in one.lower() for one in texts)

    def page(self, limit: int, cursor: str | None) -> Page:
        """Return the page of a listing that has all of the runs that are meant, and others."""
        started = self.started_after, self.started_before
        return Page(tuple(self.status), self.workflow, limit, cursor, *started, self.text)


def cursor_after(summary: RunSummary) -> str:
    """Return the place in a listing that comes right after `summary`."""
    return f"{summary.started_at}:{summary.run_id}"


def read_cursor(cursor: str) -> Place:
    """Return the start time and the run id that `cursor_after` made it of. Raises BadInput."""
    started_at, _, run_id = cursor.partition(":")
    if not _TIME.fullmatch(started_at) or not is_run_id(run_id):
        raise BadInput(f"{cursor!r} is no place in a listing; take it from the listing before")
    return int(started_at), run_id
