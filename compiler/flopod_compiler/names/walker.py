"""The walk itself: a stack of nodes still to be seen, and the scope that each of them stands in."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from flopod_compiler.children import children
from flopod_compiler.names.scopes import Binding, How, Scope, Tree

MAX_DEPTH = 180
"""Levels of nesting that the recursive parts of the compiler are allowed to descend."""

_Item = tuple[ast.AST, Scope, ast.AST | None, int]
Handler: TypeAlias = "Callable[[Walker, Any, Scope], None]"


class Walker:
    """Walks statements with an explicit stack, in source order; a handler says what a kind of node does."""

    def __init__(self, tree: Tree, handlers: Mapping[type[ast.AST], Handler], *, deep: bool) -> None:
        self.tree = tree
        self.deep = deep
        self._handlers = handlers
        self._stack: list[_Item] = []
        self._depth = 0

    def run(self, body: list[ast.stmt], scope: Scope) -> None:
        """Walk the statements of a function or module, and all below them."""
        self.tree.scopes.append(scope)
        self._stack = [(node, scope, None, 0) for node in reversed(body)]
        inner, parents, root = self.tree.inner, self.tree.parents, self.tree.root
        handlers = self._handlers
        while self._stack:
            node, scope, parent, depth = self._stack.pop()
            if parent is not None:
                parents[node] = parent
            if scope is not root:
                inner[node] = scope
            if depth > MAX_DEPTH and root.too_deep is None:
                root.too_deep = node
            self._depth = depth + 1
            handler = handlers.get(node.__class__)
            if handler is None:
                self.push_children(node, scope)
            else:
                handler(self, node, scope)

    # --- pushing: last pushed is walked first, so children go on in reverse

    def push(self, node: ast.AST | None, scope: Scope, parent: ast.AST) -> None:
        """Have a node walked, which stands in a scope."""
        if node is not None:
            self._stack.append((node, scope, parent, self._depth))

    def push_all(self, nodes: list[ast.expr] | list[ast.stmt], scope: Scope, parent: ast.AST) -> None:
        """Have several nodes walked, in their order."""
        depth = self._depth
        for node in reversed(nodes):
            self._stack.append((node, scope, parent, depth))

    def push_children(self, node: ast.AST, scope: Scope) -> None:
        """Have all children of a node walked in its scope."""
        depth = self._depth
        self._stack.extend((child, scope, node, depth) for child in reversed(children(node)))

    def enter(self, child: Scope, parent: Scope) -> None:
        """Take up a scope that is opened in another."""
        parent.children.append(child)
        self.tree.scopes.append(child)

    # --- bindings

    def bind(self, name: str, binding: Binding, scope: Scope) -> None:
        """Note that a name is bound in a scope."""
        found = scope.bindings.get(name)
        if found is None:
            scope.bindings[name] = [binding]
        else:
            found.append(binding)

    def bind_parameters(self, args: ast.arguments, scope: Scope) -> None:
        """Bind the parameters of a function in the scope that it opens."""
        for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
            if arg is not None:
                self.bind(arg.arg, Binding(How.PARAMETER, arg, scope, annotation=arg.annotation), scope)

    def bind_type_parameters(self, node: ast.AST, scope: Scope) -> None:
        """Bind what `def f[T]` and the like declare."""
        for parameter in getattr(node, "type_params", ()):
            self.bind(parameter.name, Binding(How.TYPE, parameter, scope), scope)

    def bind_target(
        self,
        target: ast.expr,
        how: How,
        value: ast.expr | None,
        scope: Scope,
        seen_from: Scope,
        statement: ast.AST,
        path: tuple[int, ...] = (),
    ) -> None:
        """Bind the names of a target; its attributes and subscripts are walked as code."""
        stack: list[tuple[ast.expr, tuple[int, ...]]] = [(target, path)]
        while stack:
            part, where = stack.pop()
            self.tree.parents[part] = statement
            if scope is not self.tree.root:
                self.tree.inner[part] = scope
            if isinstance(part, ast.Name):
                kind = How.UNPACK if where and how is How.ASSIGN else how
                self.bind(part.id, Binding(kind, statement, seen_from, value, path=where), scope)
            elif isinstance(part, ast.Tuple | ast.List):
                stack.extend((item, (*where, index)) for index, item in enumerate(part.elts))
            elif isinstance(part, ast.Starred):
                stack.append((part.value, (*where, -1)))
            else:
                self.push(part, scope, statement)
