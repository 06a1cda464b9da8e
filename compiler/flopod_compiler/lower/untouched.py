"""Which lines of a piece stay as written: whole statements without an edit, which libcst need not see."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from flopod_compiler.model import FunctionNode

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Shown:
    """The lines of a piece, with a `pass` in place of what is hidden.

    `kept` are the lines of the source that have an emitted line, `hidden` those of them that stay as written.
    """

    first: int
    lines: list[str]
    kept: list[int]
    hidden: set[int]


class Untouched:
    """Hides from libcst what the transformer would only copy.

    That is every statement on whose lines no edit begins and from which no comment goes, and the comments
    around workflows; those of a workflow itself are not emitted.
    """

    def __init__(self, source: list[str], edited: set[int], roots: list[FunctionNode]) -> None:
        self._source = source
        self._roots = roots
        self._inside = {line for root in roots for line in range(root.lineno, (root.end_lineno or 0) + 1)}
        touched = edited | {line for line in self._inside if "#" in source[line - 1]}
        self._before = [0, *accumulate(line in touched for line in range(len(source) + 1))]

    def hidden(self, statement: ast.stmt) -> Shown:
        """The piece that a statement at the top level is, as the transformer shall see it."""
        first, last = first_line(statement), statement.end_lineno or statement.lineno
        lines = self._source[first - 1 : last]
        comments = _comment_lines(lines, first)
        hidden = comments - self._inside
        for line in hidden:
            lines[line - first] = _blank(lines[line - first])
        for start, end in self._stay(statement):
            hidden.update(range(start, end + 1))
            lines[start - first] = _placeholder(lines[start - first])
            lines[start - first + 1 : end - first + 1] = [
                _blank(line) for line in lines[start - first + 1 : end - first + 1]
            ]
        dropped = comments & self._inside | self._marks()
        return Shown(first, lines, [line for line in range(first, last + 1) if line not in dropped], hidden)

    def _marks(self) -> set[int]:
        """The lines of the decorators of workflows, which are not emitted."""
        return {
            line
            for root in self._roots
            if root.decorator_list
            for line in range(root.decorator_list[0].lineno, root.lineno)
        }

    def _stay(self, statement: ast.stmt) -> Iterator[tuple[int, int]]:
        """The first and last lines of the largest statements, at or below this one, that stay as they are."""
        stack: list[ast.AST] = [statement]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.stmt) and self._stays(node):
                yield first_line(node), node.end_lineno or node.lineno
                continue
            for name in _BLOCKS:
                stack.extend(_without_docstring(getattr(node, name, []), name))

    def _stays(self, node: ast.stmt) -> bool:
        first, last = first_line(node), node.end_lineno or node.lineno
        if self._before[last + 1] != self._before[first]:
            return False
        start = self._source[node.lineno - 1]
        head = start.encode()[: node.col_offset]
        tail = self._source[last - 1].encode()[node.end_col_offset :]
        return not head.strip() and not tail.strip() and not start.lstrip().startswith("elif")


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def _without_docstring(block: list[ast.AST], name: str) -> list[ast.AST]:
    first = block[0] if block and name == "body" else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return block[1:] if is_text else block


def _blank(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _placeholder(line: str) -> str:
    return line[: len(line) - len(line.lstrip())] + "pass" + _blank(line)


def _comment_lines(lines: list[str], first: int) -> set[int]:
    """The lines that hold a comment and nothing else."""
    if not any(line.lstrip().startswith("#") for line in lines):
        return set()
    tokens = tokenize.generate_tokens(io.StringIO("".join(lines), newline="").readline)
    return {
        first + token.start[0] - 1
        for token in tokens
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }
