"""The scopes of all modules, made once each: they follow from a module's text alone."""

from __future__ import annotations

import ast

from flopod_compiler.model import FunctionNode, SourceModule
from flopod_compiler.names.scopes import Scope, Tree
from flopod_compiler.names.walk import function_tree, module_tree


class Trees:
    """The scopes of modules and functions by their nodes."""

    def __init__(self) -> None:
        self._modules: dict[SourceModule, Tree] = {}
        self._functions: dict[FunctionNode, Tree] = {}
        self._owners: dict[FunctionNode, Scope] = {}
        self._scopes: dict[ast.AST, Scope] = {}

    def module(self, source: SourceModule) -> Tree:
        """The scopes of a module's top level."""
        tree = self._modules.get(source)
        if tree is None:
            tree = self._modules[source] = module_tree(source)
            self._remember(tree)
        return tree

    def function(self, node: FunctionNode) -> Tree:
        """The scopes of the outermost function that a function is or stands in."""
        tree = self._functions.get(node)
        if tree is None:
            tree = function_tree(node, self._owners[node])
            self._remember(tree)
        return tree

    def own(self, node: FunctionNode, scope: Scope) -> None:
        """Say in which scope a function is defined."""
        self._owners.setdefault(node, scope)

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a function, class, lambda or comprehension opens, once its tree exists."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.function(node)
        return self._scopes[node]

    def _remember(self, tree: Tree) -> None:
        for scope in tree.scopes:
            self._scopes[scope.node] = scope
            if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._functions[scope.node] = tree
        self._owners.update(tree.functions)
