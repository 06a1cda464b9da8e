"""Which functions run each other: the strongly connected parts of a call graph, those that are run first."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def circles(start: T, after: Callable[[T], Iterable[T]]) -> Iterator[list[T]]:
    """The parts of the graph below `start`, each when all it leads to was given (Tarjan's algorithm)."""
    number: dict[T, int] = {start: 0}
    lowest: dict[T, int] = {start: 0}
    open_: list[T] = [start]
    is_open: set[T] = {start}
    path = [(start, iter(list(after(start))))]
    while path:
        node, rest = path[-1]
        following = next(rest, None)
        if following is None:
            path.pop()
            if path:
                above = path[-1][0]
                lowest[above] = min(lowest[above], lowest[node])
            if lowest[node] == number[node]:
                yield _above(node, open_, is_open)
        elif following not in number:
            number[following] = lowest[following] = len(number)
            open_.append(following)
            is_open.add(following)
            path.append((following, iter(list(after(following)))))
        elif following in is_open:
            lowest[node] = min(lowest[node], number[following])


def _above(node: T, open_: list[T], is_open: set[T]) -> list[T]:
    """Take a node and all that was met after it off the stack."""
    part: list[T] = []
    while not part or part[-1] is not node:
        part.append(open_.pop())
    is_open.difference_update(part)
    return part
