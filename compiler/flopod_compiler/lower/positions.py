"""A tree of libcst written as text, and where in the text each node stands.

This is libcst's own generation of code with what it costs taken out: positions are offsets until somebody
asks for a line, and nodes are known by their identity.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from contextlib import nullcontext
from itertools import accumulate
from types import TracebackType
from typing import Any

import libcst as cst
from libcst._nodes.internal import CodegenState

from flopod_compiler.lower.edits import Extent, Place, split_lines
from flopod_compiler.lower.spelling import Shifts

_Offsets = tuple[int, int]
_NOWHERE = nullcontext()


def written(module: cst.Module) -> str:
    """The text of a module, as `module.code` gives it."""
    writer = _Writer(module.default_indent, module.default_newline)
    module._codegen(writer)
    return "".join(writer.tokens)


class Positions:
    """The syntactic extent of every node of a tree, whose first line is the line `first` of its module.

    `shifts` leads from the columns of the tree to those that the author wrote.
    """

    def __init__(self, module: cst.Module, first: int, shifts: Shifts | None = None) -> None:
        counter = _Counter(module.default_indent, module.default_newline)
        module._codegen(counter)
        self._tree = module  # whose nodes, and so their identities, must live as long
        self._extent = counter.extent
        self._whole = counter.whole
        self._text = "".join(counter.tokens)  # not always what was parsed: a form feed may get lost
        self._starts = [0, *accumulate(map(len, split_lines(self._text)[:-1]))]
        self._before = first - 1
        self._shifts = shifts or Shifts()

    def __contains__(self, node: cst.CSTNode) -> bool:
        return id(node) in self._whole

    def start(self, node: cst.CSTNode) -> Place:
        """The line and the column of a node's first character."""
        return self._place(self._extent(node)[0])

    def extent(self, node: cst.CSTNode) -> Extent:
        """The places of a node's first character and of the one behind its last."""
        start, end = self._extent(node)
        return (*self._place(start), *self._place(end, is_end=True))

    def text(self, first: cst.CSTNode, last: cst.CSTNode) -> str:
        """What the author wrote from one node to another."""
        start, end = self._whole[id(first)][0], self._whole[id(last)][1]
        added = {
            self._starts[row - 1] + column for row in self._shifts.rows for column in self._shifts.added(row)
        }
        return "".join(self._text[place] for place in range(start, end) if place not in added)

    def holding(self, places: set[Place]) -> Callable[[cst.CSTNode], bool]:
        """Whether one of the places, or a comment, is within a node or the whitespace that it owns."""
        marks = bytearray(len(self._text) + len("\r\n"))  # the last line gets an end, until the very end
        for found in re.finditer("#", self._text):
            marks[found.start()] = 1
        for line, column in places:
            if 0 <= line - self._before - 1 < len(self._starts):
                row = line - self._before
                marks[self._starts[row - 1] + self._shifts.respelled(row, column)] = 1
        before, whole = [0, *accumulate(marks)], self._whole

        def holds(node: cst.CSTNode) -> bool:
            start, end = whole[id(node)]
            return before[end] != before[start]

        return holds

    def _place(self, offset: int, *, is_end: bool = False) -> Place:
        row = bisect_right(self._starts, offset)
        column = self._shifts.written(row, offset - self._starts[row - 1], is_end=is_end)
        return row + self._before, column


class _Writer(CodegenState):
    """Writes tokens and records no positions."""

    def record_syntactic_position(self, *_: Any, **__: Any) -> Any:
        return _NOWHERE


class _Counter(CodegenState):
    """Notes at which offset each node begins and ends while the tokens of a tree are written."""

    def __init__(self, indent: str, newline: str) -> None:
        super().__init__(indent, newline)
        self.offset = 0
        self.found: dict[int, _Offsets] = {}
        self.whole: dict[int, _Offsets] = {}
        self._open: list[int] = []

    def add_token(self, value: str) -> None:
        self.offset += len(value)
        self.tokens.append(value)

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        for indent in self.indent_tokens:
            self.offset += len(indent)

    def before_codegen(self, node: Any) -> None:  # noqa: ARG002
        self._open.append(self.offset)

    def after_codegen(self, node: Any) -> None:
        self.whole[id(node)] = (self._open.pop(), self.offset)

    def extent(self, node: Any) -> _Offsets:
        """Where a node stands; all that is written of it, unless it says which part is its own."""
        return self.found.get(id(node)) or self.whole[id(node)]

    def record_syntactic_position(  # type: ignore[override]
        self, node: Any, *, start_node: Any = None, end_node: Any = None
    ) -> _Span:
        return _Span(self, node, start_node, end_node)


class _Span:
    """Records what is written within it as the extent of `node`."""

    __slots__ = ("_counter", "_end_node", "_node", "_start", "_start_node")

    def __init__(self, counter: _Counter, node: Any, start_node: Any, end_node: Any) -> None:
        self._counter = counter
        self._node = node
        self._start_node = start_node
        self._end_node = end_node

    def __enter__(self) -> None:
        self._start = self._counter.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        counter = self._counter
        start = self._start if self._start_node is None else counter.extent(self._start_node)[0]
        end = counter.offset if self._end_node is None else counter.extent(self._end_node)[1]
        counter.found[id(self._node)] = (start, end)
