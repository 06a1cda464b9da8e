"""Detaches and side chains: which function it is that runs beside the main line, and what they call in it."""

from __future__ import annotations

import ast
from dataclasses import replace

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rule import Rule
from flopod_compiler.diagnostics.rules.beside import NotABlock, NotDetachable
from flopod_compiler.knowledge import MUTATORS
from flopod_compiler.knowledge.author import ACTIVITY, canonical
from flopod_compiler.knowledge.beside import BESIDE, DETACHES, callbacks, function_of
from flopod_compiler.model import (
    CallInfo,
    CallKind,
    External,
    ModuleValue,
    ProjectFunction,
    Unknown,
    WorkflowFunction,
)
from flopod_compiler.names import Scope
from flopod_compiler.parse import shortened
from flopod_compiler.purity.facts import changed_values, within
from flopod_compiler.purity.target import Target

Refusal = tuple[str, str]
_SAID_ELSEWHERE: Refusal = "", ""
"""What is missing of a call is found where its arguments are held against the signature."""

_BEFORE = frozenset({"input_mapper", "connector", "when"})
"""Callbacks that are given the value."""

_PARAMETER, _OWN, _UNKNOWN = "parameter", "own", "unknown"


def handed_over(
    work: Workspace, workflow: WorkflowFunction, call: ast.Call, scope: Scope, target: Target
) -> CallInfo:
    """The call of a detach or side chain, named like the function that it is given."""
    found = _Given(work, call, scope, target)
    refusal = found.refusal()
    if refusal is None:
        return found.info()
    if refusal != _SAID_ELSEWHERE:
        rule: type[Rule] = NotDetachable if found.detached else NotABlock
        text = f"{target.name}()" if found.expr is None else f"`{shortened(found.expr)}`"
        where = call if found.expr is None else found.expr
        work.report(rule, workflow.module, where, text=text, reason=refusal[0], rewrite=refusal[1])
    return CallInfo(CallKind.UNRESOLVED, target.name, target.callee, target.symbol, target.is_async)


class _Given:
    """The function that one call is given, and whether it may run there."""

    def __init__(self, work: Workspace, call: ast.Call, scope: Scope, target: Target) -> None:
        self.detached = target.callee in DETACHES
        self.expr = function_of(target.callee, call)
        self._work = work
        self._call = call
        self._scope = scope
        self._target = target
        is_name = isinstance(self.expr, ast.Name | ast.Attribute)
        self._symbol = work.names.resolve(self.expr, scope) if is_name and self.expr else Unknown("no name")
        self._taken = work.taken(self._symbol)

    def info(self) -> CallInfo:
        name, callee, is_async = self._target.name, self._target.callee, self._target.is_async
        if self._taken is not None:
            name, scoped = self._taken.name, not self.detached
            return CallInfo(CallKind.PRIMITIVE, name, callee, self._symbol, is_async, scoped=scoped)
        leaf = self._leaf()
        undo = "" if self.detached else leaf.undo
        return CallInfo(CallKind.PRIMITIVE, leaf.name, callee, leaf.symbol, is_async, undo=undo)

    def _leaf(self) -> Target:
        targets, expr = self._work.purity.targets, self.expr
        assert expr is not None
        if isinstance(expr, ast.Call):
            return targets.of(ast.copy_location(ast.Call(expr, [], []), expr), self._scope)
        return targets.leaf_of(expr, self._scope)

    def refusal(self) -> Refusal | None:
        """Why this cannot run, and what to write instead; None if it can."""
        starred = any(isinstance(one, ast.Starred) for one in self._call.args)
        if starred or any(one.arg is None for one in self._call.keywords):
            return "a star hides what it is given", f"write the arguments out: `{self._example()}`"
        if self.expr is None:
            return _SAID_ELSEWHERE
        if isinstance(self.expr, ast.Call):
            return self._of_call(self.expr)
        if isinstance(self.expr, ast.Lambda):
            return "it is a lambda", f"make a function of it, {self._place()}"
        if self._taken is not None:
            return self._of_workflow(self._taken)
        return self._of_symbol()

    def _of_call(self, expr: ast.Call) -> Refusal | None:
        made = self._work.names.resolve(expr.func, self._scope)
        if not isinstance(made, External) or canonical(made.qualified) != ACTIVITY:
            return "that calls it here", f"hand over the function, and what it is given: `{self._example()}`"
        return self._options(expr) if self.detached else None

    def _options(self, declared: ast.expr) -> Refusal:
        function = declared.args[0] if isinstance(declared, ast.Call) and declared.args else declared
        name = shortened(function)
        return "its options are not its own", f"put them above {name}, `@activity(...)`, and name {name} here"

    def _of_workflow(self, found: WorkflowFunction) -> Refusal | None:
        if not self.detached or found.parent is None:
            return None
        rewrite = (
            f"move {found.node.name} to the top level of its module, with what it closes over as its input"
        )
        return "it stands inside another function", rewrite

    def _of_symbol(self) -> Refusal | None:
        symbol = self._symbol
        if isinstance(symbol, ProjectFunction):
            return self._of_function(symbol)
        if isinstance(symbol, ModuleValue):
            declared = self._work.marks.declared(symbol)
            if declared is not None:
                return self._options(declared.function) if self.detached else None
        if isinstance(symbol, External):
            if not symbol.qualified.startswith(("flopod.", "asyncio.")):
                return None
            return "it waits in the run", f"call it in a function of your own, {self._place()}"
        if isinstance(self.expr, ast.Attribute):
            return "it is not a function that is known", f"call it in a function of your own, {self._place()}"
        return (
            "it is not known which function that is",
            "name the function, where there are several in an `if`",
        )

    def _of_function(self, function: ProjectFunction) -> Refusal | None:
        if is_at_top_level(function):
            return None
        what = "a method" if function.owner is not None else "made by another function"
        return f"it is {what}", f"call it in a function of your own, {self._place()}"

    def _place(self) -> str:
        return "at the top level of a module" if self.detached else "in the workflow or at the top level"

    def _example(self) -> str:
        before = "driver, " if self.detached else ""
        return f"{self._target.name}({before}send, order)"


def settle_callbacks(work: Workspace, workflow: WorkflowFunction) -> None:
    """Note which of their callbacks change something: what they are bound to, close over or are given."""
    for scope in work.scopes(workflow):
        for call in scope.calls:
            info = work.result.calls.get(call)
            if info is None or info.callee not in BESIDE:
                continue
            found: set[int | str] = set()
            for name, function in callbacks(call):
                changed = _changed_by(work, function, scope)
                found |= {name} if changed else set()
                if name in _BEFORE and changed & {_PARAMETER, _UNKNOWN}:
                    found.add(2 if info.callee in DETACHES else 1)
            work.result.calls[call] = replace(info, mutates=frozenset(found))


def _changed_by(work: Workspace, function: ast.expr, scope: Scope) -> set[str]:
    """What calling a function value may change in place: what it is given, what is its own, or who knows."""
    if isinstance(function, ast.Constant):
        return set()
    if isinstance(function, ast.Lambda):
        return _changed_in(work, work.names.scope(function))
    symbol = work.names.resolve(function, scope) if isinstance(function, ast.Name | ast.Attribute) else None
    if isinstance(symbol, ProjectFunction):
        given = set(work.names.scope(symbol.node).bindings)
        return {_PARAMETER if one in given else _OWN for one in work.purity.of(symbol).mutates}
    if isinstance(function, ast.Attribute):
        return {_OWN} if function.attr in MUTATORS else set()
    return {_UNKNOWN} if isinstance(function, ast.Name) and not isinstance(symbol, External) else set()


def _changed_in(work: Workspace, inner: Scope) -> set[str]:
    """The same of a lambda, whose calls are classified."""
    found: set[str] = set()
    for scope in within(inner):
        for call in scope.calls:
            info = work.result.calls.get(call)
            for changed in changed_values(info.mutates, call) if info is not None else ():
                found.add(_PARAMETER if _root(changed) in inner.bindings else _OWN)
    return found


def _root(expr: ast.expr) -> str:
    while isinstance(expr, ast.Attribute | ast.Subscript | ast.Call):
        expr = expr.func if isinstance(expr, ast.Call) else expr.value
    return expr.id if isinstance(expr, ast.Name) else ""


def is_at_top_level(function: ProjectFunction) -> bool:
    """Whether a function can be found by its module and name."""
    return function.owner is None and "." not in function.qualname
