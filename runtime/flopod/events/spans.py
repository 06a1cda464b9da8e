"""Ranges of sequence numbers, ascending and apart, and the records of a log that no such range drops."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from flopod.events.events import Compacted
from flopod.events.record import Record

Span: TypeAlias = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same numbers as few ranges."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        elif first <= last:
            found.append((first, last))
    return found


def without(spans: Sequence[Span], numbers: Iterable[int]) -> list[Span]:
    """Return merged ranges without some of their numbers."""
    found: list[Span] = []
    kept = sorted(numbers)
    for first, last in spans:
        for number in kept[bisect_right(kept, first - 1) : bisect_right(kept, last)]:
            if first < number:
                found.append((first, number - 1))
            first = number + 1
        if first <= last:
            found.append((first, last))
    return found


def size(spans: Iterable[Span]) -> int:
    """Return how many numbers merged ranges have."""
    return sum(last - first + 1 for first, last in spans)


def holds(spans: Sequence[Span], number: int) -> bool:
    """Whether a number is in merged ranges."""
    place = bisect_right(spans, number, key=_first) - 1
    return place >= 0 and number <= spans[place][1]


def last_compacted(records: Sequence[Record]) -> Compacted | None:
    """Return the event that says what a log has lost."""
    found = [event for _, event in records if type(event) is Compacted]
    return found[-1] if found else None


def present(records: list[Record]) -> list[Record]:
    """Return the records that count: a store may still hold some that are dropped."""
    compacted = last_compacted(records)
    if compacted is None:
        return records
    return [record for record in records if not holds(compacted.dropped, record.seq)]


def _first(span: Span) -> int:
    return span[0]
