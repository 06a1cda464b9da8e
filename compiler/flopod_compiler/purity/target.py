"""What a call reaches, as data; and how the targets of several candidates become one."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from flopod_compiler.knowledge.known import Known
from flopod_compiler.model import CallKind, ModuleValue, ProjectFunction, Symbol, Unknown
from flopod_compiler.parse import shortened

NOTHING: frozenset[int | str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What one call reaches.

    `kind` None means: pure if every function in `runs` is. `bound` says that the receiver of the call is
    their first argument: of the call's function, or, where a method is a value, `receiver`. `whole` is the
    call with the arguments of a `partial`. `value` is the module-level object that a method is called on.
    `choices` are the targets of a call that may reach one of several. `rewrite` is the way out of a call
    that cannot be known, where its form does not say it. `undo` is the qualified name of what undoes a leaf.
    """

    kind: CallKind | None
    name: str
    callee: str
    symbol: Symbol
    is_async: bool | None = False
    mutates: frozenset[int | str] = NOTHING
    reason: str = ""
    runs: tuple[ProjectFunction, ...] = ()
    bound: bool = False
    constructs: bool = False
    known: Known | None = None
    value: ModuleValue | None = None
    parameter: str = ""
    receiver: ast.expr | None = None
    whole: ast.Call | None = None
    choices: tuple[Target, ...] = ()
    rewrite: str = ""
    undo: str = ""

    @property
    def is_uneven(self) -> bool:
        """Whether some of several functions are async and some are not."""
        return {True, False} <= {one.is_async for one in self.choices}


def unresolved(name: str, reason: str, symbol: Symbol) -> Target:
    """The target of a call that cannot be known."""
    return Target(CallKind.UNRESOLVED, name, name, symbol, None, reason=reason)


def merge(name: str, targets: list[Target]) -> Target:
    """One target for a call that may reach several; unresolved when they are of different kinds."""
    first = targets[0]
    if len(targets) == 1:
        return first
    for one in targets:
        if one.kind is CallKind.UNRESOLVED:
            return one
    kinds = {CallKind.PURE if one.kind is None else one.kind for one in targets}
    mutates = frozenset[int | str]().union(*(one.mutates for one in targets))
    if len({(one.bound, one.receiver, one.whole) for one in targets}) > 1:
        mutates |= {"*"}
    callee = " | ".join(dict.fromkeys(one.callee for one in targets))
    # plain code may run as a leaf as well, unless it is there to change its receiver
    is_leaf = kinds == {CallKind.PURE, CallKind.LEAF} and not mutates
    if len(kinds) > 1 and not is_leaf:
        several = ", ".join(dict.fromkeys(one.callee for one in targets))
        return replace(unresolved(name, f"`{name}` may be {several}", Unknown(several)), choices=(*targets,))
    same_async = {one.is_async for one in targets}
    same_symbol = {one.symbol for one in targets}
    kind = None if any(one.kind is None for one in targets) else first.kind
    return replace(
        first,
        kind=CallKind.LEAF if is_leaf else kind,
        name=name,
        callee=callee,
        symbol=first.symbol if len(same_symbol) == 1 else Unknown(f"one of {callee}"),
        is_async=first.is_async if len(same_async) == 1 else None,
        mutates=mutates,
        runs=tuple(dict.fromkeys(run for one in targets for run in one.runs)),
        bound=any(one.bound for one in targets),
        receiver=None,
        whole=None,
        choices=tuple(targets),
    )


def last_name(expr: ast.expr) -> str:
    """The last identifier of a dotted name; of a choice those of both sides, whatever its condition says."""
    match expr:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name)):
            return name
        case ast.IfExp():
            return f"{last_name(expr.body)}|{last_name(expr.orelse)}"
    return shortened(expr)
