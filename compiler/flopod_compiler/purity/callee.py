"""Functions as values: what one may be, and the place in a container where it is looked for."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from flopod_compiler.model import Symbol
from flopod_compiler.names import Scope


class Part(Enum):
    """A part of a container whose place is not known: one of its elements, or the value at some key."""

    EACH = "each"
    ITEM = "item"


Path: TypeAlias = "tuple[int | str | Part, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Callee:
    """One function that a value may be: a definition by its symbol, or an expression that makes it.

    The expression is a lambda, a method of a value, or a call of `functools.partial`.
    """

    scope: Scope
    symbol: Symbol | None = None
    expr: ast.expr | None = None


Values: TypeAlias = "list[Callee] | None"
"""Every function that a value may be; None when it may be any."""


def either(values: Iterable[Values]) -> Values:
    """The functions of several values together; None as soon as one of them is not known, and then the rest
    is not looked at.
    """
    found: list[Callee] = []
    for one in values:
        if one is None:
            return None
        found += one
    return found
