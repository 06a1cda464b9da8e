"""Variables of the runtime: which form each takes, and where in the author's function it is made."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from flopod_compiler.analyse.exposure import Exposure
from flopod_compiler.analyse.frame import Block, Frame
from flopod_compiler.analyse.liveness import Loop

_LISTS = {"list"}
_MAPS = {"dict"}


@dataclass(eq=False, slots=True)
class Declared:
    """A variable of the runtime: where it is declared, in which form, and whose name it replaces.

    `statement` is the author's assignment that becomes the declaration; None means that a line is
    added at the start of `block`.
    """

    name: str
    form: str
    block: Block
    statement: ast.stmt | None
    parameter: bool = False


class Declarations:
    """The variables of one function that are declared to the runtime, by name; more may be added."""

    def __init__(self, frame: Frame) -> None:
        self.known: dict[str, Declared] = {}
        self._frame = frame
        self._scope = frame.scope

    @cached_property
    def _exposure(self) -> Exposure:
        frame = self._frame
        return Exposure(frame.classified, frame.function, frame.names, frame.scope)

    def can_declare(self, name: str) -> bool:
        """Whether every place that binds the name could bind an attribute instead."""
        if name in self._scope.outer or name in self._scope.module_level:
            return False
        return all(writer.plain for writer in self._frame.writers(name))

    def declare(self, name: str) -> None:
        """Make a name a `wf.var`, unless it is declared already."""
        if name in self.known:
            return
        if name in self._scope.parameters:
            self.known[name] = Declared(name, "var", self._frame.function, None, parameter=True)
            return
        block = self._home(name)
        self.known[name] = Declared(name, "var", block, self._first_assignment(name, block))

    def as_collection(self, name: str, loop: Loop) -> bool:
        """Whether a name is a `wf.list` or `wf.map`, made one if it is bound once and the loop builds it."""
        known = self.known.get(name)
        if known is not None:
            return known.form in {"list", "map"}
        found = self._collection(name)
        if found is None or not self._is_built_in(name, loop):
            return False
        if self._frame.is_in_plain_loop(found[0]) or self._exposure.is_exposed(name):
            return False
        statement, form = found
        around = self._frame.repeating([statement])
        block = around[-1] if around else self._frame.function
        self.known[name] = Declared(name, form, block, statement)
        return True

    def _home(self, name: str) -> Block:
        """The innermost durable block whose iterations each start with the name unset and unread."""
        if name in self._frame.names.captured(self._scope):
            return self._frame.function
        live_out = self._frame.liveness.live_out
        around = self._frame.repeating(self._frame.mentions(name))
        homes = [loop for loop in around if name not in live_out(loop)]
        return homes[-1] if homes else self._frame.function

    def _first_assignment(self, name: str, block: Block) -> ast.stmt | None:
        mentions = self._frame.mentions(name)
        for statement in block.body:
            here = {one for one in mentions if self._frame.index.within(one, statement)}
            if not here:
                continue
            target = _single_target(statement)
            if target is not None and target.id == name and here == {target}:
                return statement
            return None
        return None

    def _collection(self, name: str) -> tuple[ast.stmt, str] | None:
        """The one assignment of a name that is made as a list or mapping, and the form that it takes."""
        writers = self._frame.writers(name)
        if len(writers) != 1 or name in self._scope.parameters:
            return None
        statement = writers[0].statement
        target = _single_target(statement)
        if target is None or target.id != name or not isinstance(statement, ast.Assign | ast.AnnAssign):
            return None
        form = _collection_form(statement.value)
        return (statement, form) if form is not None else None

    def _is_built_in(self, name: str, loop: Loop) -> bool:
        """Whether the loop changes the name's own object, by a method or an item."""
        for one in self._frame.index.below(loop):
            base = None
            if isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Load):
                base = one.value
            elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                info = self._frame.classified.calls.get(one)
                base = one.func.value if info is not None and "self" in info.mutates else None
            if isinstance(base, ast.Name) and base.id == name and self._is_own(base):
                return True
        return False

    def _is_own(self, occurrence: ast.Name) -> bool:
        return self._frame.names.of.get(occurrence) is self._scope


def _single_target(statement: ast.AST) -> ast.Name | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.AST = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return None
    return target if isinstance(target, ast.Name) else None


def _collection_form(value: ast.expr | None) -> str | None:
    if isinstance(value, ast.List):
        return "list"
    if isinstance(value, ast.Dict):
        return "map"
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return "list" if value.func.id in _LISTS else "map" if value.func.id in _MAPS else None
    return None
