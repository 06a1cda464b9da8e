"""What lowering edits, it edits in any layout: parentheses, line ends, comments, semicolons, blanks."""

import ast
import dataclasses
from functools import cache

import libcst as cst
import pytest

from flopod_compiler.lower.transform import Lowering
from tests.grammar.compiled import module
from tests.grammar.layouts import EXEMPT, LAYOUTS
from tests.grammar.test_fields import check

TOUCHED = sorted(name.removeprefix("leave_") for name in vars(Lowering) if name.startswith("leave_"))
UNREAD = r"""
    point = Point(1)
    a=await num(n)or 2;(b):int=await num(1);( (point.x) ) : (
        int) = await num(2)
    (c): int; (point.x): int; total = 0
    for i in range(n):
        (total):int=(await num(i))or total
    a = [a, b, point.x, total, f"{await num(7)or 2!r:>{await num(4)or 5}}{{(n)if}}", "(n)if"]
    return a, f"{await num(4)or 2=}{n!=2or(await num(4))}"
"""
PROGRAMS = {names: module(body) for names, body in LAYOUTS.items()}


def test_each_node_that_lowering_edits_has_a_layout() -> None:
    """An edit of another node class needs programs in which that is laid out oddly."""
    assert sorted(" ".join(LAYOUTS).split()) == TOUCHED


@pytest.mark.parametrize("name", TOUCHED)
def test_layout_uses_every_field(name: str) -> None:
    """Each field of the class differs from its default somewhere."""
    used = {field for text in PROGRAMS.values() for field in _used(text)}
    fields = {f"{name}.{field.name}" for field in dataclasses.fields(getattr(cst, name))}
    assert fields - used - set(EXEMPT) == set()


@pytest.mark.parametrize("names", PROGRAMS)
def test_layout_does_the_same_compiled_and_resumed(names: str) -> None:
    """However it is laid out, a program does what it does in plain Python."""
    check(PROGRAMS[names])


@pytest.mark.filterwarnings("ignore:invalid decimal literal:SyntaxWarning")
def test_layout_that_libcst_does_not_read_does_the_same() -> None:
    """A keyword may touch its operand, and a target with an annotation may stand in parentheses."""
    with pytest.raises(cst.ParserSyntaxError):
        cst.parse_module(module(UNREAD))
    check(module(UNREAD))


@cache
def _used(text: str) -> frozenset[str]:
    """The fields that hold something else than their default, as `Class.field`."""
    tree = cst.parse_module(text)
    flow = tree.body[-1]
    assert isinstance(flow, cst.FunctionDef) and ast.parse(text)
    found = set()
    stack: list[cst.CSTNode] = [flow]
    while stack:
        node = stack.pop()
        stack += node.children
        for field in dataclasses.fields(node) if type(node).__name__ in TOUCHED else ():
            if repr(getattr(node, field.name)) != repr(_default(field)):
                found.add(f"{type(node).__name__}.{field.name}")
    return frozenset(found)


def _default(field: "dataclasses.Field[object]") -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
