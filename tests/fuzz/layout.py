"""Other layouts of a source that mean the same: fewer blanks, more parentheses, tabs."""

from __future__ import annotations

import ast
import io
import random
import tokenize
from collections.abc import Iterator
from itertools import pairwise

_WORDS = frozenset({tokenize.NAME, tokenize.NUMBER, tokenize.STRING})
_PREFIXES = frozenset({"b", "f", "r", "u", "br", "rb", "fr", "rf"})


def squeezed(text: str) -> str:
    """The source without the blanks between tokens that stay apart without them."""
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
    inside = 0
    for before, after in reversed(list(pairwise(tokens))):
        inside += (_named(after) == "FSTRING_END") - (_named(after) == "FSTRING_START")
        (row, start), (other, end) = before.end, after.start
        blank = row == other and start < end and lines[row - 1][start:end].isspace()
        if blank and not inside and not _fuse(before, after):
            lines[row - 1] = lines[row - 1][:start] + lines[row - 1][end:]
    return "".join(lines)


def tabbed(text: str) -> str:
    """The source with a tab after some blanks in place of every second step of indentation."""
    lines = text.splitlines(keepends=True)
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        layout = token.type in {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT}
        if begins and not layout:
            row, column = token.start
            if column >= 8 and lines[row - 1][:column].isspace():
                lines[row - 1] = "    \t" + lines[row - 1][8:]
        begins = token.type == tokenize.NEWLINE or (begins and layout)
    return "".join(lines)


def _named(token: tokenize.TokenInfo) -> str:
    return tokenize.tok_name[token.type]


def _fuse(before: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    if tokenize.OP in {before.type, after.type}:
        digits = tokenize.NUMBER in {before.type, after.type}
        return (digits and "." in {before.string, after.string}) or after.type == tokenize.COMMENT
    if after.type == tokenize.STRING:
        is_word = before.type == tokenize.NAME and after.string[0] in "'\""
        return not is_word or before.string.lower() in _PREFIXES
    return before.type != tokenize.STRING or after.type not in _WORDS


def parenthesised(text: str, rng: random.Random, share: float = 1.0) -> str:
    """The source with parentheses around a share of its expressions and targets."""
    data = text.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    marks: list[tuple[int, int, bytes]] = []
    for node in _expressions(ast.parse(text)):
        if rng.random() < share:
            assert node.end_lineno is not None and node.end_col_offset is not None
            marks.append((starts[node.end_lineno - 1] + node.end_col_offset, 0, b")"))
            marks.append((starts[node.lineno - 1] + node.col_offset, 1, b"("))
    for place, _, mark in sorted(marks, reverse=True):
        data = data[:place] + mark + data[place:]
    return data.decode()


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions below a node that may stand in parentheses."""
    if isinstance(node, ast.expr) and not _holds_stars(node):
        yield node
    if isinstance(node, ast.JoinedStr | ast.pattern):
        return
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _stays(node, name, child):
                yield from _expressions(child)
            elif isinstance(child, ast.Starred):
                yield from _expressions(child.value)


def _holds_stars(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(isinstance(one, ast.Starred | ast.Slice) for one in parts)


def _stays(parent: ast.AST, name: str, child: ast.AST) -> bool:
    """Whether Python wants no parentheses here, or they would mean something else."""
    if isinstance(parent, ast.AnnAssign):
        return parent.value is None
    if isinstance(parent, ast.Expr):
        return isinstance(child, ast.Constant)
    return (type(parent).__name__, name) in {("NamedExpr", "target"), ("TypeAlias", "name")}
