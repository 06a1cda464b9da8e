"""What bindings and symbols say: which of several bindings count, and symbols in words."""

from __future__ import annotations

import ast
import builtins

from flopod_compiler.model import (
    External,
    Local,
    ModuleValue,
    ProjectClass,
    ProjectFunction,
    ProjectModule,
    Symbol,
)
from flopod_compiler.names.scopes import Binding, How, Scope

BUILTINS = frozenset(dir(builtins))
MODULE_NAMES = frozenset(
    {"__name__", "__file__", "__doc__", "__package__", "__spec__", "__loader__", "__path__"}
)
IMPORTS = frozenset({How.IMPORT, How.IMPORT_FROM})


def describe(symbol: Symbol) -> str:
    """A symbol in words for a message."""
    if isinstance(symbol, External):
        return symbol.qualified.removeprefix("builtins.")
    if isinstance(symbol, ProjectModule):
        return f"the module {symbol.name}"
    if isinstance(symbol, ProjectFunction | ProjectClass):
        return f"{symbol.module}.{symbol.qualname}"
    if isinstance(symbol, ModuleValue):
        return f"{symbol.module}.{symbol.name}"
    return f"the variable {symbol.name}" if isinstance(symbol, Local) else symbol.reason


def is_definition(symbol: Symbol) -> bool:
    """Whether a symbol is a definition rather than a local value or nothing known."""
    return isinstance(symbol, External | ProjectModule | ProjectFunction | ProjectClass | ModuleValue)


def real(bindings: list[Binding]) -> list[Binding]:
    """The bindings that give a value: not `del x`, not a bare `x: int`."""
    return [b for b in bindings if b.how is not How.DELETE and b.how is not How.DECLARE]


def effective(bindings: list[Binding], owner: Scope) -> list[Binding]:
    """The bindings that a reader can meet: no overloads, no `None` stand-ins of failed imports, and at the
    top level of a module or class nothing that a later unconditional binding replaces.
    """
    found = real(bindings)
    if len(found) < 2:
        return found
    kept = [b for b in found if not _is_overload(b.node)] or found
    if any(b.how in IMPORTS for b in kept):
        kept = [b for b in kept if not (isinstance(b.value, ast.Constant) and b.value.value is None)]
    if isinstance(owner.node, ast.Module | ast.ClassDef):
        direct = {id(node) for node in owner.node.body}
        for index in range(len(kept) - 1, 0, -1):
            if id(kept[index].node) in direct and kept[index].how is not How.AUGMENT:
                return kept[index:]
    return kept


def _is_overload(node: ast.AST) -> bool:
    for decorator in getattr(node, "decorator_list", ()):
        name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
        if name == "overload":
            return True
    return False


def distinct(symbols: list[Symbol]) -> tuple[Symbol, ...]:
    """The symbols without repetitions, in order."""
    return tuple(dict.fromkeys(symbols))


def in_words(expr: ast.expr) -> str:
    """Why an expression that is no name has no meaning of its own."""
    return _WORDS.get(type(expr), "it is not a name")


_WORDS: dict[type[ast.expr], str] = {
    ast.Await: "it is the value of an await",
    ast.Call: "it is the result of another call",
    ast.Lambda: "it is a lambda",
}
