"""What a statement does to a container that a variable holds: reads it, or puts something into it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from flopod_compiler.knowledge.known import words
from flopod_compiler.model import External
from flopod_compiler.names import Names, Scope

_LOOKING = frozenset(
    words("len list tuple set reversed sorted iter enumerate zip bool any all print repr str", "builtins.")
)
_READERS = frozenset(
    words("items values keys get pop popleft popitem copy index count clear reverse remove __len__")
)
_TESTS = (ast.If, ast.While, ast.Assert, ast.Compare, ast.UnaryOp, ast.IfExp)


@dataclass(frozen=True, slots=True)
class Use:
    """A place that reads a variable, and where it stands."""

    node: ast.Name
    scope: Scope
    parents: Mapping[ast.AST, ast.AST]

    @property
    def parent(self) -> ast.AST | None:
        return self.parents.get(self.node)


@dataclass(slots=True)
class Added:
    """What a use puts into a container: elements one by one, and iterables of elements."""

    elements: list[ast.expr] = field(default_factory=list)
    spread: list[ast.expr] = field(default_factory=list)


def is_reading(use: Use, names: Names) -> bool:
    """Whether a use leaves the container as it is, and gives it to nobody."""
    parent = use.parent
    if isinstance(parent, ast.For | ast.comprehension):
        return parent.iter is use.node
    if isinstance(parent, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return any(one.iter is use.node for one in parent.generators)
    if isinstance(parent, ast.Subscript) and parent.value is use.node:
        return not isinstance(parent.ctx, ast.Store)
    if isinstance(parent, ast.Call):
        symbol = names.resolve(parent.func, use.scope)
        return isinstance(symbol, External) and symbol.qualified in _LOOKING
    if isinstance(parent, ast.Attribute):
        return parent.attr in _READERS and _is_called(parent, use)
    if isinstance(parent, ast.IfExp):
        return parent.test is use.node
    if isinstance(parent, ast.BoolOp):
        return isinstance(use.parents.get(parent), ast.If | ast.While | ast.Assert | ast.UnaryOp)
    return isinstance(parent, (*_TESTS, ast.Starred, ast.FormattedValue))


def added(use: Use) -> Added | None:
    """What a use puts into the container; None when that is not in sight."""
    parent = use.parent
    outer = use.parents.get(parent) if parent is not None else None
    if isinstance(parent, ast.Subscript) and isinstance(outer, ast.Assign):
        return Added([outer.value]) if parent in outer.targets else None
    if not isinstance(parent, ast.Attribute) or not isinstance(outer, ast.Call) or outer.func is not parent:
        return None
    arguments = outer.args
    if outer.keywords or any(isinstance(one, ast.Starred) for one in arguments):
        return None
    match parent.attr, len(arguments):
        case (("append" | "add" | "appendleft"), 1):
            return Added([arguments[0]])
        case (("insert" | "setdefault"), 2):
            return Added([arguments[1]])
        case (("extend" | "extendleft"), 1):
            return Added(spread=[arguments[0]])
    return None


def _is_called(attribute: ast.Attribute, use: Use) -> bool:
    outer = use.parents.get(attribute)
    return isinstance(outer, ast.Call) and outer.func is attribute
