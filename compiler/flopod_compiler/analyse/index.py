"""The nodes of one function in source order: what is below one is a slice, not a walk."""

from __future__ import annotations

import ast

from flopod_compiler.children import children


class Index:
    """Numbers every node of a tree so that what is below a node is a range of numbers."""

    def __init__(self, root: ast.AST) -> None:
        self.nodes: list[ast.AST] = []
        self.parents: dict[ast.AST, ast.AST] = {}
        self._first: dict[ast.AST, int] = {}
        self._last: dict[ast.AST, int] = {}
        self._number(root)

    def below(self, node: ast.AST) -> list[ast.AST]:
        """A node and all below it."""
        first = self._first.get(node)
        return [node] if first is None else self.nodes[first : self._last[node]]

    def within(self, node: ast.AST, outer: ast.AST) -> bool:
        """Whether a node is another, or below it."""
        number = self._first.get(node)
        if number is None or outer not in self._first:
            return node is outer
        return self._first[outer] <= number < self._last[outer]

    def _number(self, root: ast.AST) -> None:
        nodes, parents, first = self.nodes, self.parents, self._first
        stack = [root]
        while stack:
            node = stack.pop()
            first[node] = len(nodes)
            nodes.append(node)
            below = children(node)
            for child in below:
                parents[child] = node
            below.reverse()
            stack += below
        self._close()

    def _close(self) -> None:
        """From the last node on, a node ends where its last descendant does."""
        last, parents = self._last, self.parents
        for node in reversed(self.nodes):
            end = last.setdefault(node, self._first[node] + 1)
            parent = parents.get(node)
            if parent is not None and last.get(parent, 0) < end:
                last[parent] = end
