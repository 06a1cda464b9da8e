"""Durable regions: which nodes of a workflow function hold a durable operation, nested functions apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.analyse.scopes import COMPREHENSIONS, FUNCTIONS
from flopod_compiler.model import DURABLE_KINDS, CallKind, Classified

SCOPELESS = {"flopod.activity", "flopod.log"}


def durable_call(classified: Classified, node: ast.AST) -> bool:
    """Whether a node is itself a durable operation; a bare `log` only needs the scope around it."""
    if not isinstance(node, ast.Call):
        return False
    info = classified.calls.get(node)
    if info is None or info.kind not in DURABLE_KINDS:
        return False
    return info.kind is not CallKind.PRIMITIVE or info.callee not in SCOPELESS


def durable_regions(classified: Classified, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[ast.AST]:
    """Every node below `function` (nested functions left out) that contains a durable operation."""
    found: set[ast.AST] = set()
    above: dict[ast.AST, ast.AST | None] = {function: None}
    stack: list[ast.AST] = [function]
    while stack:
        node = stack.pop()
        if durable_call(classified, node):
            holder: ast.AST | None = node
            while holder is not None and holder not in found:
                found.add(holder)
                holder = above[holder]
        for child in ast.iter_child_nodes(node) if node is function else evaluated(node):
            if child not in above:  # the one `Load()` that all nodes of a tree share
                above[child] = node
                stack.append(child)
    return found


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that run where a node stands: of a nested function, its defaults and decorators."""
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        yield from getattr(node, "decorator_list", [])
        yield from node.args.defaults
        yield from (one for one in node.args.kw_defaults if one is not None)
    else:
        yield from ast.iter_child_nodes(node)


def comprehension_is_durable(region: set[ast.AST], node: ast.AST) -> bool:
    """Whether an iteration of a comprehension runs a durable operation (its first iterable is not in one)."""
    if not isinstance(node, COMPREHENSIONS) or node not in region:
        return False
    parts: list[ast.AST] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for position, generator in enumerate(node.generators):
        parts += generator.ifs
        if position:
            parts.append(generator.iter)
    return any(part in region for part in parts)
