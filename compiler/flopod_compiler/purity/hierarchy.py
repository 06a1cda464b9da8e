"""The classes of a project as a hierarchy: overrides, constructors, and methods by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flopod_compiler.model import External, ProjectClass, ProjectFunction
from flopod_compiler.names import Names
from flopod_compiler.parse import last_name

_CONSTRUCTORS = ("__new__", "__init__", "__post_init__", "__attrs_post_init__", "model_post_init")
_VALIDATORS = frozenset({"field_validator", "model_validator", "validator", "root_validator"})


class Hierarchy:
    """Answers which methods a call on an instance may run; only classes with such a name are read."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._program = names.program
        self._abstract: dict[ProjectFunction, bool] = {}

    def implementations(self, name: str) -> list[ProjectFunction]:
        """Every method of that name in the project that has a body of its own."""
        return self._program.once(("methods", name), lambda part: Hierarchy(Names(part))._methods(name))

    def overrides(self, cls: ProjectClass, name: str) -> list[ProjectFunction]:
        """The methods of that name in the subclasses of a class."""
        below = self._program.once(("overrides", name), lambda part: Hierarchy(Names(part))._overrides(name))
        return below.get(cls, [])

    def has_method(self, name: str) -> bool:
        """Whether any class of the project defines a method of that name."""
        return self._program.has_method(name)

    def setter(self, cls: ProjectClass, name: str) -> ProjectFunction | None:
        """The setter of a property, if the class or a base has one."""
        for base in self.names.mro(cls):
            if isinstance(base, ProjectClass):
                scope = self.names.class_scope(base)
                for statement in base.node.body:
                    if isinstance(statement, ast.FunctionDef) and _is_setter(statement, name):
                        return self.names.function(statement, scope)
        return None

    def has_property(self, name: str) -> bool:
        """Whether any class of the project has a property of that name."""
        return self._program.has_property(name)

    def constructors(self, cls: ProjectClass) -> tuple[ProjectFunction, ...]:
        """The project code that making an instance runs."""
        found: list[ProjectFunction] = []
        for name in _CONSTRUCTORS:
            member = self.names.class_member(cls, name)
            if isinstance(member, ProjectFunction):
                found.append(member)
        for base in self.names.mro(cls):
            if isinstance(base, ProjectClass):
                found.extend(self._validators(base))
        return tuple(found)

    def is_abstract(self, function: ProjectFunction) -> bool:
        """Whether a method has no body: abstract, `...` in a Protocol, or a raise of NotImplementedError."""
        if function not in self._abstract:
            self._abstract[function] = function.owner is not None and self._has_no_body(function)
        return self._abstract[function]

    def _has_no_body(self, function: ProjectFunction) -> bool:
        body = [one for one in function.node.body if not _is_docstring(one)]
        if any(last_name(decorator) == "abstractmethod" for decorator in function.node.decorator_list):
            return True
        if len(body) == 1 and isinstance(body[0], ast.Raise):
            return body[0].exc is not None and last_name(body[0].exc) == "NotImplementedError"
        owner = function.owner
        protocol = owner is not None and any(
            isinstance(base, External) and base.qualified.endswith(".Protocol")
            for base in self.names.mro(owner)
        )
        return protocol and all(isinstance(one, ast.Pass) or _is_ellipsis(one) for one in body)

    def _validators(self, cls: ProjectClass) -> list[ProjectFunction]:
        scope = self.names.class_scope(cls)
        return [
            self.names.function(statement, scope)
            for statement in cls.node.body
            if isinstance(statement, ast.FunctionDef)
            and any(last_name(decorator) in _VALIDATORS for decorator in statement.decorator_list)
        ]

    def _methods(self, name: str) -> list[ProjectFunction]:
        """Every method of that name, in the order of modules and lines."""
        found = [
            self.names.function(statement, self.names.class_scope(cls))
            for cls in self._classes(self._program.with_method(name))
            for statement in cls.node.body
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name
        ]
        return [one for one in found if not self.is_abstract(one)]

    def _overrides(self, name: str) -> dict[ProjectClass, list[ProjectFunction]]:
        """The methods of that name by each class that they may be run for."""
        found: dict[ProjectClass, list[ProjectFunction]] = {}
        for cls in self._classes(self._program.overriding(name)):
            member = self.names.own_member(cls, name) if cls.node.bases else None
            if isinstance(member, ProjectFunction) and not self.is_abstract(member):
                for base in self.names.mro(cls)[1:]:
                    if isinstance(base, ProjectClass):
                        found.setdefault(base, []).append(member)
        return found

    def _classes(self, modules: list[str]) -> Iterator[ProjectClass]:
        for module in modules:
            tree = self.names.module(module)
            for node, scope in tree.classes.items() if tree is not None else ():
                yield self.names.class_of(node, scope.parent)


def _is_setter(node: ast.FunctionDef, name: str) -> bool:
    return node.name == name and any(last_name(one) == "setter" for one in node.decorator_list)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_ellipsis(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is ...
    )
