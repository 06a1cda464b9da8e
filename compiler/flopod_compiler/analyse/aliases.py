"""Which objects the names below one workflow function may share, and which of them code may change.

A unification-based points-to analysis (after Steensgaard), flow-insensitive and generous: each name
has a location, each location one for its contents. The result of a leaf is taken for new and its
arguments for unchanged: a leaf that changes or returns an argument is found by the runtime, which
then replays the loop instead of restoring it.
"""

from __future__ import annotations

import ast

from flopod_compiler.analyse.heap import Location
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.model import CallInfo, CallKind, Classified, ProjectClass

Variable = tuple[Scope, str]
_COPIES = {
    "list",
    "tuple",
    "set",
    "frozenset",
    "sorted",
    "reversed",
    "iter",
    "dict",
    "copy",
    "deque",
    "filter",
}
_PAIRS = {"enumerate", "zip", "items", "zip_longest", "pairwise", "product"}
_ELEMENTS = {"max", "min", "next", "get", "pop", "popleft", "popitem", "setdefault", "choice", "__getitem__"}
_SPREADING = {"extend", "update", "extendleft", "intersection_update", "difference_update"}
_NOTHING = {
    "append",
    "appendleft",
    "insert",
    "add",
    "remove",
    "discard",
    "clear",
    "sort",
    "reverse",
    *_SPREADING,
}
_FRESH_RESULT = {"deepcopy", "range", "len", "str", "sum", "keys", *_NOTHING}
_FRESH = {CallKind.LEAF, CallKind.RECORDABLE, CallKind.PRIMITIVE, CallKind.IDIOM}
_ITERATORS = {"iter", "zip", "map", "filter", "enumerate", "reversed"}


class Aliases:
    """The heap of one workflow and the functions nested in it."""

    def __init__(self, classified: Classified, names: Names) -> None:
        self._classified = classified
        self._names = names
        self._locations: dict[Variable, Location] = {}
        self._values: dict[ast.AST, Location | None] = {}
        self._functions = {
            (scope.parent, scope.node.name): scope
            for scope in names.root.walk()
            if isinstance(scope.node, FUNCTIONS) and scope.parent is not None
        }
        self._returned: dict[Scope, Location] = {}
        for node in ast.walk(names.root.node):
            self._link(node)

    def mutable(self, variable: Variable) -> bool:
        """Whether the variable may hold an object that can change."""
        scope, name = variable
        parameter = scope.parameters.get(name)
        return variable in self._locations and (
            parameter is None or parameter not in self._classified.immutable
        )

    def touches(self, variable: Variable, changed: set[Location]) -> bool:
        """Whether anything reachable from the variable is among the changed locations."""
        location = self._locations.get(variable)
        return location is not None and not changed.isdisjoint(location.reach())

    def changed(self, node: ast.AST) -> set[Location]:
        """The locations that running `node` may change in place."""
        found: set[Location] = set()
        for one in ast.walk(node):
            found |= self._mutations(one, frozenset())
        return found

    # -- what expressions evaluate to

    def _of(self, variable: Variable) -> Location:
        return self._locations.setdefault(variable, Location())

    def _value(self, node: ast.AST | None) -> Location | None:
        """The location of an expression's value; None for what is immutable."""
        if node is None or isinstance(node, ast.Constant) or node in self._classified.immutable:
            return None
        if node not in self._values:
            self._values[node] = self._evaluate(node)
        return self._values[node]

    def _evaluate(self, node: ast.AST) -> Location | None:
        match node:
            case ast.Name():
                owner = self._names.of.get(node)
                return self._of((owner, node.id)) if owner is not None else None
            case ast.Attribute() | ast.Subscript():
                inner = self._value(node.value)
                return inner.content() if inner is not None else None
            case ast.Await() | ast.Starred() | ast.NamedExpr():
                return self._value(node.value)
            case ast.Call():
                return self._call(node)
            case ast.IfExp():
                return self._one_of([node.body, node.orelse])
            case ast.BoolOp():
                return self._one_of(node.values)
            case ast.BinOp(op=ast.Add() | ast.BitOr() | ast.Mult()):
                return self._combined([node.left, node.right])
            case ast.Lambda():
                return self._closure(node)
            case ast.Compare() | ast.JoinedStr() | ast.UnaryOp() | ast.BinOp():
                return None
        return self._display(node)

    def _display(self, node: ast.AST) -> Location:
        made = Location()
        for child in self._elements(node):
            held = self._value(child)
            if held is not None:
                made.content().unify(held.content() if isinstance(child, ast.Starred) else held)
        return made

    @staticmethod
    def _elements(node: ast.AST) -> list[ast.AST]:
        if isinstance(node, ast.DictComp):
            return [node.key, node.value]
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return [node.elt]
        return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]

    def _one_of(self, nodes: list[ast.expr]) -> Location | None:
        values = [value for value in map(self._value, nodes) if value is not None]
        for value in values[1:]:
            values[0].unify(value)
        return values[0] if values else None

    def _combined(self, operands: list[ast.expr]) -> Location | None:
        values = [value for value in map(self._value, operands) if value is not None]
        if not values:
            return None
        made = Location()
        for value in values:
            made.content().unify(value.content())
        return made

    def _closure(self, function: ast.AST) -> Location:
        """A function holds what its free names hold."""
        scope, made = self._names.scopes[function], Location()
        for inner in scope.walk():
            for name in inner.uses:
                owner = inner.owner(name)
                if owner is not None and owner not in set(scope.walk()):
                    made.content().unify(self._of((owner, name)))
        return made

    # -- calls

    def _arguments(self, node: ast.Call) -> list[Location]:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        return [value for value in map(self._value, values) if value is not None]

    def _receiver(self, node: ast.Call) -> Location | None:
        return self._value(node.func.value) if isinstance(node.func, ast.Attribute) else None

    def _call(self, node: ast.Call) -> Location | None:
        info = self._classified.calls.get(node)
        inner = self._local(node)
        if inner is not None:
            return self._inner_call(inner, node)
        if info is not None and info.kind in _FRESH:
            return Location()
        arguments, receiver = self._arguments(node), self._receiver(node)
        if info is not None and info.kind is CallKind.PURE:
            known = self._known(info, [one for one in (receiver, *arguments) if one is not None])
            if known is not None:
                return known
        made = Location()
        for one in [*arguments, *([receiver] if receiver is not None else [])]:
            made.unify(one)
            made.content().unify(one)
        return made

    @staticmethod
    def _known(info: CallInfo, sources: list[Location]) -> Location | None:
        """Standard operations whose result is a new container of the same elements, or one of them."""
        made, name = Location(), info.name
        if isinstance(info.target, ProjectClass) or name[:1].isupper():
            for one in sources:
                made.content().unify(one)
            return made
        if name in _COPIES:
            for one in sources:
                made.content().unify(one.content())
            return made
        if name in _PAIRS:
            for one in sources:
                made.content().content().unify(one.content())
            return made
        if name in _ELEMENTS:
            for one in sources:
                made.unify(one.content())
            return made
        return made if name in _FRESH_RESULT else None

    def _local(self, node: ast.Call) -> Scope | None:
        if not isinstance(node.func, ast.Name):
            return None
        owner = self._names.of.get(node.func)
        return self._functions.get((owner, node.func.id)) if owner is not None else None

    def _inner_call(self, inner: Scope, node: ast.Call) -> Location:
        """Arguments of a call of a nested function meet its parameters; its returns meet the result."""
        names = list(inner.parameters)
        for position, argument in enumerate(node.args):
            self._meet(inner, names[position : position + 1] or names, argument)
        for keyword in node.keywords:
            self._meet(inner, [keyword.arg] if keyword.arg in names else names, keyword.value)
        return self._returned.setdefault(inner, Location())

    def _meet(self, inner: Scope, names: list[str | None] | list[str], argument: ast.expr) -> None:
        value = self._value(argument)
        for name in names:
            if value is not None and name is not None:
                self._of((inner, name)).unify(value)

    # -- what statements link

    def _bind(self, target: ast.AST, value: Location | None) -> None:
        if value is None:
            return
        match target:
            case ast.Name():
                owner = self._names.of.get(target)
                if owner is not None:
                    self._of((owner, target.id)).unify(value)
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._bind(element, value.content())
            case ast.Starred():
                self._bind(target.value, value)
            case ast.Attribute() | ast.Subscript():
                held = self._value(target.value)
                if held is not None:
                    held.content().unify(value)

    def _link(self, node: ast.AST) -> None:
        match node:
            case ast.Assign():
                for target in node.targets:
                    self._bind(target, self._value(node.value))
            case ast.AnnAssign() | ast.NamedExpr():
                self._bind(node.target, self._value(node.value))
            case ast.AugAssign():
                self._link_augmented(node)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                items = self._value(node.iter)
                self._bind(node.target, items.content() if items is not None else None)
            case ast.withitem(optional_vars=ast.expr() as target):
                self._bind(target, self._value(node.context_expr))
            case ast.Match():
                self._link_match(node)
            case ast.Call():
                self._link_call(node)
            case ast.Return():
                self._link_return(node)
            case _:
                pass

    def _link_augmented(self, node: ast.AugAssign) -> None:
        value, target = self._value(node.value), self._value(node.target)
        if value is not None and target is not None:
            target.content().unify(value.content())

    def _link_return(self, node: ast.Return) -> None:
        value = self._value(node.value)
        if value is None:
            return
        for scope in self._names.root.walk():
            function = scope.node
            if isinstance(function, FUNCTIONS) and function.lineno <= node.lineno <= (
                function.end_lineno or 0
            ):
                self._returned.setdefault(scope, Location()).unify(value)

    def _link_match(self, node: ast.Match) -> None:
        value = self._value(node.subject)
        if value is None:
            return
        captures = {one for case in node.cases for one in ast.walk(case.pattern)}
        for scope in self._names.root.walk():
            for name, bindings in scope.bindings.items():
                if any(binding.node in captures for binding in bindings):
                    location = self._of((scope, name))
                    location.unify(value)
                    location.content().unify(location)

    def _link_call(self, node: ast.Call) -> None:
        info, receiver = self._classified.calls.get(node), self._receiver(node)
        self._value(node)
        if info is None or info.kind is not CallKind.PURE or receiver is None or "self" not in info.mutates:
            return
        for argument in self._arguments(node):
            receiver.content().unify(argument.content() if info.name in _SPREADING else argument)

    # -- what code changes

    def _mutations(self, node: ast.AST, active: frozenset[Scope]) -> set[Location]:
        match node:
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                return self._shallow(self._value(node.value))
            case ast.AugAssign(target=ast.Name() as target):
                return self._shallow(self._value(target))
            case ast.For(iter=ast.Name() as iterable) | ast.comprehension(iter=ast.Name() as iterable):
                return self._shallow(self._value(iterable)) if self._is_iterator(iterable) else set()
            case ast.Call():
                return self._call_mutations(node, active)
        return set()

    @staticmethod
    def _shallow(location: Location | None) -> set[Location]:
        return {location.find()} if location is not None else set()

    def _is_iterator(self, name: ast.Name) -> bool:
        owner = self._names.of.get(name)
        for binding in self._names.writers(owner, name.id) if owner is not None else ():
            value = getattr(binding.statement, "value", None)
            made = (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Name)
                and value.func.id in _ITERATORS
            )
            if made or isinstance(value, ast.GeneratorExp):
                return True
        return False

    def _call_mutations(self, node: ast.Call, active: frozenset[Scope]) -> set[Location]:
        info, inner = self._classified.calls.get(node), self._local(node)
        if inner is not None:
            if inner in active:
                return set()
            below = ast.walk(inner.node)
            return set().union(*(self._mutations(one, active | {inner}) for one in below))
        if info is None:
            return set()
        if info.kind is CallKind.WORKFLOW:
            return set().union(*(one.reach() for one in self._arguments(node)))
        if info.kind is CallKind.PURE and info.name == "next":
            return set().union(*(self._shallow(one) for one in self._arguments(node)))
        return self._argument_mutations(node, info)

    def _argument_mutations(self, node: ast.Call, info: CallInfo) -> set[Location]:
        found: set[Location] = set()
        for where in info.mutates:
            if where == "*":
                receiver = self._receiver(node)
                everyone = [*self._arguments(node), *([receiver] if receiver is not None else [])]
                found |= set().union(*(one.reach() for one in everyone))
            elif where == "self":
                receiver = self._receiver(node)
                found |= self._shallow(receiver) if info.callee.startswith("builtins.") else _deep(receiver)
            elif isinstance(where, int):
                found |= _deep(self._value(node.args[where])) if where < len(node.args) else set()
            else:
                named = [keyword.value for keyword in node.keywords if keyword.arg == where]
                found |= set().union(*(_deep(self._value(one)) for one in named))
        return found


def _deep(location: Location | None) -> set[Location]:
    return location.reach() if location is not None else set()
