"""An abstract heap: objects by where they are made, and what each may hold. It only grows."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterable


class Object:
    """All the objects that one place of the source makes, or that one parameter brings in."""

    __slots__ = ("holds",)

    def __init__(self) -> None:
        self.holds: set[Object] = set()


Objects = frozenset[Object]
NOTHING: Objects = frozenset()


class Heap:
    """Objects by place, variables by what they may refer to; `grown` says whether anything was added."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Object] = {}
        self._variables: dict[Hashable, set[Object]] = {}
        self.grown = False

    def made(self, place: ast.AST | Hashable, holds: Iterable[Object] = ()) -> Object:
        """The object that a place makes, holding these as well from now on."""
        one = self._made.get(place)
        if one is None:
            one = self._made[place] = Object()
            self.grown = True
        self.hold([one], holds)
        return one

    def opaque(self, place: ast.AST | Hashable) -> Object:
        """An object of unknown structure: what it holds is one more object that may hold itself."""
        inner = self.made((place, "inside"))
        self.hold([inner], [inner])
        return self.made(place, [inner])

    def hold(self, objects: Iterable[Object], added: Iterable[Object]) -> None:
        more = set(added)
        for one in objects:
            if not more <= one.holds:
                one.holds |= more
                self.grown = True

    def bind(self, variable: Hashable, objects: Iterable[Object]) -> None:
        known = self._variables.setdefault(variable, set())
        more = set(objects)
        if not more <= known:
            known |= more
            self.grown = True

    def value(self, variable: Hashable) -> Objects:
        return frozenset(self._variables.get(variable, ()))


def contents(objects: Iterable[Object]) -> Objects:
    """What the objects hold: attributes, items, elements alike."""
    return frozenset(inner for one in objects for inner in one.holds)


def reach(objects: Iterable[Object]) -> set[Object]:
    """The objects and all that can be reached from them."""
    found: set[Object] = set()
    stack = list(objects)
    while stack:
        one = stack.pop()
        if one not in found:
            found.add(one)
            stack += one.holds
    return found
