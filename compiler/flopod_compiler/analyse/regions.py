"""Durable regions: which nodes of a workflow function hold a durable operation, nested functions apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.analyse.index import Index
from flopod_compiler.analyse.scopes import COMPREHENSIONS, FUNCTIONS
from flopod_compiler.children import children
from flopod_compiler.model import DURABLE_KINDS, CallKind, Classified, FunctionNode

SCOPELESS = {"flopod.activity", "flopod.log"}


def durable_call(classified: Classified, node: ast.AST) -> bool:
    """Whether a node is itself a durable operation; a bare `log` only needs the scope around it."""
    if not isinstance(node, ast.Call):
        return False
    info = classified.calls.get(node)
    if info is None or info.kind not in DURABLE_KINDS:
        return False
    return info.kind is not CallKind.PRIMITIVE or info.callee not in SCOPELESS


def durable_regions(classified: Classified, function: FunctionNode, index: Index) -> set[ast.AST]:
    """Every node below `function` (nested functions left out) that contains a durable operation."""
    calls = (node for node in index.below(function) if durable_call(classified, node))
    return {holder for call in calls for holder in _holders(call, function, index.parents)}


def _holders(node: ast.AST, function: FunctionNode, parents: dict[ast.AST, ast.AST]) -> list[ast.AST]:
    """A node and what holds it up to the function; none if it runs with a function nested in that."""
    found = [node]
    while node is not function:
        holder = parents[node]
        if isinstance(holder, ast.arguments) and parents[holder] is not function:
            if node not in holder.defaults and node not in holder.kw_defaults:
                return []
            holder = parents[holder]
        elif _runs_later(node, holder) and holder is not function:
            return []
        found.append(holder)
        node = holder
    return found


def _runs_later(node: ast.AST, holder: ast.AST) -> bool:
    is_function = isinstance(holder, (*FUNCTIONS, ast.Lambda))
    return is_function and node not in getattr(holder, "decorator_list", ())


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that run where a node stands: of a nested function, its defaults and decorators."""
    if isinstance(node, (*FUNCTIONS, ast.Lambda)):
        yield from getattr(node, "decorator_list", [])
        yield from node.args.defaults
        yield from (one for one in node.args.kw_defaults if one is not None)
    else:
        yield from children(node)


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
