"""The scopes and definitions of a project: each made once, when it is first asked for."""

from __future__ import annotations

import ast

from flopod_compiler.model import (
    FunctionNode,
    ModuleValue,
    Project,
    ProjectClass,
    ProjectFunction,
    SourceModule,
)
from flopod_compiler.names.scopes import Scope, Tree, qualname_in
from flopod_compiler.names.walk import function_tree, module_tree


class Program:
    """What a project's modules hold: trees of scopes, and the one symbol of each definition."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._folders = {
            name.rsplit(".", depth)[0] for name in project.modules for depth in range(1, name.count(".") + 1)
        }
        self._modules: dict[str, Tree] = {}
        self._functions: dict[FunctionNode, ProjectFunction] = {}
        self._classes: dict[ast.ClassDef, ProjectClass] = {}
        self._values: dict[tuple[str, str], ModuleValue] = {}
        self._trees: dict[FunctionNode, Tree] = {}
        self._owners: dict[FunctionNode, Scope] = {}
        self._scopes: dict[ast.AST, Scope] = {}

    # --- scopes -------------------------------------------------------------------------------

    def module(self, name: str) -> Tree | None:
        """The scopes of a module's top level, or None when the project has no such file."""
        tree = self._modules.get(name)
        if tree is None:
            source = self.project.modules.get(name)
            if source is None:
                return None
            tree = self._modules[name] = module_tree(source)
            self._remember(tree)
        return tree

    def tree(self, node: FunctionNode) -> Tree:
        """The scopes of the outermost function that a function is or stands in."""
        tree = self._trees.get(node)
        if tree is None:
            tree = function_tree(node, self._owners[node])
            self._remember(tree)
        return tree

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a function, class, lambda or comprehension opens, once its tree exists."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.tree(node)
        return self._scopes[node]

    def tree_holding(self, scope: Scope) -> Tree:
        """The tree that a scope belongs to."""
        current = scope
        while not isinstance(current.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            assert current.parent is not None
            current = current.parent
        if isinstance(current.node, ast.Module):
            return self._modules[current.module.name]
        return self.tree(current.node)

    def scope_at(self, node: ast.expr, function: FunctionNode) -> Scope:
        """The scope that an expression inside a function stands in."""
        tree = self.tree(function)
        root: ast.AST = node
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        return tree.inner.get(node) or tree.inner.get(root) or self.scope(function)

    def _remember(self, tree: Tree) -> None:
        for scope in tree.scopes:
            self._scopes[scope.node] = scope
            if isinstance(scope.node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._trees[scope.node] = tree
        self._owners.update(tree.functions)

    def is_module(self, name: str) -> bool:
        """Whether the project has a module or a folder of modules of that dotted name."""
        return name in self.project.modules or name in self._folders

    def root(self, module: str) -> Scope:
        """The top-level scope of a module of the project."""
        tree = self.module(module)
        assert tree is not None
        return tree.root

    # --- symbols of definitions -------------------------------------------------------------------

    def function(self, node: FunctionNode, parent: Scope) -> ProjectFunction:
        """The one symbol of a function that is defined in `parent`."""
        found = self._functions.get(node)
        if found is None:
            self._owners.setdefault(node, parent)
            owner = (
                self.class_of(parent.node, parent.parent) if isinstance(parent.node, ast.ClassDef) else None
            )
            found = ProjectFunction(parent.module.name, qualname_in(parent, node.name), node, owner)
            self._functions[node] = found
        return found

    def class_of(self, node: ast.ClassDef, parent: Scope | None) -> ProjectClass:
        """The one symbol of a class that is defined in `parent`."""
        found = self._classes.get(node)
        if found is None:
            assert parent is not None
            found = ProjectClass(parent.module.name, qualname_in(parent, node.name), node)
            self._classes[node] = found
        return found

    def class_scope(self, cls: ProjectClass) -> Scope:
        """The scope of a class body."""
        self.module(cls.module)
        return self._scopes[cls.node]

    def source(self, symbol: ProjectFunction | ProjectClass | ModuleValue) -> SourceModule:
        """The module that a symbol is defined in."""
        return self.project.modules[symbol.module]

    def value(self, module: str, name: str, value: ast.expr | None) -> ModuleValue:
        """The one symbol of a variable of a module."""
        key = (module, name)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = ModuleValue(module, name, value)
        return found
