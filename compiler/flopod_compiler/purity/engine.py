"""Purity of project functions: a fixpoint over the part of the call graph that is asked about."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopod_compiler.model import External, Local, ModuleValue, ProjectClass, ProjectFunction
from flopod_compiler.names import How, Names, Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.binding import bind_arguments
from flopod_compiler.purity.changes import Changes
from flopod_compiler.purity.constants import Constants
from flopod_compiler.purity.facts import Edge, Effect, FactFinder, Facts, arguments
from flopod_compiler.purity.marks import Marks
from flopod_compiler.purity.roots import ANYTHING, MODULE, RootFinder
from flopod_compiler.purity.targets import Targets
from flopod_compiler.types import Inference

if TYPE_CHECKING:
    from flopod_compiler.program import Program
    from flopod_compiler.purity.common import Common


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way from a function to an effect: the function, and where in it the next one is run."""

    function: ProjectFunction
    node: ast.AST
    text: str

    @classmethod
    def to(cls, function: ProjectFunction, node: ast.AST, next_name: str) -> Hop:
        """The step to another function."""
        return cls(function, node, f"{_name(function)} runs {next_name}")


@dataclass(eq=False, slots=True)
class Summary:
    """What calling a function means: why it is not pure (a chain of names), and what it changes.

    `hops` are the places of the chain, `durable` those of the way to a primitive or workflow. `mutates` names
    its parameters; `*` stands for anything it can reach. `calls` names the parameters that it calls: it is
    pure only with pure functions there.
    """

    chain: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    durable: tuple[Hop, ...] = ()
    mutates: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)

    @property
    def is_pure(self) -> bool:
        return not self.chain

    @property
    def size(self) -> int:
        """How much it says; more is only ever added."""
        return bool(self.chain) + bool(self.durable) + len(self.mutates) + len(self.calls)

    @property
    def reason(self) -> str:
        return " -> ".join(self.chain)


class Purity:
    """Summaries of project functions: those that all analyses have in common."""

    def __init__(self, names: Names, types: Inference, marks: Marks, common: Common) -> None:
        self.names = names
        self.types = types
        self.targets = Targets(names, types, marks)
        changes = Changes(names, lambda module: common.changed_in(module, names.program))
        self.constants = Constants(names, self.targets, self.is_pure, self.is_constant, changes)
        self.targets.is_fixed = self.is_constant
        self.finder = FactFinder(names, types, self.targets, self.constants)
        self._common = common
        self._facts: dict[ProjectFunction, Facts] = {}
        self._summaries: dict[ProjectFunction, Summary] = {}
        self._roots: dict[ProjectFunction, RootFinder] = {}

    @classmethod
    def over(cls, program: Program, common: Common) -> Purity:
        """A purity that has asked nothing yet."""
        names = Names(program)
        return cls(names, Inference(names), Marks(names, program.config), common)

    def of(self, function: ProjectFunction) -> Summary:
        """The summary of a function."""
        found = self._summaries.get(function)
        if found is None:
            found = self._summaries[function] = self._common.summary(function, self.names.program)
        return found

    def is_pure(self, function: ProjectFunction) -> bool:
        """Whether a call of a function has no effect of its own."""
        return self.of(function).is_pure

    def is_constant(self, value: ModuleValue) -> bool:
        """Whether a variable has the same value in every process that imports its module."""
        return self._common.is_constant(value, self.names.program)

    def together(self, facts: dict[ProjectFunction, Facts]) -> dict[ProjectFunction, Summary]:
        """The summaries of functions that run each other; all else that they run has one."""
        self._facts = facts
        self._solve(list(facts))
        return {function: self._summaries[function] for function in facts}

    def may_run(self, facts: Facts) -> Iterator[ProjectFunction]:
        """The functions that decide what a function is: those it runs, and those it hands on."""
        for edge in facts.edges:
            yield from edge.functions
            given = [*arguments(edge.call)] if edge.call is not None else []
            for value in [*given, *([edge.bound] if edge.bound is not None else [])]:
                if isinstance(value, ast.Name | ast.Attribute):
                    for symbol in self.names.candidates(value, edge.scope):
                        if isinstance(symbol, ProjectFunction):
                            yield symbol

    def _solve(self, functions: list[ProjectFunction]) -> None:
        summaries = {function: self._start(function) for function in functions}
        self._summaries.update(summaries)
        callers: dict[ProjectFunction, list[ProjectFunction]] = {}
        for function in functions:
            for edge in self._facts[function].edges:
                for callee in edge.functions:
                    callers.setdefault(callee, []).append(function)
        queue = deque(functions)
        waiting = set(functions)
        brought: dict[tuple[Edge, ProjectFunction], int] = {}
        while queue:
            function = queue.popleft()
            waiting.discard(function)
            if self._update(function, brought):
                for caller in callers.get(function, ()):
                    if caller not in waiting:
                        waiting.add(caller)
                        queue.append(caller)

    def _start(self, function: ProjectFunction) -> Summary:
        facts = self._facts[function]
        summary = Summary(mutates=set(facts.mutates), calls=set(facts.calls_parameters))
        if facts.effects:
            first = facts.effects[0]
            summary.chain = (_name(function), first.reason)
            summary.hops = (self._hop(function, first),)
        durable = next((effect for effect in facts.effects if self._is_of_runs(effect, function)), None)
        if durable is not None:
            summary.durable = (self._hop(function, durable),)
        return summary

    def _is_of_runs(self, effect: Effect, function: ProjectFunction) -> bool:
        """Whether an effect belongs into a run; a declared leaf may detach, for its process alone."""
        own = effect.detaches and self.targets.marks.activity_name(function) is not None
        return effect.durable and not own

    def _hop(self, function: ProjectFunction, effect: Effect) -> Hop:
        return Hop(function, effect.node, f"{_name(function)} {effect.reason}")

    def _update(self, function: ProjectFunction, brought: dict[tuple[Edge, ProjectFunction], int]) -> bool:
        """Bring in what the callees say and did not say before; whether anything changed."""
        summary = self._summaries[function]
        before = summary.size
        for edge in self._facts[function].edges:
            for callee in edge.functions:
                other = self.of(callee)
                size = other.size
                if size > brought.get((edge, callee), 0):
                    brought[edge, callee] = size
                    self._bring(function, edge, callee, other)
        return summary.size > before

    def _bring(self, function: ProjectFunction, edge: Edge, callee: ProjectFunction, other: Summary) -> None:
        summary = self._summaries[function]
        step = Hop.to(function, edge.node, _name(callee))
        if other.chain and not summary.chain:
            summary.chain = (_name(function), *other.chain)
            summary.hops = (step, *other.hops)
        if other.durable and not summary.durable:
            summary.durable = (step, *other.durable)
        finder = self._roots_of(function)
        for changed in self.changed_by(edge, callee, other):
            for root in finder.changed(changed, edge.scope):
                if not root.startswith(MODULE):
                    summary.mutates.add(root)
                elif not summary.chain:
                    summary.chain = (_name(function), f"changes {root[1:]}")
                    summary.hops = (Hop(function, edge.node, f"{_name(function)} changes {root[1:]}"),)
        if not summary.chain:
            reason = self._bring_callbacks(summary, edge, callee, other, self._facts[function].scope)
            if reason:
                summary.chain = (_name(function), *reason)
                summary.hops = (Hop(function, edge.node, f"{_name(function)} {' -> '.join(reason)}"),)

    def _roots_of(self, function: ProjectFunction) -> RootFinder:
        found = self._roots.get(function)
        if found is None:
            found = RootFinder(self.names, self.types, self._facts[function].scope)
            self._roots[function] = found
        return found

    # --- what a call gives to its callee ----------------------------------------------------------

    def changed_by(self, edge: Edge, callee: ProjectFunction, summary: Summary) -> list[ast.expr]:
        """The expressions of a call whose values the callee changes in place."""
        given = bind(edge, callee)
        if ANYTHING in summary.mutates:
            return [expr for values in given.values() for expr in values]
        own = _first_parameter(callee)
        changed = [name for name in summary.mutates if not (edge.constructs and name == own)]
        return [expr for name in changed for expr in given.get(name, ())]

    def _bring_callbacks(
        self, summary: Summary, edge: Edge, callee: ProjectFunction, other: Summary, function: Scope
    ) -> tuple[str, ...]:
        """Check the functions passed for parameters that the callee calls; the reason if one is not pure."""
        if not other.calls or edge.call is None:
            return ()
        given = bind(edge, callee)
        for name in sorted(other.calls):
            for expr in given.get(name, ()):
                reason, parameter = self.callback(expr, edge.scope, function)
                if reason:
                    return reason
                if parameter:
                    summary.calls.add(parameter)
        return ()

    def callback(self, expr: ast.expr, scope: Scope, function: Scope) -> tuple[tuple[str, ...], str]:
        """Why calling a function value is not pure, or the parameter of `function` that decides it."""
        if isinstance(expr, ast.Lambda | ast.Constant):
            return (), ""
        if not isinstance(expr, ast.Name | ast.Attribute):
            return (f"calls the value of `{shortened(expr)}`",), ""
        for symbol in self.names.candidates(expr, scope):
            if isinstance(symbol, Local):
                return self._local_callback(symbol, scope, function)
            effect = self.finder.value_effect(symbol, expr)
            if effect is not None:
                return (effect.reason,), ""
            if isinstance(symbol, ProjectFunction):
                found = self.of(symbol)
                if found.chain:
                    return found.chain, ""
            elif not isinstance(symbol, External) and not isinstance(symbol, ProjectClass):
                return (f"calls the value of `{shortened(expr)}`",), ""
        return (), ""

    def _local_callback(self, symbol: Local, scope: Scope, function: Scope) -> tuple[tuple[str, ...], str]:
        owner, bindings = self.names.lookup(symbol.name, scope)
        if owner is function and any(binding.how is How.PARAMETER for binding in bindings):
            return (), symbol.name
        if bindings and all(isinstance(binding.value, ast.Lambda) for binding in bindings):
            return (), ""
        return (f"calls the value `{symbol.name}`",), ""


def bind(edge: Edge, callee: ProjectFunction) -> dict[str, list[ast.expr]]:
    """The argument expressions of a call by the parameter that receives them; stars reach all of them."""
    return bind_arguments(edge.call, callee.node, edge.bound, shifted=edge.constructs)


def _first_parameter(function: ProjectFunction) -> str:
    args = function.node.args
    positional = [*args.posonlyargs, *args.args]
    return positional[0].arg if positional else ""


def _name(function: ProjectFunction) -> str:
    return f"{function.module}.{function.qualname}"
