"""A scale of time for a waterfall: hours in which a run only waits take little room."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

_WAITS_AT_MOST = 0.3
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000)
_LONG_STEPS = (300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000)
_DAY = 86_400_000
_TICKS = 6


class Piece(NamedTuple):
    """A stretch of time, ms since the epoch, and where it is drawn, from 0 to 100; `cut` is shortened."""

    since: int
    until: int
    left: float
    right: float
    cut: bool


class Scale:
    """Maps times to percent of the width, piece by piece linearly."""

    def __init__(self, since: int, until: int, busy: Iterable[tuple[int, int]]) -> None:
        self.since = since
        self.until = max(until, since + 1)
        self.pieces = _pieces(self.since, self.until, list(_merged(busy)))

    def x(self, at: int) -> float:
        """Return where a time is drawn, from 0 to 100."""
        for piece in self.pieces:
            if at <= piece.until:
                share = (max(at, piece.since) - piece.since) / (piece.until - piece.since)
                return piece.left + share * (piece.right - piece.left)
        return 100.0

    @property
    def step(self) -> int:
        """How far ticks are apart, in ms."""
        linear = sum(piece.until - piece.since for piece in self.pieces if not piece.cut)
        found = next((one for one in (*_STEPS, *_LONG_STEPS) if linear / one <= _TICKS), 0)
        return found or -(-linear // (_TICKS * _DAY)) * _DAY

    def ticks(self) -> list[int]:
        """Return round distances from the beginning, in ms, that are drawn apart from each other."""
        found: list[int] = []
        for piece in (one for one in self.pieces if not one.cut):
            first = -(-(piece.since - self.since) // self.step) * self.step
            found += range(first, piece.until - self.since + 1, self.step)
        return found


def _merged(spans: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    current: tuple[int, int] | None = None
    for since, until in sorted(spans):
        if current is None or since > current[1]:
            if current is not None:
                yield current
            current = since, until
        else:
            current = current[0], max(current[1], until)
    if current is not None:
        yield current


def _pieces(since: int, until: int, busy: Sequence[tuple[int, int]]) -> list[Piece]:
    """Cut the stretches in which nothing is done down to a share of what is done."""
    gaps = [(a[1], b[0]) for a, b in zip([(since, since), *busy], [*busy, (until, until)], strict=True)]
    done = until - since - sum(end - begin for begin, end in gaps)
    longest = max(done * _WAITS_AT_MOST, 1)
    cut = [gap for gap in gaps if done and gap[1] - gap[0] > 3 * longest]
    edges = sorted({since, until, *(edge for gap in cut for edge in gap)})
    spans = [(begin, end, (begin, end) in cut) for begin, end in pairwise(edges)]
    widths = [longest if is_cut else end - begin for begin, end, is_cut in spans]
    scale, left = 100 / sum(widths), 0.0
    found: list[Piece] = []
    for (begin, end, is_cut), width in zip(spans, widths, strict=True):
        found.append(Piece(begin, end, left, left + width * scale, is_cut))
        left += width * scale
    return found
