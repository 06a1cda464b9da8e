"""Lower one statement at the top level of a module: show it to libcst, transform it, map its lines home."""

from __future__ import annotations

import ast

import libcst as cst

from flopod_compiler.lower import LoweringError
from flopod_compiler.lower.edits import Edits, Place, split_lines
from flopod_compiler.lower.nodes import ADDED
from flopod_compiler.lower.positions import Positions, written
from flopod_compiler.lower.spelling import respelled
from flopod_compiler.lower.transform import Lowering
from flopod_compiler.lower.untouched import Untouched


def _parsed(lines: list[str]) -> cst.Module:
    try:
        return cst.parse_module("".join(lines))
    except cst.ParserSyntaxError as error:
        raise LoweringError(str(error).splitlines()[0]) from None


def lower_piece(
    source: list[str], statement: ast.stmt, edits: Edits, places: set[Place], untouched: Untouched
) -> tuple[list[str], list[int]]:
    """The emitted lines of a statement and, for each, the author's line."""
    shown = untouched.hidden(statement)
    lines, shifts = respelled(shown.lines, shown.first, statement)
    tree = _parsed(lines)
    tree = tree.visit(Lowering(edits, places, Positions(tree, shown.first, shifts)))
    line_map, position = [], 0
    result = []
    for line in split_lines(written(tree)):
        if line.rstrip().endswith(ADDED):
            home = shown.kept[min(position, len(shown.kept) - 1)]
            line_map.append(home)
            added = line.rstrip()[: -len(ADDED)].rstrip() + "\n"
            result.append(shifts.indented(added, home - shown.first + 1))
            continue
        if position >= len(shown.kept):
            raise LoweringError(f"line {shown.first}: more lines emitted than written")
        home = shown.kept[position]
        line_map.append(home)
        emitted = shifts.indented(line, home - shown.first + 1)
        result.append(source[home - 1] if home in shown.hidden else emitted)
        position += 1
    if position == len(shown.kept) - 1 and not shown.lines[-1]:
        # The file ends without a line end, and its last line is hidden: there was nothing to write.
        line_map.append(shown.kept[-1])
        result.append(source[shown.kept[-1] - 1])
        position += 1
    if position != len(shown.kept):
        raise LoweringError(f"line {shown.first}: {len(shown.kept) - position} lines lost")
    return result, line_map
