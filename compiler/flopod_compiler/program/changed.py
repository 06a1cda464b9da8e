"""The names by which a module may reach what it changes: where a search for changes of a variable begins."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from flopod_compiler.children import children


def changed_names(tree: ast.Module) -> set[str]:
    """The names in expressions that are assigned to or whose methods are called, and what they stand for."""
    names = _Names()
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        reader = _READERS.get(node.__class__)
        if reader is not None:
            reader(names, node)
        stack += children(node)
    return names.all()


class _Names:
    def __init__(self) -> None:
        self._found: set[str] = set()
        self._stands_for: dict[str, list[ast.AST | str]] = {}

    def all(self) -> set[str]:
        """The names that were found, and those of which they are other names."""
        waiting = list(self._found)
        while waiting:
            for value in self._stands_for.pop(waiting.pop(), ()):
                names = {value.rpartition(".")[2]} if isinstance(value, str) else set(_names(value))
                waiting += names - self._found
                self._found |= names
        return self._found

    def attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._found |= {node.attr, *_names(node.value)}

    def subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._found |= set(_names(node.value))

    def call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            self._found |= set(_names(node.func.value))

    def globals(self, node: ast.Global) -> None:
        self._found |= set(node.names)

    def assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, node.value)

    def bind(self, node: ast.AnnAssign | ast.NamedExpr) -> None:
        if node.value is not None:
            self._bind(node.target, node.value)

    def alias(self, node: ast.alias) -> None:
        if node.asname is not None:
            self._stands_for.setdefault(node.asname, []).append(node.name)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._stands_for.setdefault(target.id, []).append(value)


_READERS: dict[type[ast.AST], Callable[[_Names, Any], None]] = {
    ast.Attribute: _Names.attribute,
    ast.Subscript: _Names.subscript,
    ast.Call: _Names.call,
    ast.Global: _Names.globals,
    ast.Assign: _Names.assign,
    ast.AnnAssign: _Names.bind,
    ast.NamedExpr: _Names.bind,
    ast.alias: _Names.alias,
}


def _names(expr: ast.AST) -> Iterator[str]:
    for node in ast.walk(expr):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
