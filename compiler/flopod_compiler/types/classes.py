"""From project classes to the types of their attributes, and whether their instances can change."""

from __future__ import annotations

import ast

from flopod_compiler.model import External, ProjectClass, ProjectFunction
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.types.annotations import Annotations
from flopod_compiler.types.concurrency import handle_attribute
from flopod_compiler.types.known import attribute_result
from flopod_compiler.types.model import Type, Types, is_immutable_name

_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})
_DATA_BASES = frozenset({
    "typing.NamedTuple", "typing.TypedDict", "msgspec.Struct", "pydantic.BaseModel", "pydantic.RootModel",
    "collections.namedtuple",
})  # fmt: skip
_DATA_DECORATORS = frozenset({"dataclass", "define", "frozen", "attrs", "attrib", "s", "mutable"})
_PROPERTIES = frozenset({"property", "cached_property"})


class ClassTypes:
    """What is known of project classes from their bodies and the annotations in their methods."""

    def __init__(self, names: Names, annotations: Annotations) -> None:
        self.names = names
        self.annotations = annotations
        self._attributes: dict[tuple[ProjectClass, str], Types] = {}
        self._immutable: dict[ProjectClass, bool] = {}

    def attribute(self, owner: Type, name: str) -> Types:
        """The types of an attribute of a value of one type."""
        if owner.cls is None:
            return handle_attribute(owner, name) or attribute_result(owner.name, name)
        key = (owner.cls, name)
        if key not in self._attributes:
            self._attributes[key] = None
            self._attributes[key] = self._find(owner.cls, name)
        return self._attributes[key]

    def member_of_class(self, cls: ProjectClass, name: str) -> Types:
        """The types of `Class.name`: members of an enum are instances of it."""
        scope = self.names.class_scope(cls)
        assigned = any(b.how is How.ASSIGN for b in scope.bindings.get(name, ()))
        if assigned and self.is_enum(cls):
            return frozenset({Type(f"{cls.module}:{cls.qualname}", (), cls)})
        return self.attribute(Type(f"{cls.module}:{cls.qualname}", (), cls), name)

    def property_of(self, cls: ProjectClass, name: str) -> ProjectFunction | None:
        """The getter, when the attribute is a property of the class."""
        member = self.names.class_member(cls, name)
        if isinstance(member, ProjectFunction) and _is_property(member):
            return member
        return None

    def is_enum(self, cls: ProjectClass) -> bool:
        """Whether a class is an enumeration."""
        return any(isinstance(base, External) and base.qualified in _ENUMS for base in self.names.mro(cls))

    def is_data(self, cls: ProjectClass) -> bool:
        """Whether a class declares its fields, as data classes of all libraries do, or is an enumeration."""
        for base in self.names.mro(cls):
            if isinstance(base, External) and base.qualified in _DATA_BASES:
                return True
            if isinstance(base, ProjectClass):
                decorators = {_last_name(decorator) for decorator in base.node.decorator_list}
                if decorators & _DATA_DECORATORS:
                    return True
        return self.is_enum(cls)

    def is_immutable(self, types: Types, depth: int = 0) -> bool:
        """Whether no value of these types can change, all the way down."""
        if types is None or depth > 8:
            return False
        return all(self._is_immutable(one, depth) for one in types)

    def _is_immutable(self, one: Type, depth: int) -> bool:
        if one.cls is not None:
            return self._immutable_class(one.cls, depth)
        if one.name in ("builtins.tuple", "builtins.frozenset"):
            return bool(one.args) and all(self.is_immutable(arg, depth + 1) for arg in one.args)
        return is_immutable_name(one.name)

    def _immutable_class(self, cls: ProjectClass, depth: int) -> bool:
        if cls not in self._immutable:
            self._immutable[cls] = False
            self._immutable[cls] = self.is_enum(cls) or self._is_frozen(cls, depth)
        return self._immutable[cls]

    def _is_frozen(self, cls: ProjectClass, depth: int) -> bool:
        for base in self.names.mro(cls):
            if isinstance(base, External) and base.qualified in ("builtins.object", "typing.NamedTuple"):
                continue
            if not isinstance(base, ProjectClass) or not self._declares_frozen(base):
                return False
            scope = self.names.class_scope(base)
            for bindings in scope.bindings.values():
                for binding in bindings:
                    if binding.annotation is not None and not self.is_immutable(
                        self.annotations.read(binding.annotation, scope), depth + 1
                    ):
                        return False
        return True

    def _declares_frozen(self, cls: ProjectClass) -> bool:
        if any(_is_true(keyword, "frozen") for keyword in cls.node.keywords):
            return True
        if any(_last_name(base) == "NamedTuple" for base in cls.node.bases):
            return True
        return any(
            (isinstance(decorator, ast.Call) and any(_is_true(k, "frozen") for k in decorator.keywords))
            or _last_name(decorator) == "frozen"
            for decorator in cls.node.decorator_list
        )

    def _find(self, cls: ProjectClass, name: str) -> Types:
        getter = self.property_of(cls, name)
        if getter is not None:
            return self.annotations.read(getter.node.returns, self.names.class_scope(cls))
        for base in self.names.mro(cls):
            if isinstance(base, ProjectClass):
                scope = self.names.class_scope(base)
                for binding in scope.bindings.get(name, ()):
                    if binding.annotation is not None:
                        return self.annotations.read(binding.annotation, scope)
                found = self._in_methods(scope, name)
                if found is not None:
                    return found
        return None

    def _in_methods(self, scope: Scope, name: str) -> Types:
        """`self.name: T` or `self.name = parameter` in `__init__`."""
        for binding in scope.bindings.get("__init__", ()):
            if not isinstance(binding.node, ast.FunctionDef):
                continue
            inner = self.names.scope(binding.node)
            for statement in ast.walk(binding.node):
                if isinstance(statement, ast.AnnAssign) and _is_self(statement.target, name):
                    return self.annotations.read(statement.annotation, inner)
                if isinstance(statement, ast.Assign) and any(_is_self(t, name) for t in statement.targets):
                    return self._assigned(statement.value, inner)
        return None

    def _assigned(self, value: ast.expr, scope: Scope) -> Types:
        if isinstance(value, ast.Name):
            for binding in scope.bindings.get(value.id, ()):
                if binding.how is How.PARAMETER:
                    return self.annotations.read(binding.annotation, scope)
        if isinstance(value, ast.Call):
            made = self.names.resolve(value.func, scope)
            if isinstance(made, ProjectClass):
                return frozenset({Type(f"{made.module}:{made.qualname}", (), made)})
            if isinstance(made, External) and made.qualified.rpartition(".")[2][:1].isupper():
                return frozenset({Type(made.qualified)})
        return _display(value)


def _display(value: ast.expr) -> Types:
    for kind, name in ((ast.List, "list"), (ast.Dict, "dict"), (ast.Set, "set")):
        if isinstance(value, kind):
            return frozenset({Type(f"builtins.{name}")})
    if isinstance(value, ast.Constant) and value.value is not None:
        return frozenset({Type(f"builtins.{type(value.value).__name__}")})
    return None


def _is_property(function: ProjectFunction) -> bool:
    return any(_last_name(decorator) in _PROPERTIES for decorator in function.node.decorator_list)


def _is_self(target: ast.expr, name: str) -> bool:
    return (
        isinstance(target, ast.Attribute)
        and target.attr == name
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    )


def _is_true(keyword: ast.keyword, name: str) -> bool:
    return keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _last_name(expr: ast.expr) -> str:
    if isinstance(expr, ast.Call):
        expr = expr.func
    return expr.id if isinstance(expr, ast.Name) else getattr(expr, "attr", "")
