"""The same source as libcst can read it, and what that does to the columns.

Python takes `f(1)or 2` and `(x): int = 1`; libcst wants a blank beside a keyword, also in what it writes,
and no parentheses around a target with an annotation. It counts a tab after blanks in another way.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from keyword import kwlist

_OPERATORS = frozenset(kwlist) - {"None", "True", "False"}
_NO_OPERAND = frozenset({":", ",", ";", ")", "]", "}", "=", "."})
_LAYOUT = frozenset({tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.DEDENT})
_WORD = "(?:" + "|".join(sorted(_OPERATORS)) + ")"
_TOUCHING = re.compile(rf"""\b{_WORD}[^\w\s:;,)\]}}=.]|[0-9)\]}}'"]{_WORD}\b""")
_ANNOTATED = re.compile(r"(?m)(?:^|[;:])[ \t]*\([^\n]*\)[ \t]*:")
_TAB_AFTER_BLANK = re.compile(r"(?m)^[ \t\f]* \t")
_TAB = 8
_FIELD = re.compile(r"(?<!\{)(?:\{\{)*\{(?!\{)((?:[^{}:!]|!=)+)[!:}]")


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What stands between two columns of a row is spelled differently."""

    row: int
    start: int
    end: int
    text: str

    @property
    def longer(self) -> int:
        return len(self.text) - (self.end - self.start)


@dataclass(slots=True)
class Shifts:
    """The changes by row, each row's from left to right; `indentation` as libcst reads it, and as written."""

    rows: dict[int, list[Change]] = field(default_factory=dict)
    indentation: dict[int, tuple[str, str]] = field(default_factory=dict)

    def written(self, row: int, column: int, *, is_end: bool = False) -> int:
        """The author's column for one of what libcst reads; what ends there ends before what is left out."""
        for one in self.rows.get(row, ()):
            reached = one.start + len(one.text)
            column -= one.longer if column > reached or (column == reached and not is_end) else 0
        return column

    def added(self, row: int) -> Iterator[int]:
        """The columns of the blanks that the author did not write."""
        before = 0
        for one in self.rows.get(row, ()):
            if one.text == " ":
                yield one.start + before
            before += one.longer

    def indented(self, line: str, row: int) -> str:
        """An emitted line with the author's indentation: that of a row, or of the last one like it."""
        blanks = line[: len(line) - len(line.lstrip())]
        for one in range(row, 0, -1) if self.indentation and blanks else ():
            read, written = self.indentation.get(one, ("", ""))
            if read == blanks:
                return written + line[len(blanks) :]
        return line

    def respelled(self, row: int, column: int) -> int:
        """The column of what libcst reads for one of the author's."""
        return column + sum(one.longer for one in self.rows.get(row, ()) if one.end <= column)


def respelled(lines: list[str], first: int, statement: ast.stmt) -> tuple[list[str], Shifts]:
    """The lines of a statement, which begin with line `first` of its module, as libcst reads them."""
    text = "".join(lines)
    changes: set[Change] = set()
    if _TOUCHING.search(text):
        changes.update(_blanks(text))
    if _ANNOTATED.search(text):
        for node in ast.walk(statement):
            if isinstance(node, ast.AnnAssign) and not node.simple:
                changes.update(_bared(lines, first, node))
    if _TAB_AFTER_BLANK.search(text):
        changes.update(_indented(text))
    shifts, result = Shifts(), list(lines)
    for one in sorted(changes):
        shifts.rows.setdefault(one.row, []).append(one)
        if one.start == 0 and one.end and one.text.isspace():
            shifts.indentation[one.row] = one.text, lines[one.row - 1][: one.end]
    for one in sorted(changes, reverse=True):
        line = result[one.row - 1]
        result[one.row - 1] = line[: one.start] + one.text + line[one.end :]
    return result, shifts


def _indented(text: str) -> Iterator[Change]:
    """Blanks in place of the tabs before each logical line, as Python counts them."""
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if begins and token.type not in (_LAYOUT | {tokenize.INDENT}):
            row, column = token.start
            before = token.line[:column]
            begins = False
            if "\t" in before:
                yield Change(row, 0, column, " " * _width(before))
        begins = begins or token.type == tokenize.NEWLINE


def _width(indentation: str) -> int:
    width = 0
    for one in indentation:
        width = 0 if one == "\f" else width + (_TAB - width % _TAB if one == "\t" else 1)
    return width


def _blanks(text: str) -> Iterator[Change]:
    """A blank wherever a keyword touches an operand."""
    for before, after in pairwise(tokenize.generate_tokens(io.StringIO(text, newline="").readline)):
        if before.end == after.start and _is_joint(before, after):
            yield Change(*after.start, after.start[1], " ")
        if after.type == tokenize.STRING and "{" in after.string and "\n" not in after.string:
            yield from _blanks_in_fields(after)


def _is_joint(before: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    if _is_operator(before):
        if before.string == "except" and after.string == "*":
            return False
        return after.string not in _NO_OPERAND and after.type not in _LAYOUT
    ends = before.type in {tokenize.NUMBER, tokenize.STRING} or before.string in {")", "]", "}"}
    return _is_operator(after) and (ends or tokenize.tok_name[before.type] == "FSTRING_END")


def _is_operator(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NAME and token.string in _OPERATORS


def _blanks_in_fields(token: tokenize.TokenInfo) -> Iterator[Change]:
    """The same in an f-string, which is one token before Python 3.12."""
    row, start = token.start
    prefix = re.split("['\"]", token.string, maxsplit=1)[0]
    for found in _FIELD.finditer(token.string) if "f" in prefix.lower() else ():
        for one in _blanks(f"({found[1]})") if _TOUCHING.search(found[1]) else ():
            column = start + found.start(1) + one.start - len("(")
            yield Change(row, column, column, " ")


def _bared(lines: list[str], first: int, node: ast.AnnAssign) -> Iterator[Change]:
    """A target with an annotation without its parentheses; without a value, a name there does nothing."""
    row, target = node.lineno - first + 1, node.target
    line = lines[row - 1]
    start = _column(line, node.col_offset)
    if line[start : start + 1] != "(" or not target.lineno == target.end_lineno == node.lineno:
        return
    if node.value is None and isinstance(target, ast.Name) and node.end_lineno == node.lineno:
        yield Change(row, start, _column(line, node.end_col_offset or 0), "pass")
        return
    end = _column(line, target.end_col_offset or 0)
    colon = line.index(":", end)
    yield Change(row, start, _column(line, target.col_offset), "")
    yield Change(row, end, colon, "")


def _column(line: str, offset: int) -> int:
    return len(line.encode()[:offset].decode(errors="replace"))
