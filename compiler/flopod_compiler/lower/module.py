"""Lower one module: cut out the statements that hold workflows, lower them, put all together."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from flopod_compiler.fingerprint import fingerprint
from flopod_compiler.lower.edits import Edits, Place, split_lines
from flopod_compiler.lower.untouched import Untouched, first_line
from flopod_compiler.model import FunctionNode, Lowered, SourceModule


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """The emitted lines of a statement and, for each, the author's line, counted from its first one."""

    text: list[str]
    lines: list[int]


class Pieces:
    """Emitted pieces by the fingerprint of what they are made from: those of before, and those of now."""

    def __init__(self, before: Mapping[str, Piece]) -> None:
        self._before = before
        self.now: dict[str, Piece] = {}

    def get(self, key: str, make: Callable[[], Piece]) -> Piece:
        """The piece that was made from the same, else a new one."""
        self.now[key] = self._before.get(key) or make()
        return self.now[key]


def lower_module(
    module: SourceModule, roots: list[FunctionNode], edits: Edits, pieces: Pieces | None = None
) -> Lowered:
    """The module with its workflows in compiled form and, per emitted line, the author's line."""
    source = split_lines(module.text)
    places = edits.places()
    untouched = Untouched(source, {line for line, _ in places}, roots)
    emitted: list[str] = []
    line_map: list[int] = []
    position = 1
    for statement in _pieces(module.tree, roots):
        first, last = first_line(statement), statement.end_lineno or statement.lineno
        emitted += source[position - 1 : first - 1]
        line_map += range(position, first)
        make = partial(_lowered, source, statement, edits, places, untouched)
        if pieces is None:
            piece = make()
        else:
            text = "".join(source[first - 1 : last])
            piece = pieces.get(fingerprint(text, edits.between(first, last), first), make)
        emitted += piece.text
        line_map += [line + first - 1 for line in piece.lines]
        position = last + 1
    emitted += source[position - 1 :]
    line_map += range(position, len(source) + 1)
    return Lowered(module, "".join(emitted), line_map)


def _lowered(
    source: list[str], statement: ast.stmt, edits: Edits, places: set[Place], untouched: Untouched
) -> Piece:
    from flopod_compiler.lower.piece import lower_piece

    text, lines = lower_piece(source, statement, edits, places, untouched)
    above = first_line(statement) - 1
    return Piece(text, [line - above for line in lines])


def _pieces(tree: ast.Module, roots: list[FunctionNode]) -> Iterator[ast.stmt]:
    """The top-level statements that contain a workflow."""
    wanted = {root.lineno for root in roots}
    for statement in tree.body:
        if any(line in wanted for line in range(statement.lineno, (statement.end_lineno or 0) + 1)):
            yield statement
