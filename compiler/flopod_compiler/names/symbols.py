"""The one symbol of each definition of a project: they follow from the text of its module alone."""

from __future__ import annotations

import ast

from flopod_compiler.model import FunctionNode, ModuleValue, ProjectClass, ProjectFunction
from flopod_compiler.names.scopes import Scope, qualname_in


class Symbols:
    """Makes symbols, and keeps them."""

    def __init__(self) -> None:
        self._functions: dict[FunctionNode, ProjectFunction] = {}
        self._classes: dict[ast.ClassDef, ProjectClass] = {}
        self._values: dict[tuple[str, str], ModuleValue] = {}

    def function(self, node: FunctionNode, parent: Scope) -> ProjectFunction:
        """The symbol of a function that is defined in `parent`."""
        found = self._functions.get(node)
        if found is None:
            owner = (
                self.class_of(parent.node, parent.parent) if isinstance(parent.node, ast.ClassDef) else None
            )
            found = ProjectFunction(parent.module.name, qualname_in(parent, node.name), node, owner)
            self._functions[node] = found
        return found

    def class_of(self, node: ast.ClassDef, parent: Scope | None) -> ProjectClass:
        """The symbol of a class that is defined in `parent`."""
        found = self._classes.get(node)
        if found is None:
            assert parent is not None
            found = ProjectClass(parent.module.name, qualname_in(parent, node.name), node)
            self._classes[node] = found
        return found

    def value(self, module: str, name: str, value: ast.expr | None) -> ModuleValue:
        """The symbol of a variable of a module; `value` is what it is assigned, if once."""
        key = (module, name)
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = ModuleValue(module, name, value)
        return found
