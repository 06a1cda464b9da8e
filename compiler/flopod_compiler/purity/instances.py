"""What the methods of a class change of the object they are called on: which of its attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.knowledge.methods import MUTATORS
from flopod_compiler.model import FunctionNode, ProjectClass, ProjectFunction
from flopod_compiler.names import Names

_MAKING = frozenset({"__init__", "__new__", "__post_init__", "__init_subclass__", "__set_name__"})


class Instances:
    """Reads methods, those that they call on the same object included; each class once."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._by_class: dict[ProjectClass, frozenset[str]] = {}

    def changed(self, cls: ProjectClass) -> frozenset[str]:
        """The attributes that any method changes once an object is made."""
        found = self._by_class.get(cls)
        if found is None:
            methods = {name for base in self._own(cls) for name in _methods(base)} - _MAKING
            changed = (self.changed_by(cls, name) for name in methods)
            found = self._by_class[cls] = frozenset().union(*changed)
        return found

    def is_changed_by(self, cls: ProjectClass, method: str) -> bool:
        """Whether a method changes its object; one that is inherited from elsewhere is known by its name."""
        if isinstance(self.names.classes.member(cls, method), ProjectFunction):
            return bool(self.changed_by(cls, method))
        return method in MUTATORS

    def changed_by(self, cls: ProjectClass, method: str) -> frozenset[str]:
        """The attributes that a method changes."""
        found: set[str] = set()
        waiting, seen = [method], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            symbol = self.names.classes.member(cls, name)
            if isinstance(symbol, ProjectFunction):
                changes, calls = _uses_of_self(symbol.node)
                found |= changes
                waiting += calls
        return frozenset(found)

    def _own(self, cls: ProjectClass) -> Iterator[ProjectClass]:
        return (base for base in self.names.classes.mro(cls) if isinstance(base, ProjectClass))


def _methods(cls: ProjectClass) -> Iterator[str]:
    for node in cls.node.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _uses_of_self(node: FunctionNode) -> tuple[set[str], list[str]]:
    """The attributes of its first argument that a method changes, and the methods that it calls on it."""
    parameters = [*node.args.posonlyargs, *node.args.args]
    if not parameters:
        return set(), []
    own = parameters[0].arg
    changes: set[str] = set()
    calls: list[str] = []
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Load):
            changes |= _attribute_of(own, one)
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
            if isinstance(one.func.value, ast.Name) and one.func.value.id == own:
                calls.append(one.func.attr)
            elif one.func.attr in MUTATORS:
                changes |= _attribute_of(own, one.func.value)
    return changes, calls


def _attribute_of(own: str, expr: ast.expr) -> set[str]:
    """The attribute of `own` that a chain of attributes and items goes through, if it does."""
    while isinstance(expr, ast.Attribute | ast.Subscript):
        inner = expr.value
        if isinstance(expr, ast.Attribute) and isinstance(inner, ast.Name) and inner.id == own:
            return {expr.attr}
        expr = inner
    return set()
