"""The children of a node are those that ast gives, without the objects that all nodes of a kind share."""

import ast
from pathlib import Path

import flopod_compiler
from flopod_compiler.children import children

_SHARED = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_FORMS = """
import a.b as c
from .d import e as f
type_ = lambda x, /, y=1, *z, k=2, **w: f"{x!r:>{y}}" + k
async def g(x: int = 1, *, y) -> int:
    global h
    async with x as y, z: return await y
    match x:
        case {"a": 1, **rest} | [A(b=2), *_] if y: del x.y[1:2]
        case None: pass
    try: raise E from x
    except* (A, B) as e: nonlocal_ = {**x, 1: 2}
    else: x += not y
    finally: assert x, y
    return [i async for i in x if (j := i) < 2 <= 3 for k in j]
"""


def test_children_are_those_of_ast_in_their_order() -> None:
    """In sources with over sixty kinds of nodes no child is left out or moved."""
    files = Path(flopod_compiler.__file__).parent.rglob("*.py")
    seen = set()
    for text in [_FORMS, *(one.read_text("utf-8") for one in files)]:
        for node in ast.walk(ast.parse(text)):
            expected = [one for one in ast.iter_child_nodes(node) if not isinstance(one, _SHARED)]
            assert children(node) == expected
            seen.add(type(node).__name__)
    assert len(seen) > 60
