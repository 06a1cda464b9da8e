"""Which objects the names below one workflow function may refer to, and which of them code may change.

An inclusion-based points-to analysis (after Andersen), flow-insensitive. The result of a leaf is
taken for new and its arguments for unchanged: a leaf that changes or returns an argument is found by
the runtime, which then replays the loop instead of restoring it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from flopod_compiler.analyse.heap import NOTHING, Heap, Object, Objects, contents, reach
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.knowledge.author import PARALLEL, RACE
from flopod_compiler.model import CallInfo, CallKind, Classified, ProjectClass, ProjectFunction

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
_FRESH_RESULT = {"deepcopy", "range", "len", "str", "sum", "keys", "heappush", "insort", *_NOTHING}
_FRESH = {CallKind.LEAF, CallKind.RECORDABLE, CallKind.PRIMITIVE}
_SHALLOW = ("builtins.", "collections.", "heapq.", "bisect.")
_STANDARD = frozenset({"*", *sys.stdlib_module_names})
_ROUNDS = 30
_LINKING = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension),
    *(ast.withitem, ast.Match, ast.Call, ast.Return, *FUNCTIONS),
)


class Aliases:
    """What the names of one workflow, and of the functions nested in it, may refer to."""

    def __init__(self, classified: Classified, names: Names) -> None:
        self._classified = classified
        self._names = names
        self._heap = Heap()
        self._iterators: set[Object] = set()
        self._generators: set[Object] = set()
        self._functions = {
            (scope.parent, scope.node.name): scope
            for scope in names.root.walk()
            if isinstance(scope.node, FUNCTIONS) and scope.parent is not None
        }
        self._solved = False

    def _solve(self) -> None:
        """Let objects flow along the program's assignments and calls until nothing is new."""
        if self._solved:
            return
        self._solved = True
        self._bring_in_parameters()
        nodes = [node for node in self._names.index.nodes if isinstance(node, _LINKING)]
        for _ in range(_ROUNDS):
            self._heap.grown = False
            for node in nodes:
                self._link(node)
            if not self._heap.grown:
                break

    def mutable(self, variable: Variable) -> bool:
        """Whether the variable may refer to an object that can change."""
        self._solve()
        return bool(self._heap.value(variable))

    def touches(self, variable: Variable, changed: set[Object]) -> bool:
        """Whether anything reachable from the variable is among the changed objects."""
        self._solve()
        return not changed.isdisjoint(reach(self._heap.value(variable)))

    def reached_by(self, node: ast.expr) -> set[Object]:
        """The objects that an expression leads to."""
        self._solve()
        return reach(self._value(node))

    def reachable(self, variables: Iterable[Variable]) -> set[Object]:
        """The objects that these variables lead to."""
        self._solve()
        return reach(frozenset().union(*map(self._heap.value, variables)))

    def changed(self, node: ast.AST) -> set[Object]:
        """The objects that running `node` may change in place."""
        self._solve()
        return set().union(*(self._mutations(one, frozenset()) for one in self._names.index.below(node)))

    def _bring_in_parameters(self) -> None:
        """Parameters of a workflow that others call may share objects; those of a root hold their own."""
        root = self._names.root
        shared = root.node in self._classified.called
        for name, parameter in root.parameters.items():
            if parameter not in self._classified.immutable:
                place = root.node if shared else parameter
                self._heap.bind((root, name), [self._heap.opaque(place)])

    # -- what expressions evaluate to

    def _value(self, node: ast.AST | None) -> Objects:
        """The objects an expression may evaluate to; none for what is immutable."""
        if node is None or isinstance(node, ast.Constant) or node in self._classified.immutable:
            return NOTHING
        match node:
            case ast.Name():
                owner = self._names.of.get(node)
                return self._heap.value((owner, node.id)) if owner is not None else NOTHING
            case ast.Attribute() | ast.Subscript():
                return contents(self._value(node.value))
            case ast.Await() | ast.Starred() | ast.NamedExpr():
                return self._value(node.value)
            case ast.Call():
                return self._call(node)
            case ast.IfExp():
                return self._value(node.body) | self._value(node.orelse)
            case ast.BoolOp():
                return frozenset().union(*map(self._value, node.values))
            case ast.BinOp(op=ast.Add() | ast.BitOr() | ast.Mult()):
                return self._combined(node)
            case ast.Lambda():
                return frozenset({self._heap.made(node, self._free(node))})
            case ast.Compare() | ast.JoinedStr() | ast.UnaryOp() | ast.BinOp():
                return NOTHING
        made = self._heap.made(node, self._elements(node))
        if isinstance(node, ast.GeneratorExp):
            self._generators.add(made)
        return frozenset({made})

    def _elements(self, node: ast.AST) -> Objects:
        """What a display, comprehension or any other expression puts into the object it makes."""
        if isinstance(node, ast.DictComp):
            parts: list[ast.AST] = [node.key, node.value]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            parts = [node.elt]
        else:
            parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        spread = (contents(self._value(one)) for one in parts if isinstance(one, ast.Starred))
        return frozenset().union(
            *spread, *(self._value(one) for one in parts if not isinstance(one, ast.Starred))
        )

    def _combined(self, node: ast.BinOp) -> Objects:
        operands = self._value(node.left) | self._value(node.right)
        return frozenset({self._heap.made(node, contents(operands))}) if operands else NOTHING

    def _free(self, function: ast.AST) -> Objects:
        """A function holds what its free names refer to."""
        scope = self._names.scopes[function]
        inside = set(scope.walk())
        owners = {(inner.owner(name), name) for inner in inside for name in inner.uses}
        free = (one for one in owners if one[0] is not None and one[0] not in inside)
        return frozenset().union(*map(self._heap.value, free))

    # -- calls

    def _arguments(self, node: ast.Call) -> Objects:
        info = self._classified.calls.get(node)
        if info is not None and info.maps:
            return contents(frozenset().union(*map(self._value, node.args[1:])))
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        plain = (self._value(one) for one in values if not isinstance(one, ast.Starred))
        spread = (contents(self._value(one)) for one in values if isinstance(one, ast.Starred))
        return frozenset().union(*plain, *spread)

    def _receiver(self, node: ast.Call) -> Objects:
        return self._value(node.func.value) if isinstance(node.func, ast.Attribute) else NOTHING

    def _generator(self, node: ast.Call, inner: Scope) -> Objects:
        """What calling a generator function makes: an object that goes on with the arguments it was given."""
        own = _own_nodes(inner.node)
        if not any(isinstance(one, ast.Yield | ast.YieldFrom) for one in own):
            return NOTHING
        made = self._heap.opaque(node)
        self._heap.hold(reach([made]), reach(self._arguments(node) | self._free(inner.node)))
        return frozenset({made})

    def rebinds_elsewhere(self, node: ast.AST, frames: set[Scope]) -> bool:
        """Whether running `node` may call a function value that assigns a name of a frame not among these."""
        calls = (
            one
            for one in self._names.index.below(node)
            if isinstance(one, ast.Call) and self._local(one) is None
        )
        infos = (self._classified.calls.get(one) for one in calls)
        nodes = {getattr(one, "node", None) for info in infos if info is not None for one in info.targets}
        inner = [self._names.scopes[one] for one in nodes if one in self._names.scopes]
        return any(
            below.owner(name) not in {*frames, below}
            for scope in inner
            for below in scope.walk()
            for name in below.outer
        )

    def _closure(self, node: ast.Call) -> Objects:
        """What the functions close over that a call may reach by a value, not by their own name."""
        info = self._classified.calls.get(node)
        if self._local(node) is not None or info is None or info.kind in _FRESH:
            return NOTHING
        called = contents(self._value(node.func)) if not isinstance(node.func, ast.Attribute) else NOTHING
        defined = [one.node for one in info.targets if isinstance(one, ProjectFunction)]
        inner = (self._free(one) for one in defined if one in self._names.scopes)
        return frozenset(called).union(*inner)

    def _call(self, node: ast.Call) -> Objects:
        """What a call evaluates to; iterators are noted, since iterating over one changes it."""
        found = self._result(node)
        if node in self._classified.iterators:
            (self._generators if self._is_of_project(node) else self._iterators).update(found)
        return found

    def _is_of_project(self, call: ast.Call) -> bool:
        info = self._classified.calls.get(call)
        return info is None or ":" in info.callee

    def _result(self, node: ast.Call) -> Objects:
        info = self._classified.calls.get(node)
        inner = self._local(node)
        if inner is not None:
            return self._heap.value((inner, "return")) | self._generator(node, inner)
        if info is not None and info.kind in _FRESH and info.callee not in (PARALLEL, RACE):
            return frozenset({self._heap.opaque(node)})
        sources = self._arguments(node) | self._receiver(node) | self._closure(node)
        if info is not None and info.kind is CallKind.PURE:
            known = self._known(node, info, sources)
            if known is not None:
                return known
        everything = frozenset(reach(sources))
        made = self._heap.opaque(node)
        self._heap.hold(reach([made]), everything)
        return everything | {made}

    def _known(self, node: ast.Call, info: CallInfo, sources: Objects) -> Objects | None:
        """Standard operations whose result is a new container of the same elements, or one of them."""
        name = info.name
        is_standard = ":" not in info.callee and info.callee.partition(".")[0] in _STANDARD
        if isinstance(info.target, ProjectClass) or (is_standard and name[:1].isupper()):
            made = self._heap.opaque(node)
            self._heap.hold([made], sources)
            return frozenset({made})
        if not is_standard:
            return None
        if name in _COPIES:
            return frozenset({self._heap.made(node, contents(sources))})
        if name in _PAIRS:
            pair = self._heap.made((node, "pair"), contents(sources))
            return frozenset({self._heap.made(node, [pair])})
        if name in _ELEMENTS:
            return contents(sources) | self._arguments(node)
        return frozenset({self._heap.made(node)}) if name in _FRESH_RESULT else None

    def _local(self, node: ast.Call) -> Scope | None:
        if not isinstance(node.func, ast.Name):
            return None
        owner = self._names.of.get(node.func)
        return self._functions.get((owner, node.func.id)) if owner is not None else None

    # -- what statements link

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
                self._heap.hold(self._value(target.value), value)

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
                self._bind(node.target, contents(self._value(node.iter)))
            case ast.withitem(optional_vars=ast.expr() as target):
                held = self._value(node.context_expr)
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
        value, target = self._value(node.value), self._value(node.target)
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
            value = self._value(default)
            self._heap.bind((scope, parameter.arg), value)
            held |= value
        if scope.parent is not None:
            self._heap.bind((scope.parent, node.name), [self._heap.made(node, held)])

    def _link_return(self, node: ast.Return) -> None:
        value = self._value(node.value)
        for scope in self._functions.values():
            function = scope.node
            if isinstance(function, FUNCTIONS) and function.lineno <= node.lineno <= (
                function.end_lineno or 0
            ):
                self._heap.bind((scope, "return"), value)

    def _link_match(self, node: ast.Match) -> None:
        value = self._value(node.subject)
        captures = {one for case in node.cases for one in ast.walk(case.pattern)}
        for scope in self._names.root.walk() if value else ():
            for name, bindings in scope.bindings.items():
                if any(binding.node in captures for binding in bindings):
                    self._heap.bind((scope, name), reach(value))

    def _link_call(self, node: ast.Call) -> None:
        info, inner = self._classified.calls.get(node), self._local(node)
        if inner is not None:
            self._meet_parameters(inner, node)
        elif info is not None and info.kind is CallKind.PURE and "self" in info.mutates:
            given = self._arguments(node)
            self._heap.hold(self._receiver(node), contents(given) if info.name in _SPREADING else given)
        elif info is not None and info.kind is CallKind.PURE and info.mutates:
            given = self._arguments(node)
            self._heap.hold(given, given)

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
        value = self._value(argument)
        spread = contents(value) if isinstance(argument, ast.Starred) else value
        for name in names:
            parameter = inner.parameters.get(name or "")
            if parameter is not None and parameter not in self._classified.immutable:
                self._heap.bind((inner, parameter.arg), spread)

    # -- what code changes

    def _mutations(self, node: ast.AST, active: frozenset[Scope]) -> set[Object]:
        implicit = self._classified.changes.get(node, ())
        return self._written(node, active).union(*(reach(self._value(one)) for one in implicit))

    def _written(self, node: ast.AST, active: frozenset[Scope]) -> set[Object]:
        match node:
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                return self._at(node.value)
            case ast.AugAssign(target=ast.Name() as target):
                return set(self._value(target))
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                return self._advanced(node.iter)
            case ast.Call():
                return self._call_mutations(node, active)
        return set()

    def _at(self, node: ast.expr) -> set[Object]:
        """The objects of an expression that is changed; where none is known, all that its root reaches."""
        objects = set(self._value(node))
        while not objects and isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
            objects = reach(self._value(node))
        return objects

    def _advanced(self, iterable: ast.expr) -> set[Object]:
        """What iterating changes: an iterator itself, and all that a generator of the project holds.

        An iterator that is made in the header is nobody else's; what it iterates over may be another one.
        """
        if isinstance(iterable, ast.Call) and not self._is_of_project(iterable):
            return set().union(*map(self._advanced, iterable.args))
        objects = self._value(iterable)
        return set(objects & self._iterators) | reach(objects & self._generators)

    def _call_mutations(self, node: ast.Call, active: frozenset[Scope]) -> set[Object]:
        info, inner = self._classified.calls.get(node), self._local(node)
        if inner is not None:
            if inner in active:
                return set()
            below = self._names.index.below(inner.node)
            return set().union(*(self._mutations(one, active | {inner}) for one in below))
        if info is None:
            return set()
        if info.kind is CallKind.WORKFLOW:
            return reach(self._arguments(node) | self._closure(node))
        if info.kind is CallKind.PURE and info.name == "next":
            return set(self._arguments(node)).union(*map(self._advanced, node.args[:1]))
        return set().union(*(self._changed_argument(node, info, where) for where in info.mutates))

    def _changed_argument(self, node: ast.Call, info: CallInfo, where: int | str) -> set[Object]:
        if where == "*":
            return reach(self._arguments(node) | self._receiver(node) | self._closure(node))
        if where == "self":
            objects: set[Object] | Objects = (
                self._at(node.func.value) if isinstance(node.func, ast.Attribute) else set()
            )
        elif isinstance(where, int):
            objects = self._value(node.args[where]) if where < len(node.args) else NOTHING
        else:
            objects = frozenset().union(
                *(self._value(one.value) for one in node.keywords if one.arg == where)
            )
        return set(objects) if info.callee.startswith(_SHALLOW) else reach(objects)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions inside it."""
    stack = list(ast.iter_child_nodes(function))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
