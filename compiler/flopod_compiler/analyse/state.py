"""Carried state: for each durable loop, which names become `wf.var`, `wf.list`, `wf.map`, and what it keeps.

A loop whose carried names cannot all be made visible is left without capture: it is replayed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from flopod_compiler.analyse.aliases import Aliases, Variable
from flopod_compiler.analyse.exposure import Exposure
from flopod_compiler.analyse.heap import Object
from flopod_compiler.analyse.index import Index
from flopod_compiler.analyse.liveness import LOOPS, Liveness, Loop
from flopod_compiler.analyse.scopes import FUNCTIONS, Binding, Names, Scope
from flopod_compiler.model import DURABLE_KINDS, Classified, FunctionNode

Block = FunctionNode | Loop
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


@dataclass(eq=False, slots=True)
class State:
    """The decisions for one function: variables by name, and per loop what it keeps (None: no capture)."""

    declared: dict[str, Declared] = field(default_factory=dict)
    keep: dict[ast.AST, tuple[str, ...] | None] = field(default_factory=dict)


def decide_state(
    classified: Classified,
    function: FunctionNode,
    names: Names,
    scope: Scope,
    aliases: Aliases,
    durable: set[ast.AST],
    outside: set[Variable],
) -> State:
    """Decide the carried state of every durable loop of one function.

    `outside` names the variables that enclosing functions already declared to the runtime.
    """
    return _Decider(classified, function, names, scope, aliases, durable, outside).decide()


class _Decider:
    def __init__(
        self,
        classified: Classified,
        function: FunctionNode,
        names: Names,
        scope: Scope,
        aliases: Aliases,
        durable: set[ast.AST],
        outside: set[Variable],
    ) -> None:
        self._outside = outside
        self._classified = classified
        self._function = function
        self._names = names
        self._index = names.index
        self._scope = scope
        self._aliases = aliases
        self._durable = durable
        self._called_back = _has_callbacks(classified, names)
        self._blocks = _blocks(function, durable, names.index)
        self._loops: list[Loop] = [one for one in self._blocks if isinstance(one, LOOPS)]

    @cached_property
    def _liveness(self) -> Liveness:
        return Liveness(self._names, self._scope, self._classified.passing)

    @cached_property
    def _exposure(self) -> Exposure:
        return Exposure(self._classified, self._function, self._names, self._scope)

    def decide(self) -> State:
        state = State()
        carried = {loop: self._carried(loop) for loop in self._loops}
        for name in self._rebound_by_nested_loops():
            if self._plain(name):
                state.declared[name] = self._declare(name)
        for loop in self._loops:
            if self._rebinds_outside() or isinstance(loop, ast.AsyncFor):
                state.keep[loop] = None
            elif all(self._plain(name) for name in carried[loop]):
                for name in sorted(carried[loop]):
                    if name not in state.declared:
                        state.declared[name] = self._declare(name)
                state.keep[loop] = ()
            else:
                state.keep[loop] = None
        for loop in self._loops:
            if state.keep[loop] is not None:
                state.keep[loop] = self._kept(loop, state)
        for loop in self._loops:
            if self._holds_living(loop, state):
                state.keep[loop] = None
        return state

    def _holds_living(self, loop: Loop, state: State) -> bool:
        """Whether a task or lock would be in each snapshot, so that there can be none."""
        if any(self._is_living(self._scope, name) for name in state.keep[loop] or ()):
            return True
        if any(self._is_living(owner, name) for owner, name in self._outside):
            return True
        seen = (one for one in state.declared.values() if one.block in (self._function, *self._around(loop)))
        return any(self._is_living(self._scope, one.name) for one in seen)

    def _is_living(self, owner: Scope, name: str) -> bool:
        occurrences = (one for scope in owner.walk() for one in scope.uses.get(name, ()))
        return any(one in self._classified.living and self._names.of.get(one) is owner for one in occurrences)

    def _around(self, loop: Loop) -> list[Loop]:
        return [one for one in self._loops if one is not loop and loop in set(ast.walk(one))]

    def _rebound_by_nested_loops(self) -> list[str]:
        """Names that nested functions assign by `nonlocal`, if one of them has a loop to capture."""
        if not any(self._has_loop(scope) for scope in self._scope.walk() if scope is not self._scope):
            return []
        return [name for name in self._scope.bindings if self._is_rebound_within(self._scope, name)]

    def _is_rebound_within(self, owner: Scope, name: str) -> bool:
        own = owner.bindings.get(name, ())
        return any(writer not in own for writer in self._names.writers(owner, name))

    def _has_loop(self, scope: Scope) -> bool:
        return self._is_durable(scope.node) and any(
            isinstance(one, LOOPS) for one in self._index.below(scope.node)
        )

    def _is_durable(self, node: ast.AST) -> bool:
        function = self._classified.functions.get(node) if isinstance(node, FUNCTIONS) else None
        return function is not None and function.durable

    def _rebinds_outside(self) -> bool:
        """Whether a loop of this function may assign, itself or by a call, a name of an enclosing function.

        Names that the enclosing function has declared to the runtime are captured there.
        """
        owner = self._scope.parent
        while owner is not None:
            names = {*owner.bindings, *owner.parameters}
            if any(
                self._is_rebound_within(owner, one) and (owner, one) not in self._outside for one in names
            ):
                return True
            owner = owner.parent
        return False

    def _bound_in(self, loop: Loop) -> set[str]:
        found = set()
        for name in {*self._scope.bindings, *self._scope.parameters}:
            writers = self._names.writers(self._scope, name)
            if any(self._index.within(writer.node, loop) or self._nested(writer) for writer in writers):
                found.add(name)
        return found

    def _nested(self, writer: Binding) -> bool:
        return writer not in self._scope.bindings.get(writer.name, ())

    def _carried(self, loop: Loop) -> set[str]:
        return self._bound_in(loop) & set(self._liveness.live_out(loop))

    def _plain(self, name: str) -> bool:
        if name in self._scope.outer or name in self._scope.module_level:
            return False
        return all(writer.plain for writer in self._names.writers(self._scope, name))

    # -- variables

    def _declare(self, name: str) -> Declared:
        block = self._home(name)
        if name in self._scope.parameters:
            return Declared(name, "var", self._function, None, parameter=True)
        return Declared(name, "var", block, self._first_assignment(name, block))

    def _home(self, name: str) -> Block:
        """The innermost durable block whose iterations each start with the name unset and unread."""
        if name in self._names.captured(self._scope) or name in self._scope.parameters:
            return self._function
        mentions = self._mentions(name)
        best: Block = self._function
        for loop in self._loops:
            if all(self._in_body(one, loop) for one in mentions) and name not in self._liveness.live_out(
                loop
            ):
                best = loop
        return best

    def _in_body(self, node: ast.AST, loop: Loop) -> bool:
        return any(self._index.within(node, part) for part in loop.body)

    def _mentions(self, name: str) -> set[ast.AST]:
        return {
            one
            for scope in self._scope.walk()
            for one in scope.uses.get(name, ())
            if self._names.of.get(one) is self._scope
        }

    def _first_assignment(self, name: str, block: Block) -> ast.stmt | None:
        mentions = self._mentions(name)
        for statement in block.body:
            here = {one for one in mentions if self._index.within(one, statement)}
            if not here:
                continue
            target = _single_target(statement)
            if target is not None and target.id == name and here == {target}:
                return statement
            return None
        return None

    # -- keep

    def _kept(self, loop: Loop, state: State) -> tuple[str, ...] | None:
        if self._called_back or self._defers(loop) or self._changes_asyncio(loop):
            return None
        if self._aliases.rebinds_elsewhere(loop, set(self._frames())):
            return None
        changed = self._aliases.changed(loop)
        kept = []
        for variable in self._candidates(loop):
            owner, name = variable
            if not self._aliases.mutable(variable) or not self._aliases.touches(variable, changed):
                continue
            if owner is self._scope and self._as_collection(name, loop, state):
                continue
            if owner is self._scope and name in state.declared:
                continue
            if variable in self._outside:
                continue
            if owner is not self._scope and not self._reachable(variable):
                return None
            if owner is self._scope and not self._assigned_before(name, loop):
                if not self._plain(name):
                    return None
                state.declared[name] = self._declare(name)
                continue
            kept.append(name)
        return None if self._loses_items(loop, changed, kept, state) else tuple(kept)

    def _loses_items(self, loop: Loop, changed: set[Object], kept: list[str], state: State) -> bool:
        """Whether the loop changes objects that only its iterable, which is made anew on resume, leads to."""
        if not isinstance(loop, ast.For):
            return False
        lost = changed & self._aliases.reached_by(loop.iter)
        around = [one.name for one in state.declared.values() if self._index.within(loop, one.block)]
        known = [(owner, name) for name in [*kept, *around] if (owner := self._scope.owner(name)) is not None]
        return not lost <= self._aliases.reachable([*known, *self._outside])

    def _changes_asyncio(self, loop: Loop) -> bool:
        """Whether the loop uses up a queue, lock or the like from outside, which no snapshot can hold."""
        bound = self._bound_in(loop)
        for one in self._index.below(loop):
            if not isinstance(one, ast.Call):
                continue
            info = self._classified.calls.get(one)
            if info is None or "self" not in info.mutates or not info.callee.startswith("asyncio."):
                continue
            receiver = one.func.value if isinstance(one.func, ast.Attribute) else None
            if not isinstance(receiver, ast.Name) or receiver.id not in bound:
                return True
        return False

    def _defers(self, loop: Loop) -> bool:
        """Whether an iteration may leave a durable call to be awaited later: then it is never complete."""
        below = self._index.below(loop)
        awaited = {one.value for one in below if isinstance(one, ast.Await)}
        awaited |= self._grouped(loop)
        for one in below:
            info = self._classified.calls.get(one) if isinstance(one, ast.Call) else None
            durable = info is not None and info.kind in DURABLE_KINDS and info.is_async
            if durable and one not in awaited and not self._gathered(one, awaited):
                return True
        return False

    def _grouped(self, loop: Loop) -> set[ast.expr]:
        """The calls that a task group inside the loop starts: its block ends after all of them."""
        groups = {
            item.optional_vars.id
            for one in self._index.below(loop)
            if isinstance(one, ast.AsyncWith)
            for item in one.items
            if isinstance(item.optional_vars, ast.Name)
        }
        return {
            one
            for one in self._index.below(loop)
            if isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and isinstance(one.func.value, ast.Name)
            and one.func.value.id in groups
            and self._callee(one) == "asyncio.TaskGroup.create_task"
        }

    def _callee(self, call: ast.Call) -> str:
        info = self._classified.calls.get(call)
        return "" if info is None else info.callee

    def _gathered(self, call: ast.AST, awaited: set[ast.expr]) -> bool:
        return any(call is not one and self._index.within(call, one) for one in awaited)

    def _candidates(self, loop: Loop) -> list[Variable]:
        live = self._liveness.live_out(loop)
        bound = self._bound_in(loop)
        own = [name for name in {**self._scope.parameters, **self._scope.bindings} if name not in bound]
        wanted = [name for name in own if name in live or name in self._scope.parameters]
        found: list[Variable] = [(self._scope, name) for name in wanted]
        return found + self._enclosing()

    def _frames(self) -> Iterator[Scope]:
        scope: Scope | None = self._scope
        while scope is not None:
            yield scope
            scope = scope.parent

    def _enclosing(self) -> list[Variable]:
        """The variables of the enclosing functions, which a call in the loop may change."""
        found: list[Variable] = []
        owner = self._scope.parent
        while owner is not None:
            found += [(owner, name) for name in sorted({*owner.parameters, *owner.bindings})]
            owner = owner.parent
        return found

    def _reachable(self, variable: Variable) -> bool:
        """Whether a variable of an enclosing function can be named in a header here, and is surely bound."""
        owner, name = variable
        if self._scope.owner(name) is not owner:
            return False
        if name in owner.parameters:
            return True
        body = owner.node.body if isinstance(owner.node, FUNCTIONS) else []
        before = [one for one in body if (one.end_lineno or 0) < self._function.lineno]
        return any(name in _binds(statement) for statement in before)

    def _assigned_before(self, name: str, loop: Loop) -> bool:
        """Whether the name is surely bound when the loop starts: by a statement in line before it."""
        if name in self._scope.parameters:
            return True
        if any(isinstance(getattr(one.node, "ctx", None), ast.Del) for one in self._scope.bindings[name]):
            return False
        return any(name in _binds(statement) for statement in _dominators(self._function, loop)) or any(
            name in _entered(ancestor) for ancestor in self._ancestors(loop)
        )

    def _ancestors(self, loop: Loop) -> Iterator[ast.AST]:
        """The compound statements of the function in whose bodies a loop stands."""
        node: ast.AST = loop
        while (parent := self._index.parents.get(node)) is not None and node is not self._function:
            body = getattr(parent, "body", [])
            if isinstance(body, list) and node in body:
                yield parent
            node = parent

    def _as_collection(self, name: str, loop: Loop, state: State) -> bool:
        known = state.declared.get(name)
        if known is not None:
            return known.form in {"list", "map"}
        writers = self._names.writers(self._scope, name)
        if len(writers) != 1 or name in self._scope.parameters:
            return False
        statement = writers[0].statement
        target = _single_target(statement)
        if target is None or target.id != name or not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            return False
        form = _collection_form(statement.value)
        if form is None or not self._built_in(name, loop) or self._in_plain_loop(statement):
            return False
        if self._exposure.is_exposed(name):
            return False
        block = self._block_of(statement)
        state.declared[name] = Declared(name, form, block, statement)
        return True

    def _in_plain_loop(self, statement: ast.stmt) -> bool:
        plain = [
            one
            for one in self._index.below(self._function)
            if isinstance(one, LOOPS) and one not in self._durable
        ]
        return any(self._index.within(statement, one) for one in plain)

    def _built_in(self, name: str, loop: Loop) -> bool:
        """Whether the loop changes the name's own object, by a method or an item."""
        for one in self._index.below(loop):
            base = None
            if isinstance(one, ast.Subscript) and not isinstance(one.ctx, ast.Load):
                base = one.value
            elif isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute):
                info = self._classified.calls.get(one)
                base = one.func.value if info is not None and "self" in info.mutates else None
            if isinstance(base, ast.Name) and base.id == name and self._names.of.get(base) is self._scope:
                return True
        return False

    def _block_of(self, statement: ast.stmt) -> Block:
        best: Block = self._function
        for loop in self._loops:
            if self._in_body(statement, loop):
                best = loop
        return best


def _has_callbacks(classified: Classified, names: Names) -> bool:
    """Whether a callback may run, and change anything, while no call of it is in sight."""
    calls = (classified.calls.get(one) for one in names.index.nodes if isinstance(one, ast.Call))
    return any(call is not None and call.name == "add_done_callback" for call in calls)


def _blocks(function: FunctionNode, durable: set[ast.AST], index: Index) -> list[Block]:
    """The function and its durable loops, outermost first; those of a class body are not among them."""
    found: list[Block] = [function]
    for node in index.below(function):
        if isinstance(node, LOOPS) and node in durable:
            holder = index.parents[node]
            while holder is not function and not isinstance(holder, ast.ClassDef):
                holder = index.parents[holder]
            if holder is function:
                found.append(node)
    return found


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


def _dominators(function: FunctionNode, loop: Loop) -> list[ast.stmt]:
    """The statements that have surely run when `loop` starts: its elder siblings, and its ancestors'."""
    found: list[ast.stmt] = []

    def search(body: list[ast.stmt]) -> bool:
        for position, statement in enumerate(body):
            if statement is loop or any(search(block) for block in _inner_blocks(statement)):
                found.extend(body[:position])
                return True
        return False

    search(function.body)
    return found


def _entered(statement: ast.AST) -> set[str]:
    """The names that a `with` or a loop binds before its body."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    elif isinstance(statement, ast.For | ast.AsyncFor):
        targets = [statement.target]
    return {
        one.id
        for target in targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }


def _inner_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return []
    blocks = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    blocks += [case.body for case in getattr(statement, "cases", [])]
    return [block for block in blocks if block]


def _binds(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    return {
        one.id
        for target in targets
        for one in ast.walk(target)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
