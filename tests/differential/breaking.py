"""Ways to break emitted code on purpose: one change of the first node that it fits."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

N = TypeVar("N", bound=ast.AST)
Edit = Callable[[Any], ast.AST | list[ast.stmt] | None]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the compiler, the case that shows it, and the change of its emitted module."""

    name: str
    case: str
    change: Callable[[ast.Module], bool]


class _First(ast.NodeTransformer):
    """Applies an edit to the first node of a kind for which it gives something else."""

    def __init__(self, kind: type[ast.AST], edit: Edit, every: bool) -> None:
        self.kind = kind
        self.edit = edit
        self.every = every
        self.count = 0

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, self.kind) and (self.every or not self.count):
            changed = self.edit(node)
            if changed is not node:
                self.count += 1
                return changed if self.every is False else self._inside(changed)
        return self.generic_visit(node)

    def _inside(self, changed: Any) -> Any:
        return self.generic_visit(changed) if isinstance(changed, ast.AST) else changed


def edit(kind: type[N], how: Callable[[N], Any], every: bool = False) -> Callable[[ast.Module], bool]:
    """A change of the first node of a kind (or of all) in the compiled functions of a module."""

    def change(tree: ast.Module) -> bool:
        editor = _First(kind, cast(Edit, how), every)
        for index, node in enumerate(tree.body):
            if is_emitted(node):
                tree.body[index] = editor.visit(node)
        ast.fix_missing_locations(tree)
        return editor.count > 0

    return change


def without(node: N, **fields: Any) -> N:
    """A copy of a node with some fields replaced; the node itself if they were that already."""
    if all(getattr(node, name) == value for name, value in fields.items()):
        return node
    values = {name: getattr(node, name) for name in node._fields} | fields
    return ast.copy_location(type(node)(**values), node)


def is_primitive(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


def has_await(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Await) for inner in ast.walk(node))


def is_emitted(node: ast.stmt) -> bool:
    """Whether a top-level statement is a compiled workflow."""
    return isinstance(node, ast.AsyncFunctionDef) and [one.arg for one in node.args.args[:1]] == ["wf"]


def instead(old: str, new: str) -> Callable[[ast.Module], bool]:
    """The change of the first expression that reads `old` into `new`."""
    wanted = ast.unparse(ast.parse(old, mode="eval"))

    def replace(node: ast.expr) -> ast.expr:
        if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del) or ast.unparse(node) != wanted:
            return node
        return ast.parse(new, mode="eval").body

    return edit(ast.expr, replace)
