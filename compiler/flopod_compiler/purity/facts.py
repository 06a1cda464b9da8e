"""What one function does by itself: its own effects, what it changes, and the project functions it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from flopod_compiler.knowledge.beside import DETACHES
from flopod_compiler.knowledge.builtins import HELPER_PURE, NEVER_CALLING
from flopod_compiler.knowledge.callbacks import called_arguments
from flopod_compiler.knowledge.concurrency import is_asyncio_manager, is_asyncio_type
from flopod_compiler.knowledge.recordables import ENVIRONMENT, ENVIRONMENT_VALUES
from flopod_compiler.model import (
    CallKind,
    External,
    Local,
    ModuleValue,
    ProjectFunction,
    Symbol,
)
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.purity.constants import Constants
from flopod_compiler.purity.implicit import ImplicitCalls
from flopod_compiler.purity.roots import ANYTHING, MODULE, RootFinder
from flopod_compiler.purity.target import Target
from flopod_compiler.purity.targets import Targets
from flopod_compiler.types import Inference


@dataclass(frozen=True, slots=True)
class Effect:
    """Why a function is not pure: the words, and whether it is a primitive or a workflow, or a detach."""

    reason: str
    node: ast.AST
    durable: bool = False
    detaches: bool = False


@dataclass(eq=False, slots=True)
class Edge:
    """A call of project functions: for each of their parameters the roots and the value it is given."""

    functions: tuple[ProjectFunction, ...]
    node: ast.AST
    scope: Scope
    bound: ast.expr | None = None
    constructs: bool = False
    call: ast.Call | None = None


@dataclass(eq=False, slots=True)
class Facts:
    """The local half of a purity summary."""

    function: ProjectFunction
    scope: Scope
    effects: list[Effect] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    mutates: set[str] = field(default_factory=set)
    calls_parameters: set[str] = field(default_factory=set)


class FactFinder:
    """Reads functions; one walk has already collected what there is to look at."""

    def __init__(self, names: Names, types: Inference, targets: Targets, constants: Constants) -> None:
        self.names = names
        self.types = types
        self.targets = targets
        self.constants = constants
        self.implicit = ImplicitCalls(names, types, targets.hierarchy)

    def of(self, function: ProjectFunction) -> Facts:
        """The facts of a function, nested functions and lambdas counted as run by it."""
        scope = self.names.scope(function.node)
        facts = Facts(function, scope)
        if scope.too_deep is not None:
            facts.effects.append(Effect("is nested too deeply to read", scope.too_deep))
            return facts
        roots = RootFinder(self.names, self.types, scope)
        self._decorators(facts)
        for inner in within(scope):
            self._calls(facts, inner, roots)
            self._reads(facts, inner)
            self._writes(facts, inner, roots)
            self._statements(facts, inner)
        facts.effects.sort(key=_place)
        return facts

    def _decorators(self, facts: Facts) -> None:
        for symbol in self.targets.marks.wrapper(facts.function):
            if isinstance(symbol, ProjectFunction):
                facts.edges.append(Edge((symbol,), facts.function.node, facts.scope))
            else:
                what = symbol.qualified if isinstance(symbol, External) else "a decorator that is not known"
                facts.effects.append(Effect(f"is wrapped by {what}", facts.function.node))

    # --- calls ----------------------------------------------------------------------------------

    def _calls(self, facts: Facts, scope: Scope, roots: RootFinder) -> None:
        for call in scope.calls:
            target = self.targets.of(call, scope)
            if self._is_own(facts, target):
                continue
            if target.parameter:
                self._parameter_call(facts, call, scope, target)
            elif target.kind is None:
                facts.edges.append(self.edge(target, call, scope))
                self._change(facts, target, call, scope, roots)
            elif target.kind is CallKind.PURE or target.callee in HELPER_PURE:
                self._change(facts, target, call, scope, roots)
                self._callbacks(facts, target, call, scope)
            else:
                facts.effects.append(_effect(target, call))
                if target.kind in (CallKind.LEAF, CallKind.UNRESOLVED):
                    self._handed_over(facts, call, scope)

    def _handed_over(self, facts: Facts, call: ast.Call, scope: Scope) -> None:
        """A method that gives its own object to a function that is not known may change it by that."""
        args = facts.function.node.args
        own = next(iter([*args.posonlyargs, *args.args]), None)
        if facts.function.owner is None or own is None:
            return
        for value in arguments(call):
            if isinstance(value, ast.Name) and value.id == own.arg:
                owner, _ = self.names.lookup(value.id, scope)
                facts.mutates |= {own.arg} if owner is facts.scope else set()

    def _is_own(self, facts: Facts, target: Target) -> bool:
        """A function nested in this one: its body is read as a part of this one's."""
        prefix = f"{facts.function.qualname}.<locals>."
        return any(
            run.module == facts.function.module and run.qualname.startswith(prefix) for run in target.runs
        )

    def edge(self, target: Target, call: ast.Call, scope: Scope) -> Edge:
        """The edge of a call whose purity other functions decide."""
        receiver = target.receiver
        if receiver is None and target.bound and isinstance(call.func, ast.Attribute):
            receiver = call.func.value
        return Edge(target.runs, call, scope, receiver, target.constructs, target.whole or call)

    def _parameter_call(self, facts: Facts, call: ast.Call, scope: Scope, target: Target) -> None:
        owner, bindings = self.names.lookup(target.parameter, scope)
        is_parameter = any(binding.how is How.PARAMETER for binding in bindings)
        if owner is facts.scope and is_parameter:
            facts.calls_parameters.add(target.parameter)
        elif owner is None or not _is_below(owner, facts.scope) or not self._holds_function(owner, target):
            facts.effects.append(Effect(f"calls the value `{target.parameter}`", call))

    def _holds_function(self, owner: Scope, target: Target) -> bool:
        """Whether a local variable only ever holds lambdas, whose bodies are read where they stand."""
        bindings = owner.bindings.get(target.parameter, [])
        return bool(bindings) and all(isinstance(binding.value, ast.Lambda) for binding in bindings)

    def _callbacks(self, facts: Facts, target: Target, call: ast.Call, scope: Scope) -> None:
        if target.callee in NEVER_CALLING:
            return
        for value in arguments(call):
            if isinstance(value, ast.Name | ast.Attribute):
                self._function_value(facts, value, scope)
        for value in called_arguments(target.callee, call):
            symbol = self.names.resolve(value, scope)
            if isinstance(symbol, Local) and self._is_parameter(facts, symbol, scope):
                facts.calls_parameters.add(symbol.name)

    def _function_value(self, facts: Facts, value: ast.expr, scope: Scope) -> None:
        """Count a function that is passed as a value as called."""
        for symbol in self.names.candidates(value, scope):
            effect = self.value_effect(symbol, value)
            if effect is not None:
                facts.effects.append(effect)
            elif isinstance(symbol, ProjectFunction) and symbol.node not in _nodes(facts.scope):
                facts.edges.append(Edge((symbol,), value, scope))

    def _is_parameter(self, facts: Facts, symbol: Local, scope: Scope) -> bool:
        owner, bindings = self.names.lookup(symbol.name, scope)
        return owner is facts.scope and any(
            binding.how is How.PARAMETER and self._may_be_function(binding.annotation, scope)
            for binding in bindings
        )

    def _may_be_function(self, annotation: ast.expr | None, scope: Scope) -> bool:
        found = self.types.annotations.read(annotation, scope)
        return found is None or any(one.name.endswith("Callable") for one in found)

    def value_effect(self, symbol: Symbol, value: ast.expr) -> Effect | None:
        """The effect of calling a function value, when a table or a mark decides it."""
        call = ast.copy_location(ast.Call(value, [], []), value)
        if isinstance(symbol, External):
            if symbol.qualified.rpartition(".")[2][:1].isupper() or is_environment(symbol):
                return None
            target = self.targets.external(symbol, call)
        elif isinstance(symbol, ProjectFunction):
            target = self.targets.function(symbol)
        else:
            return None
        if target.kind is None or target.kind is CallKind.PURE or target.callee in HELPER_PURE:
            return None
        return _effect(target, value)

    # --- reads and writes ---------------------------------------------------------------------------

    def _reads(self, facts: Facts, scope: Scope) -> None:
        for name in scope.loads:
            owner, _ = self.names.lookup(name.id, scope)
            if owner is None or owner.parent is None:
                self._read(facts, name, scope)
        for attribute in scope.attributes:
            if isinstance(attribute.value, ast.Name):
                self._read(facts, attribute, scope)
        for implicit in self.implicit.of(scope):
            facts.edges.append(Edge((implicit.function,), implicit.node, scope, implicit.receiver))

    def _read(self, facts: Facts, expr: ast.expr, scope: Scope) -> None:
        for symbol in self.names.candidates(expr, scope):
            if isinstance(symbol, ModuleValue) and not self.constants.is_constant(symbol):
                if not self.targets.marks.declared(symbol):
                    facts.effects.append(Effect(f"reads {symbol.module}.{symbol.name}", expr))
            elif isinstance(symbol, External) and is_environment(symbol):
                facts.effects.append(Effect(f"reads {symbol.qualified}", expr))

    def _writes(self, facts: Facts, scope: Scope, roots: RootFinder) -> None:
        for store in scope.stores:
            self._changed(facts, roots.changed(store.value, scope), store)
        for name in scope.globals:
            if scope.bindings.get(name):
                binding = scope.bindings[name][0]
                facts.effects.append(Effect(f"assigns the global {name}", binding.node))
        for node in scope.others:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                self._augmented(facts, node, scope, roots)

    def _augmented(self, facts: Facts, node: ast.AugAssign, scope: Scope, roots: RootFinder) -> None:
        if self.types.classes.is_immutable(self.types.of(node.value, scope)) and not isinstance(
            node.op, ast.Add | ast.Mult
        ):
            return
        load = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)  # type: ignore[union-attr]
        self._changed(facts, roots.changed(load, scope), node)

    def _change(self, facts: Facts, target: Target, call: ast.Call, scope: Scope, roots: RootFinder) -> None:
        for expr in changed_values(target.mutates, call):
            self._changed(facts, roots.changed(expr, scope), call)

    def _changed(self, facts: Facts, roots: frozenset[str], node: ast.AST) -> None:
        for root in sorted(roots):
            if root.startswith(MODULE):
                facts.effects.append(Effect(f"changes {root[1:]}", node))
            else:
                facts.mutates.add(root)

    def _statements(self, facts: Facts, scope: Scope) -> None:
        for node in scope.others:
            if isinstance(node, ast.AsyncFor):
                facts.effects.append(Effect("has an `async for`", node))
            elif isinstance(node, ast.AsyncWith) and not self._holds_nothing(node, scope):
                facts.effects.append(Effect("has an `async with`", node))
            elif isinstance(node, ast.Await) and not self._is_known_wait(node.value, scope):
                facts.effects.append(Effect("awaits a value that is not a call", node))

    def _holds_nothing(self, node: ast.AsyncWith, scope: Scope) -> bool:
        return all(self._is_all(is_asyncio_manager, item.context_expr, scope) for item in node.items)

    def _is_known_wait(self, value: ast.expr, scope: Scope) -> bool:
        return isinstance(value, ast.Call) or self._is_all(is_asyncio_type, value, scope)

    def _is_all(self, check: Callable[[str], bool], value: ast.expr, scope: Scope) -> bool:
        types = self.types.of(value, scope)
        return types is not None and all(one.cls is None and check(one.name) for one in types)


def within(scope: Scope) -> Iterator[Scope]:
    """A scope and all scopes nested in it, in source order."""
    stack = [scope]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def arguments(call: ast.Call) -> Iterator[ast.expr]:
    """The values passed in a call, without their stars."""
    for argument in call.args:
        yield argument.value if isinstance(argument, ast.Starred) else argument
    for keyword in call.keywords:
        yield keyword.value


def changed_values(mutates: Iterable[int | str], call: ast.Call) -> Iterator[ast.expr]:
    """The expressions whose values a call changes in place, by the places it is said to change."""
    for place in mutates:
        if place in ("self", ANYTHING) and isinstance(call.func, ast.Attribute):
            yield call.func.value
        if place == ANYTHING:
            yield from (argument.value for argument in call.args if isinstance(argument, ast.Starred))
            yield from (keyword.value for keyword in call.keywords if keyword.arg is None)
        elif isinstance(place, int):
            yield from call.args[place : place + 1]
        else:
            yield from (keyword.value for keyword in call.keywords if keyword.arg == place)


def is_environment(symbol: External) -> bool:
    """Whether a name outside the project is a variable that differs from machine to machine."""
    return symbol.qualified in ENVIRONMENT_VALUES or symbol.qualified == ENVIRONMENT


def _effect(target: Target, node: ast.AST) -> Effect:
    if target.undo:
        return Effect(f"calls {target.name}, which has a compensation", node, durable=True)
    durable = target.kind in (CallKind.WORKFLOW, CallKind.PRIMITIVE)
    reason = target.reason or f"calls {target.callee.replace(':', '.')}"
    return Effect(reason, node, durable, detaches=target.callee in DETACHES)


def _nodes(scope: Scope) -> set[ast.AST]:
    return {one.node for one in within(scope)}


def _is_below(scope: Scope, root: Scope) -> bool:
    current: Scope | None = scope
    while current is not None:
        if current is root:
            return True
        current = current.parent
    return False


def _place(effect: Effect) -> tuple[int, int, int, int]:
    """By the start and then the end, so that of nested calls the inner one comes first."""
    node = effect.node
    start = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
    return (*start, getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0))
