"""Where things stand in a workflow: its nodes by class, and which of them hold a durable call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from flopod_compiler.children import children
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import CallInfo, CallKind, WorkflowFunction

_Node = TypeVar("_Node", bound=ast.AST)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SUSPENDING = frozenset({CallKind.LEAF, CallKind.PRIMITIVE, CallKind.IDIOM, CallKind.WORKFLOW})


@dataclass(eq=False, slots=True)
class Places:
    """The nodes of a root workflow by class; `durable` holds those around a call that may suspend the run."""

    root: ast.AST
    parents: dict[ast.AST, ast.AST]
    calls: dict[ast.Call, CallInfo]
    durable: set[ast.AST] = field(default_factory=set)
    _nodes: dict[type[ast.AST], list[ast.AST]] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Workspace, workflow: WorkflowFunction) -> Places:
        found = cls(workflow.node, work.parents(workflow), work.result.calls)
        for node in (*workflow.node.body, *found.parents):
            found._nodes.setdefault(node.__class__, []).append(node)
        for call in found.all(ast.Call):
            info = found.calls.get(call)
            if info is not None and info.kind in _SUSPENDING:
                found.durable.update(found.around(call))
        return found

    def all(self, kind: type[_Node]) -> list[_Node]:
        """The nodes of one class."""
        return self._nodes.get(kind, [])  # type: ignore[return-value]

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """A node and those that hold it, up to the function it stands in."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, _FUNCTIONS):
            yield current
            current = self.parents.get(current)

    def parent(self, node: ast.AST) -> ast.AST:
        return self.parents.get(node, self.root)

    def block(self, statement: ast.AST) -> list[ast.stmt]:
        """The statements among which a statement stands."""
        holder = self.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            found = getattr(holder, name, None)
            if isinstance(found, list) and statement in found:
                return found
        return []


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes below some, those of functions inside left out."""
    stack: list[ast.AST] = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _FUNCTIONS):
            stack.extend(children(node))
