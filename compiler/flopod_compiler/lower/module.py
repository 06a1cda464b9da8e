"""Lower one module: cut out the statements that hold workflows, transform them, map the lines home."""

from __future__ import annotations

import ast
import io
import tokenize

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from flopod_compiler.lower.edits import Edits, collect_edits, split_lines
from flopod_compiler.lower.nodes import ADDED
from flopod_compiler.lower.transform import Lowering
from flopod_compiler.model import Classified, FunctionNode, Lowered, SourceModule
from flopod_compiler.plan import Plan


class LoweringError(Exception):
    """The emitted text does not correspond to the source line by line: a fault of the compiler."""


def lower_module(classified: Classified, module: SourceModule, plans: list[Plan]) -> Lowered:
    """Return the module with its workflows in compiled form and, per emitted line, the author's line."""
    edits = Edits()
    for plan in plans:
        collect_edits(classified, plan, edits)
        for (_, name), site in plan.variable_names.items():
            for function in plan.functions.values():
                declared = function.state.declared.get(name)
                if declared is not None:
                    edits.sites.setdefault((id(declared.block), name), site)
    source = split_lines(module.text)
    emitted: list[str] = []
    line_map: list[int] = []
    position = 1
    for first, last in _pieces(module.tree, [plan.root.node for plan in plans]):
        emitted += source[position - 1 : first - 1]
        line_map += range(position, first)
        text, lines = _lower_piece(source, first, last, edits, [plan.root.node for plan in plans])
        emitted += text
        line_map += lines
        position = last + 1
    emitted += source[position - 1 :]
    line_map += range(position, len(source) + 1)
    return Lowered(module, "".join(emitted), line_map)


def _pieces(tree: ast.Module, roots: list[FunctionNode]) -> list[tuple[int, int]]:
    """The line ranges of the top-level statements that contain a workflow."""
    wanted = {root.lineno for root in roots}
    found = []
    for statement in tree.body:
        last = statement.end_lineno or statement.lineno
        if any(statement.lineno <= line <= last for line in wanted):
            found.append((_first_line(statement), last))
    return found


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _lower_piece(
    source: list[str], first: int, last: int, edits: Edits, roots: list[FunctionNode]
) -> tuple[list[str], list[int]]:
    text = "".join(source[first - 1 : last])
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    positions = wrapper.resolve(PositionProvider)
    tree = wrapper.module.visit(Lowering(edits, positions, first - 1))
    lines = split_lines(tree.code)
    kept = _kept_lines(text, first, roots)
    line_map, position = [], 0
    result = []
    for line in lines:
        if line.rstrip().endswith(ADDED):
            line_map.append(kept[min(position, len(kept) - 1)])
            result.append(line.rstrip()[: -len(ADDED)].rstrip() + "\n")
            continue
        if position >= len(kept):
            raise LoweringError(f"line {first}: more lines emitted than written")
        line_map.append(kept[position])
        result.append(line)
        position += 1
    if position != len(kept):
        raise LoweringError(f"line {first}: {len(kept) - position} lines lost")
    return result, line_map


def _kept_lines(text: str, first: int, roots: list[FunctionNode]) -> list[int]:
    """The author's lines that have an emitted line: all but comment lines and decorators of workflows."""
    count = len(split_lines(text))
    dropped: set[int] = set()
    for root in roots:
        end = root.end_lineno or root.lineno
        if root.decorator_list:
            dropped.update(range(root.decorator_list[0].lineno, root.lineno))
        dropped.update(line for line in _comment_lines(text, first) if root.lineno <= line <= end)
    return [line for line in range(first, first + count) if line not in dropped]


def _comment_lines(text: str, first: int) -> list[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        first + token.start[0] - 1
        for token in tokens
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    ]
