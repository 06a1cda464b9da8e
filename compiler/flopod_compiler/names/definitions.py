"""The scopes and definitions of a program, as names meet them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from flopod_compiler.model import FunctionNode, ModuleValue, ProjectClass, ProjectFunction, SourceModule
from flopod_compiler.names.scopes import Scope, Tree

if TYPE_CHECKING:
    from flopod_compiler.program import Program


class Definitions:
    """What the modules of a program hold: trees of scopes, and the one symbol of each definition."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._trees = program.trees
        self._symbols = program.symbols

    # --- scopes -------------------------------------------------------------------------------

    def module(self, name: str) -> Tree | None:
        """The scopes of a module's top level, or None when the project has no such file."""
        source = self.program.module(name)
        return self._trees.module(source) if source is not None else None

    def tree(self, node: FunctionNode) -> Tree:
        """The scopes of the outermost function that a function is or stands in."""
        return self._trees.function(node)

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a function, class, lambda or comprehension opens, once its tree exists."""
        return self._trees.scope(node)

    def tree_holding(self, scope: Scope) -> Tree:
        """The tree that a scope belongs to."""
        current = scope
        while not isinstance(current.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            assert current.parent is not None
            current = current.parent
        if isinstance(current.node, ast.Module):
            return self._trees.module(current.module)
        return self.tree(current.node)

    def scope_at(self, node: ast.expr, function: FunctionNode) -> Scope:
        """The scope that an expression inside a function stands in."""
        tree = self.tree(function)
        root: ast.AST = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        return tree.inner.get(node) or tree.inner.get(root) or self.scope(function)

    def is_module(self, name: str) -> bool:
        """Whether the project has a module or a folder of modules of that dotted name."""
        return self.program.is_module(name)

    def root(self, module: str) -> Scope:
        """The top-level scope of a module of the project."""
        tree = self.module(module)
        assert tree is not None
        return tree.root

    # --- symbols of definitions -------------------------------------------------------------------

    def function(self, node: FunctionNode, parent: Scope) -> ProjectFunction:
        """The one symbol of a function that is defined in `parent`."""
        self._trees.own(node, parent)
        return self._symbols.function(node, parent)

    def class_of(self, node: ast.ClassDef, parent: Scope | None) -> ProjectClass:
        """The one symbol of a class that is defined in `parent`."""
        return self._symbols.class_of(node, parent)

    def class_scope(self, cls: ProjectClass) -> Scope:
        """The scope of a class body."""
        self.module(cls.module)
        return self._trees.scope(cls.node)

    def source(self, symbol: ProjectFunction | ProjectClass | ModuleValue) -> SourceModule:
        """The module that a symbol is defined in."""
        source = self.program.module(symbol.module)
        assert source is not None
        return source

    def value(self, module: str, name: str, value: ast.expr | None) -> ModuleValue:
        """The one symbol of a variable of a module."""
        return self._symbols.value(module, name, value)
