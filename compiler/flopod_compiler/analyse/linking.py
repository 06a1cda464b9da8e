"""How objects flow along assignments, loops, calls and returns, round by round until nothing is new."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flopod_compiler.analyse.evaluation import SPREADING, Evaluation
from flopod_compiler.analyse.heap import NOTHING, Heap, Object, Objects, contents, reach
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.knowledge.author import FOR_EACH
from flopod_compiler.knowledge.beside import BESIDE, bound_to, callbacks, value_of
from flopod_compiler.model import CallInfo, CallKind, Classified

_ROUNDS = 30
_LINKING = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension),
    *(ast.withitem, ast.Match, ast.Call, ast.Return, *FUNCTIONS),
)


class Linking:
    """Links what the statements of a workflow put together on the heap."""

    def __init__(self, classified: Classified, names: Names, heap: Heap, values: Evaluation) -> None:
        self._classified = classified
        self._names = names
        self._heap = heap
        self._values = values

    def settle(self) -> None:
        """Let objects flow along the program's assignments and calls until nothing is new."""
        nodes = [node for node in self._names.index.nodes if isinstance(node, _LINKING)]
        for _ in range(_ROUNDS):
            self._heap.grown = False
            for node in nodes:
                self._link(node)
            if not self._heap.grown:
                break

    def _bind(self, target: ast.AST, value: Objects) -> None:
        match target:
            case ast.Name():
                owner = self._names.of.get(target)
                if owner is not None:
                    self._heap.bind((owner, target.id), value)
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._bind(element, contents(value))
            case ast.Starred():
                self._bind(target.value, [self._heap.made(target, value)])  # type: ignore[arg-type]
            case ast.Attribute() | ast.Subscript():
                self._heap.hold(self._values.of(target.value), value)

    def _link(self, node: ast.AST) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._bind(target, self._values.of(node.value))
            case ast.AnnAssign() | ast.NamedExpr():
                self._bind(node.target, self._values.of(node.value))
            case ast.AugAssign():
                self._link_augmented(node)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                self._bind(node.target, contents(self._values.of(node.iter)))
            case ast.withitem(optional_vars=ast.expr() as target):
                held = self._values.of(node.context_expr)
                self._bind(target, frozenset(reach(held)))
            case ast.Match():
                self._link_match(node)
            case ast.Call():
                self._link_call(node)
            case ast.Return():
                self._link_return(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._link_defaults(node)
            case _:
                pass

    def _link_augmented(self, node: ast.AugAssign) -> None:
        """`x += y` keeps x's object and takes over what y holds, or makes a new one of both."""
        value, target = self._values.of(node.value), self._values.of(node.target)
        self._heap.hold(target, contents(value))
        if value and not target:
            self._bind(node.target, [self._heap.made(node, contents(value))])  # type: ignore[arg-type]

    def _link_defaults(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Mutable defaults live as long as the function, which holds them from call to call."""
        scope, arguments = self._names.scopes[node], node.args
        plain = [*arguments.posonlyargs, *arguments.args]
        given: list[tuple[ast.arg, ast.expr | None]] = []
        given += zip(reversed(plain), reversed(arguments.defaults), strict=False)
        given += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        held = NOTHING
        for parameter, default in given:
            value = self._values.of(default)
            self._heap.bind((scope, parameter.arg), value)
            held |= value
        if scope.parent is not None:
            self._heap.bind((scope.parent, node.name), [self._values.function(node, held)])

    def _link_return(self, node: ast.Return) -> None:
        value = self._values.of(node.value)
        for scope in self._values.functions.values():
            function = scope.node
            if isinstance(function, FUNCTIONS) and function.lineno <= node.lineno <= (
                function.end_lineno or 0
            ):
                self._heap.bind((scope, "return"), value)

    def _link_match(self, node: ast.Match) -> None:
        value = self._values.of(node.subject)
        captures = {one for case in node.cases for one in ast.walk(case.pattern)}
        for scope in self._names.root.walk() if value else ():
            for name, bindings in scope.bindings.items():
                if any(binding.node in captures for binding in bindings):
                    self._heap.bind((scope, name), reach(value))

    def _link_call(self, node: ast.Call) -> None:
        info, inner = self._classified.calls.get(node), self._values.local(node)
        if inner is not None:
            self._meet_parameters(inner, node)
        elif info is not None and info.callee in BESIDE:
            self._link_beside(node, info)
        elif info is not None and info.kind is CallKind.PURE and "self" in info.mutates:
            given = self._values.arguments(node)
            added = contents(given) if info.name in SPREADING else given
            self._heap.hold(self._values.receiver(node), added)
        elif info is not None and info.kind is CallKind.PURE and info.mutates:
            given = self._values.arguments(node)
            self._heap.hold(given - self._values.code, given)

    def _link_beside(self, node: ast.Call, info: CallInfo) -> None:
        """A block gets the value, an item of it, or what a connector makes of that; a list gets a handle."""
        value = self._values.of(value_of(info.callee, node))
        met = contents(value) if info.callee == FOR_EACH else value
        is_mapped = any(name == "connector" for name, _ in callbacks(node))
        self._meet(self._values.block(node), reach(met) if is_mapped else met)
        for name, function in callbacks(node):
            self._meet(self._values.called(function), self._values.of(node) if name == "on_handle" else met)
        for bound in bound_to(node, info.mutates):
            self._heap.hold(self._values.of(bound), self._values.of(node))

    def _meet(self, inner: Scope | None, given: Iterable[Object]) -> None:
        """Every parameter of a nested function may refer to what is given."""
        for parameter in inner.parameters.values() if inner is not None else ():
            if parameter not in self._classified.immutable:
                self._heap.bind((inner, parameter.arg), given)

    def _meet_parameters(self, inner: Scope, node: ast.Call) -> None:
        """Arguments of a call of a nested function become what its parameters refer to."""
        names = list(inner.parameters)
        positional = [one for one in node.args if not isinstance(one, ast.Starred)]
        for position, argument in enumerate(positional):
            self._give(inner, names[position : position + 1] or names, argument)
        for keyword in node.keywords:
            self._give(inner, [keyword.arg] if keyword.arg in inner.parameters else names, keyword.value)
        for one in node.args[len(positional) :]:
            self._give(inner, names, one)

    def _give(self, inner: Scope, names: list[str | None] | list[str], argument: ast.expr) -> None:
        value = self._values.of(argument)
        spread = contents(value) if isinstance(argument, ast.Starred) else value
        for name in names:
            parameter = inner.parameters.get(name or "")
            if parameter is not None and parameter not in self._classified.immutable:
                self._heap.bind((inner, parameter.arg), spread)
