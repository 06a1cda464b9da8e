"""The element type of a collection that begins empty and is filled in the same function."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from flopod_compiler.knowledge.beside import takes_handle
from flopod_compiler.names import Scope
from flopod_compiler.types.model import Types, union

Read = Callable[[ast.expr, Scope], Types]

_ADDING = frozenset({"append", "appendleft", "add"})
_KEEPING = _ADDING | {"clear", "discard", "remove", "pop", "popleft", "popitem", "copy", "count", "index"}
_KEEPING |= {"items", "values", "keys", "get", "reverse"}
_EMPTY = frozenset({"list", "set", "dict", "deque"})


def is_empty(value: ast.expr | None) -> bool:
    """Whether an expression is `[]`, `{}`, `set()` and the like."""
    if isinstance(value, ast.List | ast.Dict):
        return not (value.elts if isinstance(value, ast.List) else value.keys)
    if not isinstance(value, ast.Call) or value.args or value.keywords:
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return name in _EMPTY


class Growth:
    """What one variable, which holds an empty collection at first, is filled with."""

    def __init__(self, owner: Scope, name: str, parents: dict[ast.AST, ast.AST], read: Read) -> None:
        self._owner = owner
        self._name = name
        self._parents = parents
        self._read = read

    def element(self) -> Types:
        """The type of what is added; unknown unless every use of the variable is in sight."""
        found: list[Types] = []
        for scope in within(self._owner):
            for load in scope.loads:
                if load.id == self._name and not self._use(load, scope, found):
                    return None
        return union(*found) if found else None

    def _use(self, load: ast.Name, scope: Scope, found: list[Types]) -> bool:
        parent = self._parents.get(load)
        if isinstance(parent, ast.Attribute):
            return self._method(parent, scope, found)
        if isinstance(parent, ast.Subscript):
            return self._item(parent, scope, found)
        if isinstance(parent, ast.Call):
            return _is_asyncio(parent.func) or isinstance(parent.func, ast.Name)
        return not isinstance(parent, ast.Assign | ast.AugAssign | ast.NamedExpr)

    def _method(self, attribute: ast.Attribute, scope: Scope, found: list[Types]) -> bool:
        call = self._parents.get(attribute)
        if attribute.attr not in _KEEPING:
            return False
        if isinstance(call, ast.Call) and call.func is attribute and attribute.attr in _ADDING:
            found.append(self._read(call.args[0], scope) if len(call.args) == 1 else None)
        elif isinstance(call, ast.Call) and takes_handle(call, attribute):
            found.append(self._read(call, scope))
        return True

    def _item(self, subscript: ast.Subscript, scope: Scope, found: list[Types]) -> bool:
        if isinstance(subscript.ctx, ast.Store):
            statement = self._parents.get(subscript)
            if not isinstance(statement, ast.Assign):
                return False
            found.append(self._read(statement.value, scope))
        return True


def within(scope: Scope) -> Iterator[Scope]:
    """A scope and all scopes nested in it."""
    yield scope
    for child in scope.children:
        yield from within(child)


def _is_asyncio(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "asyncio"
