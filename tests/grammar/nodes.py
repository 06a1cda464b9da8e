"""The grammar as the running interpreter has it, and a way to alter any field of a tree."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from typing import Any

_DEPRECATED = {
    *("Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "Suite", "AugLoad", "AugStore"),
    *("Param", "slice"),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def grammar() -> dict[str, tuple[str, ...]]:
    """Each concrete node class and its fields."""
    known = [one for one in vars(ast).values() if isinstance(one, type) and issubclass(one, ast.AST)]
    leaves = [one for one in known if not one.__subclasses__() or one is ast.Constant]
    leaves = [one for one in leaves if one.__name__ not in _DEPRECATED]
    return {one.__name__: one._fields for one in leaves}


def entries() -> list[str]:
    """`Class.field` for each field of the grammar, and `Class` for each class without one."""
    found: list[str] = []
    for name, fields in grammar().items():
        found += [f"{name}.{field}" for field in fields] or [name]
    return found


def places(function: ast.AST, without: Container[str] = ()) -> Iterator[tuple[ast.AST, str]]:
    """Each node of a function with each of its fields that holds something, name and decorators aside.

    What is below a field of `without` is left out; in class bodies annotations of assignments are kept.
    """
    stack = [(function, False)]
    while stack:
        node, in_class = stack.pop()
        for field in node._fields:
            name, value = f"{type(node).__name__}.{field}", getattr(node, field, None)
            meant = name not in without or (in_class and isinstance(node, ast.AnnAssign))
            if value is None or value == [] or not meant:
                continue
            if node is function and field in ("name", "decorator_list"):
                continue
            yield node, field
            inner = isinstance(node, ast.ClassDef) or (in_class and not isinstance(node, FUNCTIONS))
            parts = value if isinstance(value, list) else [value]
            stack += [(part, inner) for part in parts if isinstance(part, ast.AST)]


def alterations(value: Any) -> Iterator[Any]:
    """Other values for a field: fewer members, another order, another name, number or part."""
    if isinstance(value, list):
        yield value[:-1]
        if len(value) > 1:
            yield value[1:]
        if len(value) > 1 and _text(value[0]) != _text(value[1]):
            yield [value[1], value[0], *value[2:]]
    elif isinstance(value, ast.AST):
        yield _other(value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    else:
        yield "altered"


def _text(value: Any) -> str:
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


def _other(node: ast.AST) -> ast.AST:
    match node:
        case ast.expr(ctx=ast.Store() | ast.Del() as context):
            other: ast.AST = ast.Name("altered", context)
        case ast.expr():
            other = ast.Name("altered", ast.Load())
        case ast.pattern():
            other = ast.MatchAs(None, "altered")
        case ast.arguments():
            other = ast.arguments([], [ast.arg("altered")], None, [], [], None, [])
        case ast.arg():
            other = ast.arg("altered")
        case ast.expr_context():
            other = ast.Store() if isinstance(node, ast.Load) else ast.Load()
        case _:
            siblings = [one for one in type(node).__mro__[1].__subclasses__() if one is not type(node)]
            other = siblings[0]()
    return ast.fix_missing_locations(ast.copy_location(other, node)) if isinstance(node, ast.expr) else other
