"""What a durable loop keeps: names, besides declared variables, whose objects its iterations may change."""

from __future__ import annotations

import ast

from flopod_compiler.analyse.aliases import Aliases, Variable
from flopod_compiler.analyse.bound import bound_by, surely_bound
from flopod_compiler.analyse.declared import Declarations
from flopod_compiler.analyse.frame import Frame
from flopod_compiler.analyse.heap import Object
from flopod_compiler.analyse.liveness import Loop
from flopod_compiler.analyse.living import is_any_living, uses_up_living
from flopod_compiler.analyse.running import leaves_running
from flopod_compiler.analyse.scopes import FUNCTIONS, Binding, Names, Scope
from flopod_compiler.model import Classified


class Keeping:
    """Decides for the loops of one function what they keep; `outside` are declared by functions around it."""

    def __init__(
        self, frame: Frame, aliases: Aliases, declarations: Declarations, outside: set[Variable]
    ) -> None:
        self._frame = frame
        self._scope = frame.scope
        self._aliases = aliases
        self._declarations = declarations
        self._outside = outside
        self._called_back = _has_callbacks(frame.classified, frame.names)

    def of(self, loop: Loop) -> tuple[str, ...] | None:
        """The names that a loop keeps, None for no capture; a name that it builds is declared on the way."""
        if self._called_back or leaves_running(self._frame, loop) or uses_up_living(self._frame, loop):
            return None
        if self._aliases.rebinds_elsewhere(loop, {self._scope, *self._frame.enclosing()}):
            return None
        changed = self._aliases.changed(loop)
        kept = []
        for variable in self._candidates(loop):
            if variable in self._outside or not self._is_changed(variable, changed):
                continue
            owner, name = variable
            if owner is self._scope and self._is_declared(name, loop):
                continue
            if not self._is_bound_before(variable, loop):
                if owner is not self._scope or not self._declarations.can_declare(name):
                    return None
                self._declarations.declare(name)
                continue
            kept.append(name)
        return None if self._loses_items(loop, changed, kept) else tuple(kept)

    def holds_living(self, loop: Loop, kept: tuple[str, ...]) -> bool:
        """Whether a task or lock would be in each snapshot, so that there can be none."""
        blocks = (self._frame.function, *self._frame.around(loop))
        seen = [one.name for one in self._declarations.known.values() if one.block in blocks]
        return is_any_living(self._frame, [*((self._scope, name) for name in [*kept, *seen]), *self._outside])

    def _candidates(self, loop: Loop) -> list[Variable]:
        """Variables that the loop does not bind, and those of functions around, which a call may change."""
        live, bound = self._frame.liveness.live_out(loop), self._frame.bound_in(loop)
        parameters = self._scope.parameters
        own = [name for name in {**parameters, **self._scope.bindings} if name not in bound]
        found: list[Variable] = [(self._scope, name) for name in own if name in live or name in parameters]
        for owner in self._frame.enclosing():
            found += [(owner, name) for name in sorted({*owner.parameters, *owner.bindings})]
        return found

    def _is_changed(self, variable: Variable, changed: set[Object]) -> bool:
        return self._aliases.mutable(variable) and self._aliases.touches(variable, changed)

    def _is_declared(self, name: str, loop: Loop) -> bool:
        return self._declarations.as_collection(name, loop) or name in self._declarations.known

    def _is_bound_before(self, variable: Variable, loop: Loop) -> bool:
        """Whether a name can be read in the header of the loop, and is surely bound there."""
        owner, name = variable
        if _may_be_unbound_again(owner, name):
            return False
        if owner is not self._scope:
            return self._is_bound_outside(variable)
        if name in owner.parameters:
            return True
        return name in surely_bound(self._frame.function, loop, self._frame.index)

    def _is_bound_outside(self, variable: Variable) -> bool:
        owner, name = variable
        if self._scope.owner(name) is not owner:
            return False
        if name in owner.parameters:
            return True
        body = owner.node.body if isinstance(owner.node, FUNCTIONS) else []
        before = (one for one in body if (one.end_lineno or 0) < self._frame.function.lineno)
        return any(name in bound_by(statement) for statement in before)

    def _loses_items(self, loop: Loop, changed: set[Object], kept: list[str]) -> bool:
        """Whether the loop changes objects that only its iterable, which is made anew on resume, leads to."""
        if not isinstance(loop, ast.For):
            return False
        lost = changed & self._aliases.reached_by(loop.iter)
        declared = self._declarations.known.values()
        around = [one.name for one in declared if self._frame.index.within(loop, one.block)]
        known = [(owner, name) for name in [*kept, *around] if (owner := self._scope.owner(name)) is not None]
        return not lost <= self._aliases.reachable([*known, *self._outside])


def _may_be_unbound_again(scope: Scope, name: str) -> bool:
    inner = (one for one in scope.children if not one.binds(name))
    unbound = any(map(_unbinds, scope.bindings.get(name, ())))
    return unbound or any(_may_be_unbound_again(one, name) for one in inner)


def _unbinds(binding: Binding) -> bool:
    """Whether a place takes a name back: by `del`, or at the end of an `except` clause."""
    node = binding.node
    return isinstance(node, ast.ExceptHandler) or isinstance(getattr(node, "ctx", None), ast.Del)


def _has_callbacks(classified: Classified, names: Names) -> bool:
    """Whether a callback may run, and change anything, while no call of it is in sight."""
    calls = (classified.calls.get(one) for one in names.index.nodes if isinstance(one, ast.Call))
    return any(call is not None and call.name == "add_done_callback" for call in calls)
