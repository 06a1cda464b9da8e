"""Programs with a durable call inside each field of the grammar that can hold one, made from the table's."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from tests.grammar.nodes import places

NOT_CODE = {
    "JoinedStr.values",
    "FormattedValue.format_spec",
    "TemplateStr.values",
    "Interpolation.format_spec",
}
# Objects of a local class with a base that is not known are results of a leaf, which no log can hold.
UNWRITABLE = {"ClassDef.bases"}


def variants(text: str, fields: list[str]) -> Iterator[tuple[str, str]]:
    """For each of the fields, at each of its places, the field's name and the program with a call in it."""
    tree = ast.parse(text)
    flow = tree.body[-1]
    seen = set()
    for node, field in list(places(flow)):
        name = f"{type(node).__name__}.{field}"
        if name not in fields or node is flow or name in NOT_CODE | UNWRITABLE:
            continue
        before = getattr(node, field)
        for value in _with_call(before):
            setattr(node, field, value)
            made = ast.unparse(tree)
            if made not in seen and _compiles(made):
                seen.add(made)
                yield name, made
        setattr(node, field, before)


def _with_call(value: Any) -> Iterator[Any]:
    """The value with a durable call in an expression, or as the first statement of a block."""
    if _is_read(value):
        yield _beside(value)
    elif isinstance(value, list) and value and isinstance(value[0], ast.stmt):
        yield [ast.parse("note(0)").body[0], *value]
    elif isinstance(value, list):
        for at, one in enumerate(value):
            if _is_read(one):
                yield [*value[:at], _beside(one), *value[at + 1 :]]


def _is_read(value: Any) -> bool:
    return isinstance(value, ast.expr) and isinstance(getattr(value, "ctx", None), ast.Load | None)


def _beside(value: ast.expr) -> ast.expr:
    """`(note(0), value)[1]`: the same object, after a durable call; a star stays outside."""
    if isinstance(value, ast.Starred):
        return ast.Starred(_beside(value.value), value.ctx)
    pair = ast.Tuple([ast.parse("note(0)", mode="eval").body, value], ast.Load())
    return ast.Subscript(pair, ast.Constant(1), ast.Load())


def _compiles(text: str) -> bool:
    try:
        compile(text, "flow", "exec")
    except SyntaxError:
        return False
    return True
