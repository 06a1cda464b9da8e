"""The places that lowering finds nodes by are those of libcst's own, slower provider."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from flopod_compiler.lower.positions import Positions, written
from tests.harness.cases import FIXTURES

SOURCES = [
    path
    for path in sorted(FIXTURES.glob("*/input/flow.py"))
    if not path.parents[1].name.startswith("refused_")
][::8]
ODD = [
    "x = 1",
    "x = (\r\n    1,\r\n)\r\ny = f(x)\r\n",
    "if x:\n\ty = 'ä', [z]  # c\n# end",
    "\n\nx = y\n\n",
    "\f@f\ndef g(x):\n    return f(x)\n",
]


def check(text: str) -> None:
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    expected = wrapper.resolve(PositionProvider)
    found = Positions(wrapper.module, 1)
    for node, where in expected.items():
        if isinstance(node, cst.BaseExpression | cst.BaseStatement | cst.BaseSmallStatement | cst.CompFor):
            extent = (where.start.line, where.start.column, where.end.line, where.end.column)
            assert found.extent(node) == extent, node
    assert written(wrapper.module) == wrapper.module.code


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parents[1].name)
def test_positions_are_those_of_libcst(path: Path) -> None:
    """Every expression, statement and clause of a case has the extent that libcst gives it."""
    check(path.read_text("utf-8"))


@pytest.mark.parametrize("text", ODD)
def test_positions_hold_for_odd_line_ends(text: str) -> None:
    """No line end at the end, `\\r\\n`, tabs, letters beyond ASCII and blank lines move nothing."""
    check(text)


def test_a_node_holds_the_places_and_comments_in_it() -> None:
    """A statement is visited for what is edited in it or commented on its line, and else is not."""
    tree = cst.parse_module("a = 1\nb = 2  # why\nc = f(3)\n")
    holds = Positions(tree, 1).holding({(3, 4)})
    assert [holds(one) for one in tree.body] == [False, True, True]
