"""Python's scopes as data: which names each scope binds, and what the code in it does."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum

from flopod_compiler.model import FunctionNode, SourceModule

ScopeNode = (
    ast.Module
    | ast.ClassDef
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)


class How(Enum):
    """How a name came to be bound."""

    PARAMETER = "parameter"
    ASSIGN = "assign"
    DECLARE = "declare"
    UNPACK = "unpack"
    AUGMENT = "augment"
    FOR = "for"
    WITH = "with"
    IMPORT = "import"
    IMPORT_FROM = "import from"
    DEFINE = "def"
    CLASS = "class"
    EXCEPT = "except"
    MATCH = "match"
    DELETE = "del"
    TYPE = "type"


@dataclass(eq=False, slots=True)
class Binding:
    """One place that binds a name. `value` is what is assigned, unpacked or iterated, seen from `scope`;
    `path` says which part of it, for unpacking.
    """

    how: How
    node: ast.AST
    scope: Scope
    value: ast.expr | None = None
    annotation: ast.expr | None = None
    path: tuple[int, ...] = ()


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class, function, lambda or comprehension, with its bindings and what its code does."""

    node: ScopeNode
    parent: Scope | None
    module: SourceModule
    qualname: str
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    calls: list[ast.Call] = field(default_factory=list)
    loads: list[ast.Name] = field(default_factory=list)
    attributes: list[ast.Attribute] = field(default_factory=list)
    stores: list[ast.Attribute | ast.Subscript] = field(default_factory=list)
    others: list[ast.AST] = field(default_factory=list)
    stars: list[ast.ImportFrom] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)
    too_deep: ast.AST | None = None

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)

    @property
    def is_comprehension(self) -> bool:
        return isinstance(self.node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)


@dataclass(eq=False, slots=True)
class Tree:
    """The scopes of one outermost function, or of a module's top level with its classes.

    `inner` gives the scope of names and calls that do not stand in the root scope itself; `functions` the
    functions met, with the scope that holds them.
    """

    root: Scope
    scopes: list[Scope] = field(default_factory=list)
    inner: dict[ast.AST, Scope] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    functions: dict[FunctionNode, Scope] = field(default_factory=dict)
    classes: dict[ast.ClassDef, Scope] = field(default_factory=dict)


def inner_scope(node: ScopeNode, parent: Scope, name: str) -> Scope:
    """The scope that a node opens in another, for what is named or called `name`."""
    return Scope(node, parent, parent.module, qualname_in(parent, name))


def qualname_in(parent: Scope, name: str) -> str:
    """The `__qualname__` of a definition named `name` that stands in `parent`."""
    if not parent.qualname:
        return name
    separator = "." if isinstance(parent.node, ast.ClassDef) else ".<locals>."
    return f"{parent.qualname}{separator}{name}"
