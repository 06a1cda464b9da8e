"""Verify an emitted function by undoing the lowering on its syntax tree: what is left must be the author's.

Both trees are read into nested tuples, the author's as it is, the emitted one with every scope,
recorded decision and declaration taken out again. A statement, operand, clause or keyword argument
that lowering dropped, moved or doubled shows as a difference.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, ClassVar

from flopod_compiler.classify.receivers import BY_TYPE
from flopod_compiler.knowledge.beside import made_by
from flopod_compiler.knowledge.concurrency import BLOCKING_SLEEP
from flopod_compiler.model import CallKind, Classified, FunctionNode
from flopod_compiler.plan import Plan
from flopod_compiler.plan.naming import TIMERS
from flopod_compiler.sites import Site

Form = Any
_DROPPED = object()
_DERIVED = frozenset({"type_comment", "kind", "ctx"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BARE = {CallKind.PRIMITIVE, CallKind.IDIOM}
_SCOPED = {
    "log": "log",
    "gather": "parallel",
    "parallel": "parallel",
    "as_completed": "as_completed",
    "race": "race",
}
_CARRIED = {"activity", "awaited", "call", "record"}


def verify_workflow(classified: Classified, plan: Plan, emitted: FunctionNode) -> str | None:
    """Compare an emitted workflow with its source; the text of the first difference, or None."""
    written = _Written(classified, plan)(plan.root.node)
    restored = _Restored(plan)(emitted)
    return _difference(written, restored, plan.root.qualname)


def _difference(left: Form, right: Form, where: str) -> str | None:
    if left == right:
        return None
    if isinstance(left, tuple) and isinstance(right, tuple) and left and right and left[0] == right[0]:
        if len(left) != len(right):
            return f"{where}: {len(left) - 1} parts written, {len(right) - 1} emitted"
        inside = f"{where}/{left[0]}" if isinstance(left[0], str) and left[0][:1].isupper() else where
        for one, other in zip(left, right, strict=True):
            found = _difference(one, other, inside)
            if found is not None:
                return found
    return f"{where}: {_short(left)} became {_short(right)}"


def _short(form: Form) -> str:
    text = repr(form)
    return text if len(text) <= 160 else text[:157] + "..."


class _Reader:
    """Reads a tree into tuples; what the parser derives and annotations of local variables do not count."""

    _in_class = False
    _methods: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Form]]] = {}

    def __init_subclass__(cls) -> None:
        kinds = [one for one in vars(ast).values() if isinstance(one, type) and issubclass(one, ast.AST)]
        cls._methods = {kind: getattr(cls, f"_{kind.__name__}", _Reader._plain) for kind in kinds}

    def __call__(self, node: Any) -> Form:
        method = self._methods.get(node.__class__)
        if method is not None:
            return method(self, node)
        if isinstance(node, list):
            forms = [self(one) for one in node]
            return ("List_", *(one for one in forms if one is not _DROPPED))
        return (type(node).__name__, repr(node))

    def _plain(self, node: ast.AST) -> Form:
        parts = [self(getattr(node, name, None)) for name in node._fields if name not in _DERIVED]
        return (type(node).__name__, *parts)

    def _AnnAssign(self, node: ast.AnnAssign) -> Form:
        if self._in_class:
            return self._plain(node)
        if node.value is None and isinstance(node.target, ast.Name) and not node.simple:
            return ("Pass",)
        if node.value is None:
            return ("Declared", self(node.target))
        return self._local(node)

    def _local(self, node: ast.AnnAssign) -> Form:
        """An annotated assignment to a local variable, as the plain one that it means."""
        assert node.value is not None
        return ("Assign", ("List_", self(node.target)), self(node.value))

    def _ClassDef(self, node: ast.ClassDef) -> Form:
        return self._inside(node, is_class=True)

    def _Lambda(self, node: ast.Lambda) -> Form:
        return self._inside(node, is_class=False)

    def _inside(self, node: ast.AST, *, is_class: bool) -> Form:
        before, self._in_class = self._in_class, is_class
        form = self._plain(node)
        self._in_class = before
        return form

    def _Assign(self, node: ast.Assign) -> Form:
        return ("Assign", self(node.targets), self(node.value))

    def _BoolOp(self, node: ast.BoolOp) -> Form:
        operator = type(node.op).__name__
        return self._joined(operator, [self(value) for value in node.values])

    @staticmethod
    def _joined(operator: str, values: list[Form]) -> Form:
        flat: list[Form] = []
        for value in values:
            if isinstance(value, tuple) and value[:2] == ("BoolOp", operator):
                flat += value[2:]
            else:
                flat.append(value)
        return ("BoolOp", operator, *flat) if len(flat) > 1 else flat[0]

    def _function(self, node: FunctionNode, kind: str, arguments: Form, decorators: Form) -> Form:
        before, self._in_class = self._in_class, False
        body = self(node.body)
        self._in_class = before
        types = self(getattr(node, "type_params", []))
        return ("Function", kind, node.name, types, arguments, decorators, self(node.returns), body)

    def _bound(self, function: Form, arguments: list[Form], named: dict[str, Form]) -> Form:
        """A primitive's call by meaning: what is positional there may be named here."""
        return ("Primitive", function, tuple(arguments), tuple(sorted(named.items())))


class _Written(_Reader):
    def __init__(self, classified: Classified, plan: Plan) -> None:
        self._calls = classified.calls
        self._plan = plan
        self._collections = {
            declared.statement: declared.form
            for function in plan.functions.values()
            for declared in function.state.declared.values()
            if declared.statement is not None and declared.form != "var"
        }

    def _FunctionDef(self, node: FunctionNode) -> Form:
        decorators = ("List_",) if node is self._plan.root.node else self(node.decorator_list)
        kind = "AsyncFunctionDef" if node in self._plan.functions else type(node).__name__
        return self._function(node, kind, self(node.args), decorators)

    _AsyncFunctionDef = _FunctionDef

    def _Assign(self, node: ast.Assign) -> Form:
        return ("Assign", self(node.targets), self._value(node))

    def _local(self, node: ast.AnnAssign) -> Form:
        return ("Assign", ("List_", self(node.target)), self._value(node))

    def _value(self, node: ast.Assign | ast.AnnAssign) -> Form:
        form = self._collections.get(node)
        empty = isinstance(node.value, ast.Call) and not node.value.args and not node.value.keywords
        if form is not None and empty:
            return self(ast.List([], ast.Load()) if form == "list" else ast.Dict([], []))
        return self(node.value)

    def _For(self, node: ast.For | ast.AsyncFor) -> Form:
        kind = type(node).__name__
        return (kind, self(node.target), self(node.iter), self(node.body), self(node.orelse))

    _AsyncFor = _For

    def _While(self, node: ast.While) -> Form:
        endless = node in self._plan.loops and isinstance(node.test, ast.Constant) and bool(node.test.value)
        test = self(ast.Constant(True)) if endless else self(node.test)
        return ("While", test, self(node.body), self(node.orelse))

    def _Call(self, node: ast.Call) -> Form:
        form = self._called(node)
        return ("Await", form) if node in self._plan.awaited else form

    def _called(self, node: ast.Call) -> Form:
        info = self._calls.get(node)
        site = self._plan.sites.get(node)
        if info is None:
            return self._plain(node)
        if info.kind is CallKind.OUTPUT or (info.kind in _BARE and info.name in _SCOPED):
            is_output = info.kind is CallKind.OUTPUT
            plain = "print" if info.callee == "builtins.print" else "logging"
            name = plain if is_output else _SCOPED[info.name]
            head = [self(node.func)] if name == "logging" else []
            return ("Primitive", name, (*head, *map(self, node.args)), self._named(node))
        if node in self._plan.spreads:
            return self(self._as_generator(node))
        if site is None or site.kind in _CARRIED or site.kind in TIMERS:
            form = self._plain(self._by_class(node, info.holder))
            return ("Doubtful", form) if node in self._plan.doubtful else form
        return self._primitive(node, site)

    def _as_generator(self, node: ast.Call) -> ast.GeneratorExp:
        """`map(f, xs)` of a gather, as the generator that it is lowered to."""
        name = ast.Name(self._plan.spreads[node].item, ast.Load())
        function, *iterables = node.args
        several = len(iterables) > 1
        items = ast.Call(ast.Name("zip", ast.Load()), iterables, []) if several else iterables[0]
        item: ast.expr = ast.Starred(name, ast.Load()) if several else name
        clause = ast.comprehension(name, items, [], 0)
        return ast.GeneratorExp(ast.Call(function, [item], []), [clause])

    @staticmethod
    def _by_class(node: ast.Call, holder: str) -> ast.Call:
        """A method called by its class, with its object as the first argument."""
        if not holder or not isinstance(node.func, ast.Attribute):
            return node
        receiver = node.func.value
        cls: ast.expr = ast.parse(holder, mode="eval").body
        if holder == BY_TYPE:
            cls = ast.Call(cls, [receiver], [])
        function = ast.Attribute(cls, node.func.attr, ast.Load())
        return ast.Call(function, [receiver, *node.args], node.keywords)

    def _named(self, node: ast.Call) -> Form:
        return tuple(self(keyword) for keyword in node.keywords)

    def _primitive(self, node: ast.Call, site: Site) -> Form:
        kind, info = site.kind, self._calls[node]
        made = made_by(node) if kind == "forget" else None
        if made is not None:
            node = ast.Call(made.func, [made.func, *made.args], made.keywords)
        arguments = [self(argument) for argument in node.args]
        named = {keyword.arg or "**": self(keyword.value) for keyword in node.keywords}
        if kind == "wait":
            for position, name in enumerate(["event", "type"][: len(arguments)]):
                named[name] = arguments[position]
            arguments = []
            if site.says_event:
                named.pop("event", None)
        elif kind == "child":
            arguments[0] = self(ast.Constant(info.name))
        elif info.scoped:
            named["workflow"] = self(ast.Constant(True))
        elif kind in {"sleep", "sleep_until"}:
            arguments, named = [*arguments, *named.values()], {}
            if info.callee == BLOCKING_SLEEP:
                named["blocking"] = self(ast.Constant(True))
        return self._bound(kind, arguments, named)


class _Restored(_Reader):
    def __init__(self, plan: Plan) -> None:
        self._scopes = {site.variable for site in plan.sites.values()}
        self._scopes |= {scope.variable for scope in plan.loops.values()}
        self._scopes |= {one.root.variable for one in plan.functions.values()}
        self._scopes |= {one.inner.variable for one in plan.spreads.values()}
        self._scopes |= {one.loop.variable for one in plan.spreads.values()}
        self._counters = set(plan.counters.values())
        self._durable = {function.function.node.name for function in plan.functions.values()}
        self._root = plan.root.node.name
        self._shared = {
            declared.name
            for function in plan.functions.values()
            for declared in function.state.declared.values()
            if declared.form == "var"
        }
        self._depth = 0

    def _method(self, node: ast.AST) -> str | None:
        """The primitive that a call of a scope's method names."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        receiver = node.func.value
        if isinstance(receiver, ast.Name) and receiver.id in self._scopes:
            return node.func.attr
        return None

    def _FunctionDef(self, node: FunctionNode) -> Form:
        arguments = node.args
        is_root = self._depth == 0
        self._depth += 1
        every = arguments.posonlyargs or arguments.args
        if node.name in self._durable and every and every[0].arg in self._scopes:
            del every[0]
        decorators = ("List_",) if is_root else self(node.decorator_list)
        form = self._function(node, type(node).__name__, self(arguments), decorators)
        self._depth -= 1
        return form

    _AsyncFunctionDef = _FunctionDef

    def _Expr(self, node: ast.Expr) -> Form:
        return _DROPPED if self._method(node.value) == "branch" else self._plain(node)

    def _Assign(self, node: ast.Assign) -> Form:
        method = self._method(node.value)
        if method == "repeat":
            return _DROPPED
        if method in {"var", "list", "map"} and isinstance(node.value, ast.Call):
            return self._declaration(node, node.value, method)
        return ("Assign", self(node.targets), self(node.value))

    def _local(self, node: ast.AnnAssign) -> Form:
        assert node.value is not None
        return self._Assign(ast.Assign([node.target], node.value))

    def _declaration(self, node: ast.Assign, call: ast.Call, method: str) -> Form:
        target = node.targets[0]
        rest = call.args[1:]
        if method == "var":
            itself = (
                rest
                and isinstance(rest[0], ast.Name)
                and isinstance(target, ast.Name)
                and rest[0].id == target.id
            )
            if not rest or itself:
                return _DROPPED
            return ("Assign", self(node.targets), self(rest[0]))
        if rest:
            return ("Assign", self(node.targets), self(rest[0]))
        empty: ast.expr = ast.List([], ast.Load()) if method == "list" else ast.Dict([], [])
        return ("Assign", self(node.targets), self(empty))

    def _Attribute(self, node: ast.Attribute) -> Form:
        if node.attr == "value" and isinstance(node.value, ast.Name) and node.value.id in self._shared:
            return self(node.value)
        return self._plain(node)

    def _For(self, node: ast.For | ast.AsyncFor) -> Form:
        target, iterable = self._each(node.target, node.iter)
        return (type(node).__name__, target, iterable, self(node.body), self(node.orelse))

    _AsyncFor = _For

    def _comprehension(self, node: ast.comprehension) -> Form:
        target, iterable = self._each(node.target, node.iter)
        return ("comprehension", target, iterable, self(node.ifs), self(node.is_async))

    def _each(self, target: ast.expr, iterable: ast.expr) -> tuple[Form, Form]:
        if (
            self._method(iterable) == "each"
            and isinstance(target, ast.Tuple)
            and isinstance(iterable, ast.Call)
        ):
            return self(target.elts[1]), self(iterable.args[1])
        return self(target), self(iterable)

    def _While(self, node: ast.While) -> Form:
        return ("While", self._test(node.test), self(node.body), self(node.orelse))

    def _test(self, test: ast.expr) -> Form:
        if self._steps(test):
            return self(ast.Constant(True))
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and self._steps(test.values[0]):
            return self._joined("And", [self(value) for value in test.values[1:]])
        return self(test)

    def _steps(self, test: ast.expr) -> bool:
        return isinstance(test, ast.NamedExpr) and test.target.id in self._scopes

    def _Call(self, node: ast.Call) -> Form:
        method = self._method(node)
        if method is None:
            return self._plain(node)
        if method in {"branch", "constant", *TIMERS}:
            return self(node.args[1])
        if method in _CARRIED:
            form = self._plain(ast.Call(node.args[1], node.args[2:], node.keywords))
            return ("Doubtful", form) if method == "awaited" else form
        if method in {"print", "log", "logging", "parallel", "named", "as_completed", "race"}:
            named = tuple(self(keyword) for keyword in node.keywords)
            arguments = node.args[1:] if method == "race" else node.args
            return ("Primitive", method.replace("named", "parallel"), tuple(map(self, arguments)), named)
        return self._primitive(node, method)

    def _primitive(self, node: ast.Call, method: str) -> Form:
        arguments = [self(argument) for argument in node.args[1:]]
        named = {keyword.arg or "**": self(keyword.value) for keyword in node.keywords}
        if method == "wait" and arguments:
            named["event"] = arguments.pop(0)
        return self._bound(method, arguments, named)
