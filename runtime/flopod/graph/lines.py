"""Lines of corners as path data, the corners rounded."""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]
_RADIUS = 9.0


def rounded(points: Sequence[Point]) -> str:
    """Path data of a line through `points`, all of which but the first and the last are corners."""
    parts = [f"M{_at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_RADIUS, _length(before, corner) / 2, _length(corner, after) / 2)
        parts.append(
            f"L{_at(_towards(corner, before, radius))}Q{_at(corner)} {_at(_towards(corner, after, radius))}"
        )
    return "".join(parts) + f"L{_at(points[-1])}"


def straightened(points: Sequence[Point]) -> list[Point]:
    """The points without those that are no corners; at least two."""
    found: list[Point] = []
    for point in points:
        if len(found) > 1 and _on_a_line(found[-2], found[-1], point):
            found.pop()
        if not found or point != found[-1]:
            found.append(point)
    return found if len(found) > 1 else [points[0], points[-1]]


def _on_a_line(first: Point, second: Point, third: Point) -> bool:
    return first[0] == second[0] == third[0] or first[1] == second[1] == third[1]


def _length(first: Point, second: Point) -> float:
    return abs(first[0] - second[0]) + abs(first[1] - second[1])


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at a distance from `start` on the line to `end`, which is level or upright."""
    whole = _length(start, end) or 1.0
    part = distance / whole
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def _at(point: Point) -> str:
    return " ".join(f"{value:.1f}".removesuffix(".0") for value in point)
