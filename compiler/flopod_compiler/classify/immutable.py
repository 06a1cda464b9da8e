"""Which expressions of a workflow hold values that can never change, or that no snapshot can hold."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.knowledge.known import words
from flopod_compiler.model import CallKind, WorkflowFunction
from flopod_compiler.names import How, Scope
from flopod_compiler.types.concurrency import lives
from flopod_compiler.types.model import ITERATOR

_ITERATORS = frozenset(words("iter zip map filter enumerate reversed", "builtins."))
_ITERATOR_MAKERS = ("itertools.", "re.finditer", "csv.")
_ITERATOR_TYPES = ("collections.abc.Iter", "collections.abc.Gen", "collections.abc.Async", "typing.Iter")


def find_immutable(work: Workspace, workflow: WorkflowFunction) -> None:
    """Fill `immutable` with the parameters, names, calls and other expressions known to be immutable,
    and `living` with the names of asyncio's objects and of collections of them.
    """
    tree = work.names.tree(workflow.node)
    for scope in work.scopes(workflow):
        _parameters(work, scope)
    for node in tree.parents:
        if isinstance(node, ast.expr) and _is_read(node):
            scope = tree.inner.get(node, tree.root)
            if _is_immutable(work, node, scope):
                work.result.immutable.add(node)
            elif isinstance(node, ast.Name) and lives(work.types.of(node, scope)):
                work.result.living.add(node)


def find_iterators(work: Workspace, workflow: WorkflowFunction) -> None:
    """Fill `iterators` with the plain calls that may give one: by type, or of the project and untyped."""
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None or info.kind is not CallKind.PURE:
                continue
            types = work.types.of(call, scope)
            standard = info.callee.startswith(_ITERATOR_MAKERS) or info.callee in (*_ITERATORS, "*.finditer")
            unknown = types is None and ":" in info.callee
            known = any(one.name == ITERATOR or one.name.startswith(_ITERATOR_TYPES) for one in types or ())
            if standard or unknown or known:
                work.result.iterators.add(call)


def _is_read(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Load | None)


def _parameters(work: Workspace, scope: Scope) -> None:
    for name, bindings in scope.bindings.items():
        for binding in bindings:
            if binding.how is How.PARAMETER:
                types = work.types.annotations.read(binding.annotation, scope)
                if binding.annotation is not None and work.types.classes.is_immutable(types):
                    work.result.immutable.add(binding.node)
                del name
                break


def _is_immutable(work: Workspace, node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Constant | ast.JoinedStr | ast.Compare):
        return True
    return work.types.classes.is_immutable(work.types.of(node, scope))
