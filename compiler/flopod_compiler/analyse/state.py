"""Carried state: for each durable loop, which names become `wf.var`, `wf.list`, `wf.map`, and what it keeps.

A loop whose carried names cannot all be made visible is left without capture: it is replayed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from flopod_compiler.analyse.aliases import Aliases, Variable
from flopod_compiler.analyse.declared import Declarations, Declared
from flopod_compiler.analyse.frame import Frame
from flopod_compiler.analyse.keeping import Keeping
from flopod_compiler.analyse.liveness import LOOPS
from flopod_compiler.analyse.scopes import FUNCTIONS, Names, Scope
from flopod_compiler.model import Classified, FunctionNode


@dataclass(eq=False, slots=True)
class State:
    """The decisions for one function: variables by name, and per loop what it keeps (None: no capture)."""

    declared: dict[str, Declared] = field(default_factory=dict)
    keep: dict[ast.AST, tuple[str, ...] | None] = field(default_factory=dict)


def decide_state(
    classified: Classified,
    function: FunctionNode,
    names: Names,
    aliases: Aliases,
    durable: set[ast.AST],
    outside: set[Variable],
) -> State:
    """Decide the carried state of every durable loop of one function.

    `outside` names the variables that enclosing functions already declared to the runtime.
    """
    frame = Frame(classified, function, names, durable)
    declarations = Declarations(frame)
    for name in _rebound_by_nested_loops(frame):
        if declarations.can_declare(name):
            declarations.declare(name)
    state = State(declarations.known)
    if frame.loops:
        captured = _declare_carried(frame, declarations, outside)
        keeping = Keeping(frame, aliases, declarations, outside)
        kept = {loop: keeping.of(loop) if loop in captured else None for loop in frame.loops}
        for loop, names_kept in kept.items():
            living = keeping.holds_living(loop, names_kept or ())
            state.keep[loop] = None if living else names_kept
    return state


def _declare_carried(frame: Frame, declarations: Declarations, outside: set[Variable]) -> set[ast.AST]:
    """Declare what loops carry; the loops of which every carried name could be, so that they are captured."""
    if _rebinds_outside(frame, outside):
        return set()
    captured: set[ast.AST] = set()
    for loop in frame.loops:
        carried = frame.carried(loop)
        if not isinstance(loop, ast.AsyncFor) and all(map(declarations.can_declare, carried)):
            captured.add(loop)
            for name in sorted(carried):
                declarations.declare(name)
    return captured


def _rebound_by_nested_loops(frame: Frame) -> list[str]:
    """Names that nested functions assign by `nonlocal`, if one of them has a loop to capture."""
    scope = frame.scope
    if not any(_has_durable_loop(frame, inner) for inner in scope.walk() if inner is not scope):
        return []
    return [name for name in scope.bindings if frame.is_rebound_within(scope, name)]


def _has_durable_loop(frame: Frame, scope: Scope) -> bool:
    node = scope.node
    function = frame.classified.functions.get(node) if isinstance(node, FUNCTIONS) else None
    if function is None or not function.durable:
        return False
    return any(isinstance(one, LOOPS) for one in frame.index.below(node))


def _rebinds_outside(frame: Frame, outside: set[Variable]) -> bool:
    """Whether a loop of this function may assign, itself or by a call, a name of an enclosing function.

    Names that the enclosing function has declared to the runtime are captured there.
    """
    return any(
        frame.is_rebound_within(owner, name) and (owner, name) not in outside
        for owner in frame.enclosing()
        for name in {*owner.bindings, *owner.parameters}
    )
