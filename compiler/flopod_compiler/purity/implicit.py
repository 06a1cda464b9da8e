"""Calls that are not written as calls: properties, operators, iteration, `with`, builtins."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from flopod_compiler.model import External, ProjectClass, ProjectFunction
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.hierarchy import Hierarchy
from flopod_compiler.purity.protocols import (
    Reach,
    Use,
    reached,
    uses_of,
    uses_of_function,
    uses_of_method,
    uses_of_scope,
    uses_of_subscript,
)
from flopod_compiler.types import Inference
from flopod_compiler.types.model import Type, union

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
    "bool": ("__bool__", "__len__"),
    "abs": ("__abs__",),
    "hash": ("__hash__",),
    "int": ("__int__",),
    "float": ("__float__",),
}


_BY_NAME = frozenset({"operator.methodcaller", "operator.attrgetter"})
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
            for use in uses_of(node):
                yield from self._used(use, scope)
        for call in scope.calls:
            yield from self._builtin(call, scope)
            yield from self._called(call, scope)
        for use in uses_of_scope(scope):
            yield from self._used(use, scope)
        for generator in getattr(scope.node, "generators", ()):
            names = ("__aiter__", "__anext__") if generator.is_async else ("__iter__", "__next__")
            yield from self._run(generator.iter, scope, "iterating over", *names)

    def _property(self, attribute: ast.Attribute, scope: Scope) -> Iterator[Implicit]:
        if self.hierarchy.has_property(attribute.attr):
            for one in self.types.of(attribute.value, scope) or ():
                getter = self.types.classes.property_of(one.cls, attribute.attr) if one.cls else None
                if getter is not None:
                    yield Implicit(attribute, "reading", getter, attribute.value, attribute)
        elif self.hierarchy.has_method("__getattribute__"):
            yield from self._method(attribute, attribute.value, scope, "reading", "__getattribute__")
        elif self.hierarchy.has_method("__get__"):
            yield from self._described(attribute, scope, "reading", "__get__")
        elif self.hierarchy.has_method("__getattr__"):
            for one in self.types.of(attribute.value, scope) or ():
                if one.cls is not None and self.names.class_member(one.cls, attribute.attr) is None:
                    yield from self._method(attribute, attribute.value, scope, "reading", "__getattr__")

    def _store(self, store: ast.Attribute | ast.Subscript, scope: Scope) -> Iterator[Implicit]:
        if isinstance(store, ast.Subscript):
            for use in uses_of_subscript(store):
                yield from self._used(use, scope)
            name = "__delitem__" if isinstance(store.ctx, ast.Del) else "__setitem__"
            yield from self._method(store, store.value, scope, "assigning an item of", name)
            return
        if self.hierarchy.has_property(store.attr):
            for one in self.types.of(store.value, scope) or ():
                setter = self.hierarchy.setter(one.cls, store.attr) if one.cls is not None else None
                if setter is not None:
                    yield Implicit(store, "assigning", setter, store.value, store)
        yield from self._described(store, scope, "assigning", "__set__")
        yield from self._method(store, store.value, scope, "assigning an attribute of", "__setattr__")

    def _described(self, attribute: ast.Attribute, scope: Scope, verb: str, name: str) -> Iterator[Implicit]:
        """An attribute that its class gives to an object with `__get__` or `__set__`."""
        if not self.hierarchy.has_method(name):
            return
        for one in self.types.of(attribute.value, scope) or ():
            for base in self.names.mro(one.cls) if one.cls is not None else ():
                inside = self.names.class_scope(base) if isinstance(base, ProjectClass) else None
                for binding in inside.bindings.get(attribute.attr, ()) if inside is not None else ():
                    made = self.types.of(binding.value, binding.scope) if binding.value is not None else None
                    for descriptor in made or ():
                        for member in self._members(descriptor, name):
                            yield Implicit(attribute, verb, member, attribute.value, attribute)

    def _other(self, node: ast.AST, scope: Scope) -> Iterator[Implicit]:
        if isinstance(node, ast.BinOp | ast.AugAssign):
            yield from self._operator(node, scope)
        elif isinstance(node, ast.Subscript):
            yield from self._method(node, node.value, scope, "reading an item of", "__getitem__")
            for use in uses_of_subscript(node):
                yield from self._used(use, scope)
        elif isinstance(node, ast.MatchClass):
            yield from self._matched(node, scope)
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
                yield from self._augmented(node, node.target, scope, (f"__i{name}__", f"__{name}__"))
            return
        yield from self._run(node.left, scope, "the operator on", f"__{name}__")
        yield from self._run(node.right, scope, "the operator on", f"__r{name}__")

    def _augmented(
        self, node: ast.AugAssign, target: ast.Name, scope: Scope, names: tuple[str, ...]
    ) -> Iterator[Implicit]:
        """`x += y` runs a method of what the other bindings of `x` give."""
        if not any(self.hierarchy.has_method(name) for name in names):
            return
        load = ast.copy_location(ast.Name(target.id, ast.Load()), target)
        found = self.types.of(load, scope)
        if found is None:
            _, bindings = self.names.lookup(target.id, scope)
            given = [one.value for one in bindings if one.how is How.ASSIGN and one.value is not None]
            found = union(*(self.types.of(one, scope) for one in given)) if given else None
        for one in found or ():
            yield from self._first(Use(node, "the operator on", load, names), one)

    def _matched(self, pattern: ast.MatchClass, scope: Scope) -> Iterator[Implicit]:
        """A class pattern reads attributes, which may be properties."""
        cls = self.names.resolve(pattern.cls, scope)
        for name in pattern.kwd_attrs:
            if isinstance(cls, ProjectClass) and self.hierarchy.has_property(name):
                getter = self.types.classes.property_of(cls, name)
                if getter is not None:
                    yield Implicit(pattern, "matching", getter, pattern.cls, pattern.cls)

    def _called(self, call: ast.Call, scope: Scope) -> Iterator[Implicit]:
        """What a function or method outside the project runs of what it is given."""
        func = call.func
        symbol = self.names.resolve(func, scope) if isinstance(func, ast.Name | ast.Attribute) else None
        if isinstance(symbol, External):
            for use in uses_of_function(call, symbol.qualified):
                yield from self._used(use, scope)
            if symbol.qualified in ("builtins.getattr", "builtins.hasattr"):
                yield from self._looked_up(call, scope)
        elif isinstance(func, ast.Attribute):
            for use in uses_of_method(call, func):
                if not any(one.cls is not None for one in self.types.of(func.value, scope) or ()):
                    yield from self._used(use, scope)
        yield from self._by_name(call, scope)

    def _looked_up(self, call: ast.Call, scope: Scope) -> Iterator[Implicit]:
        """`getattr(order, "total")`, which reads the attribute."""
        name = call.args[1].value if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) else None
        if isinstance(name, str):
            read = ast.copy_location(ast.Attribute(call.args[0], name, ast.Load()), call)
            yield from self._property(read, scope)

    def _by_name(self, call: ast.Call, scope: Scope) -> Iterator[Implicit]:
        """`key=methodcaller("total")`, which runs a method, or property, of each element."""
        given = [*call.args, *(one.value for one in call.keywords)]
        for value in given:
            made = self.names.resolve(value.func, scope) if isinstance(value, ast.Call) else None
            if (
                not isinstance(made, External)
                or made.qualified not in _BY_NAME
                or not isinstance(value, ast.Call)
            ):
                continue
            names = [one.value for one in value.args if isinstance(one, ast.Constant)]
            names = names[:1] if made.qualified == "operator.methodcaller" else names
            held = [one for one in given if one is not value]
            held += [call.func.value] if isinstance(call.func, ast.Attribute) else []
            for name in names:
                for one in held:
                    use = Use(call, f"{shortened(value)} of", one, (str(name),), Reach.ELEMENTS)
                    yield from self._used(use, scope)

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

    def _used(self, use: Use, scope: Scope) -> Iterator[Implicit]:
        if any(self.hierarchy.has_method(name) for name in use.names):
            for one in dict.fromkeys(reached(self.types.of(use.expr, scope), use.reach)):
                yield from self._first(use, one)

    def _first(self, use: Use, one: Type) -> Iterator[Implicit]:
        """The first method of a use that the class has, and those of its subclasses."""
        for name in use.names if one.cls is not None else ():
            found = list(self._members(one, name))
            yield from (Implicit(use.node, use.verb, member, use.expr, use.expr) for member in found)
            if found:
                return

    def _members(self, one: Type, name: str) -> Iterator[ProjectFunction]:
        if one.cls is not None and self.hierarchy.has_method(name):
            member = self.names.class_member(one.cls, name)
            if isinstance(member, ProjectFunction):
                yield member
            yield from self.hierarchy.overrides(one.cls, name)

    def _method(
        self, node: ast.AST, receiver: ast.expr, scope: Scope, what: str, name: str
    ) -> Iterator[Implicit]:
        if not self.hierarchy.has_method(name):
            return
        for one in self.types.of(receiver, scope) or ():
            for member in self._members(one, name):
                yield Implicit(node, what, member, receiver, receiver)
