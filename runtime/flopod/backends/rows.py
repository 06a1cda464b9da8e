"""Writes many rows of a SQLite table with few statements.

Python lets go of its lock for each statement, and where other threads have work it takes long to get it back:
with a statement a row, who commits for many runs mostly waits.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

_MOST = 128
FEW = 8
"""So many rows, or fewer, are one statement."""


class Insert(NamedTuple):
    """A statement around the rows of its `VALUES`, each of so many columns."""

    into: str
    columns: int
    then: str = ""


def write(
    db: sqlite3.Connection, insert: Insert, rows: Sequence[tuple[object, ...]]
) -> list[tuple[int, str]]:
    """Insert the rows, and return what the statements return."""
    found: list[tuple[int, str]] = []
    for some in _portions(rows):
        found += db.execute(_statement(insert, len(some)), tuple(chain.from_iterable(some))).fetchall()
    return found


def _portions(rows: Sequence[tuple[object, ...]]) -> Iterator[Sequence[tuple[object, ...]]]:
    """Cut into powers of two and a rest of up to `FEW`: few prepared statements do for any number."""
    place = 0
    while (left := len(rows) - place) > FEW:
        size = min(1 << (left.bit_length() - 1), _MOST)
        yield rows[place : place + size]
        place += size
    if left:
        yield rows[place:]


@lru_cache(64)
def _statement(insert: Insert, count: int) -> str:
    row = f"({', '.join('?' * insert.columns)})"
    return f"{insert.into} VALUES {', '.join([row] * count)} {insert.then}"
