"""Calls that are not written as calls: properties, operators, iteration, `with`, builtins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flopod_compiler.model import External, ProjectFunction
from flopod_compiler.names import Names, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.hierarchy import Hierarchy
from flopod_compiler.types import Inference

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
}
_COMPARISONS: dict[type[ast.AST], str] = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.In: "__contains__",
    ast.NotIn: "__contains__",
}
_BUILTINS = {
    **dict.fromkeys(
        [
            "iter",
            "list",
            "tuple",
            "set",
            "frozenset",
            "sorted",
            "sum",
            "min",
            "max",
            "any",
            "all",
            "enumerate",
            "zip",
            "map",
            "filter",
            "reversed",
        ],
        ("__iter__",),
    ),
    "len": ("__len__",),
    "next": ("__next__",),
    "str": ("__str__",),
    "repr": ("__repr__",),
    "format": ("__format__",),
    "bool": ("__bool__", "__len__"),
    "abs": ("__abs__",),
    "hash": ("__hash__",),
    "int": ("__int__",),
    "float": ("__float__",),
}


ENTERING = "entering"
_ENTERING = {
    "enter_context": ("__enter__", "__exit__"),
    "enter_async_context": ("__aenter__", "__aexit__"),
}


@dataclass(frozen=True, slots=True)
class Implicit:
    """Project code that an expression or statement runs without a call; `receiver` is its `self`."""

    node: ast.AST
    verb: str
    function: ProjectFunction
    receiver: ast.expr
    named: ast.expr

    @property
    def what(self) -> str:
        """What the author wrote, in words."""
        return f"{self.verb} `{shortened(self.named)}`"


class ImplicitCalls:
    """Finds them by the types of operands, where any class of the project defines the method at all."""

    def __init__(self, names: Names, types: Inference, hierarchy: Hierarchy) -> None:
        self.names = names
        self.types = types
        self.hierarchy = hierarchy

    def of(self, scope: Scope) -> Iterator[Implicit]:
        """The implicit calls of the code that stands directly in a scope."""
        for attribute in scope.attributes:
            yield from self._property(attribute, scope)
        for store in scope.stores:
            yield from self._store(store, scope)
        for node in scope.others:
            yield from self._other(node, scope)
        for call in scope.calls:
            yield from self._builtin(call, scope)
        for generator in getattr(scope.node, "generators", ()):
            names = ("__aiter__", "__anext__") if generator.is_async else ("__iter__", "__next__")
            yield from self._run(generator.iter, scope, "iterating over", *names)

    def _property(self, attribute: ast.Attribute, scope: Scope) -> Iterator[Implicit]:
        if self.hierarchy.has_property(attribute.attr):
            for one in self.types.of(attribute.value, scope) or ():
                getter = self.types.classes.property_of(one.cls, attribute.attr) if one.cls else None
                if getter is not None:
                    yield Implicit(attribute, "reading", getter, attribute.value, attribute)
        elif self.hierarchy.has_method("__getattr__"):
            for one in self.types.of(attribute.value, scope) or ():
                if one.cls is not None and self.names.class_member(one.cls, attribute.attr) is None:
                    yield from self._method(attribute, attribute.value, scope, "reading", "__getattr__")

    def _store(self, store: ast.Attribute | ast.Subscript, scope: Scope) -> Iterator[Implicit]:
        if isinstance(store, ast.Subscript):
            name = "__delitem__" if isinstance(store.ctx, ast.Del) else "__setitem__"
            yield from self._method(store, store.value, scope, "assigning an item of", name)
            return
        if self.hierarchy.has_property(store.attr):
            for one in self.types.of(store.value, scope) or ():
                setter = self.hierarchy.setter(one.cls, store.attr) if one.cls is not None else None
                if setter is not None:
                    yield Implicit(store, "assigning", setter, store.value, store)
        yield from self._method(store, store.value, scope, "assigning an attribute of", "__setattr__")

    def _other(self, node: ast.AST, scope: Scope) -> Iterator[Implicit]:
        if isinstance(node, ast.BinOp | ast.AugAssign):
            yield from self._operator(node, scope)
        elif isinstance(node, ast.Compare):
            yield from self._comparison(node, scope)
        elif isinstance(node, ast.Subscript):
            yield from self._method(node, node.value, scope, "reading an item of", "__getitem__")
        elif isinstance(node, ast.For):
            yield from self._run(node.iter, scope, "iterating over", "__iter__", "__next__")
        elif isinstance(node, ast.With):
            for item in node.items:
                yield from self._run(item.context_expr, scope, ENTERING, "__enter__", "__exit__")
        elif isinstance(node, ast.AsyncFor):
            yield from self._run(node.iter, scope, "iterating over", "__aiter__", "__anext__")
        elif isinstance(node, ast.AsyncWith):
            for item in node.items:
                yield from self._run(item.context_expr, scope, ENTERING, "__aenter__", "__aexit__")

    def _operator(self, node: ast.BinOp | ast.AugAssign, scope: Scope) -> Iterator[Implicit]:
        name = _OPERATORS.get(type(node.op), "")
        if isinstance(node, ast.AugAssign):
            if isinstance(node.target, ast.Name):
                target = ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)
                yield from self._run(target, scope, "the operator on", f"__i{name}__", f"__{name}__")
            return
        yield from self._run(node.left, scope, "the operator on", f"__{name}__")
        yield from self._run(node.right, scope, "the operator on", f"__r{name}__")

    def _comparison(self, node: ast.Compare, scope: Scope) -> Iterator[Implicit]:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            name = _COMPARISONS.get(type(operator))
            if name is not None:
                receiver = right if name == "__contains__" else left
                yield from self._run(receiver, scope, "comparing", name)
            left = right

    def _builtin(self, call: ast.Call, scope: Scope) -> Iterator[Implicit]:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ENTERING:
            for argument in call.args:
                yield from self._run(argument, scope, ENTERING, *_ENTERING[call.func.attr])
        if not call.args or not isinstance(call.func, ast.Name) or call.func.id not in _BUILTINS:
            return
        symbol = self.names.resolve(call.func, scope)
        if isinstance(symbol, External) and symbol.qualified == f"builtins.{call.func.id}":
            for argument in call.args:
                yield from self._run(argument, scope, f"{call.func.id}() of", *_BUILTINS[call.func.id])

    def _run(self, expr: ast.expr, scope: Scope, what: str, *names: str) -> Iterator[Implicit]:
        for name in names:
            yield from self._method(expr, expr, scope, what, name)

    def _method(
        self, node: ast.AST, receiver: ast.expr, scope: Scope, what: str, name: str
    ) -> Iterator[Implicit]:
        if not self.hierarchy.has_method(name):
            return
        for one in self.types.of(receiver, scope) or ():
            if one.cls is not None:
                member = self.names.class_member(one.cls, name)
                if isinstance(member, ProjectFunction):
                    yield Implicit(node, what, member, receiver, receiver)
