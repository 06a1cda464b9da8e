"""Source text to syntax trees: decoding, parsing, and spans in code-point columns."""

from __future__ import annotations

import ast
import io
import re
import stat
import sys
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path

from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.diagnostics.rules.discovery import (
    NewerSyntax,
    NotParsed,
    NotReadable,
    TooDeep,
)
from flopod_compiler.fstrings import is_newer_fstring
from flopod_compiler.model import SourceModule

_NEWER = re.compile(
    r"^\s*(type\s+\w+.*=|(async\s+)?def\s+\w+\[|class\s+\w+\[)|\bt[\"']|except\s+\w+\s*,", re.MULTILINE
)
_BLOCKS = ("cases", "finalbody", "orelse", "handlers", "body")
_LINE_ENDS = re.compile(r"\r\n?|\n")
_DECLARATION = re.compile(rb"^[ \t\f]*#.*?coding[:=]")
_START = Span(1, 0, 1, 0)
_DEEP = ("too many nested", "too many statically nested", "too many levels of indentation", "too complex")


def read_text(path: Path, relpath: str) -> str | Diagnostic:
    """The text of a Python file as the interpreter would decode it (PEP 263), or why it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would wait for a writer
            return NotReadable.on(relpath, _START, reason="it is not a regular file")
        data = path.read_bytes()
    except OSError as error:
        return NotReadable.on(relpath, _START, reason=error.strerror or str(error))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        return _undecoded(data, error, relpath)
    except (SyntaxError, UnicodeError, LookupError) as error:
        return _badly_declared(data, error, relpath)
    if "\0" in text:
        return NotReadable.on(relpath, _place(text, text.index("\0")), reason="it holds a NUL byte")
    return text


def _undecoded(data: bytes, error: UnicodeDecodeError, relpath: str) -> Diagnostic:
    where = _place(data[: error.start].decode(error.encoding, "replace") + "?", None)
    reason = f"the byte 0x{data[error.start]:02x} is not {error.encoding.upper()}"
    return NotReadable.on(relpath, where, reason=reason)


def _badly_declared(data: bytes, error: Exception, relpath: str) -> Diagnostic:
    """An encoding that does not exist, or none where the first lines are not UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as undecoded:
        if "unknown encoding" not in str(error):
            return _undecoded(data, undecoded, relpath)
    lines = data.split(b"\n", 2)[:2]
    number = next((n for n, line in enumerate(lines, 1) if _DECLARATION.match(line)), 1)
    return NotReadable.on(relpath, Span(number, 0, number, 0), reason=str(error))


def _place(text: str, index: int | None) -> Span:
    """Where a character stands in a text; without an index, the last one."""
    before = text[: len(text) - 1 if index is None else index]
    found = _LINE_ENDS.split(before)
    return Span(len(found), len(found[-1]), len(found), len(found[-1]) + 1)


def parse_text(text: str, relpath: str) -> ast.Module | Diagnostic:
    """The syntax tree of a module, or why there is none. Never raises for any text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _compiled(text, relpath)
    except SyntaxError as error:
        return _syntax_diagnostic(error, text, relpath)
    except (RecursionError, MemoryError):
        return TooDeep.on(relpath, _START, what="the file")
    except ValueError as error:
        return NotParsed.on(relpath, _START, reason=str(error))


def _compiled(text: str, relpath: str) -> ast.Module | Diagnostic:
    """The syntax tree of a text that Python compiles: `break` outside of a loop is found no earlier."""
    tree = ast.parse(text, filename=relpath)
    try:
        compile(text, relpath, "exec", dont_inherit=True)
    except SyntaxError as error:
        return _misplaced(error, text, relpath)
    return tree


def lines(module: SourceModule) -> list[str]:
    """The lines of a module's text without their ends, split where Python splits them."""
    return _LINE_ENDS.split(module.text)


def span(node: ast.AST, module: SourceModule) -> Span:
    """Where a node stands, with columns counted in code points as an editor counts them.

    A statement with a block ends with its header.
    """
    line = getattr(node, "lineno", 1)
    start = getattr(node, "col_offset", 0)
    last = _header_end(node)
    end_line = getattr(last, "end_lineno", None) or line
    end = getattr(last, "end_col_offset", None)
    end = start if end is None else end
    if module.text.isascii():
        return Span(line, start, end_line, end)
    text = lines(module)
    return Span(line, _code_points(text, line, start), end_line, _code_points(text, end_line, end))


def _header_end(node: ast.AST) -> ast.AST:
    match node:
        case ast.For() | ast.AsyncFor():
            return node.iter
        case ast.While() | ast.If():
            return node.test
        case ast.With() | ast.AsyncWith():
            item = node.items[-1]
            return item.optional_vars or item.context_expr
        case ast.Match():
            return node.subject
        case ast.ExceptHandler() if node.type is not None:
            return node.type
    return node


def name_span(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, module: SourceModule) -> Span:
    """Where the name stands in a definition: what a caret should point at, rather than the whole body."""
    text = lines(module)
    for number in range(node.lineno, min(node.lineno + 3, len(text) + 1)):
        found = re.search(rf"\b(?:def|class)\s+({re.escape(node.name)})\b", text[number - 1])
        if found:
            return Span(number, found.start(1), number, found.end(1))
    return span(node, module)


def shortened(node: ast.AST, limit: int = 60) -> str:
    """The source of an expression on one line for a message, cut to `limit` characters."""
    try:
        text = " ".join(ast.unparse(node).split())
    except RecursionError:
        return "..."
    return text if len(text) <= limit else text[: limit - 3] + "..."


def last_name(expr: ast.expr) -> str:
    """The last identifier of what is named or called: of a decorator, or of an exception that is raised."""
    if isinstance(expr, ast.Call):
        expr = expr.func
    return expr.id if isinstance(expr, ast.Name) else getattr(expr, "attr", "")


def statements(root: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below a module or statement, without a look into expressions."""
    stack: list[ast.AST] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt) and node is not root:
            yield node
        for name in _BLOCKS:
            stack.extend(reversed(getattr(node, name, ())))


def parents(root: ast.AST) -> dict[ast.AST, ast.AST]:
    """For every node below `root`, the node that holds it."""
    found: dict[ast.AST, ast.AST] = {}
    for node in ast.walk(root):
        for child in ast.iter_child_nodes(node):
            found[child] = node
    return found


def _code_points(text: list[str], line: int, offset: int) -> int:
    if not 1 <= line <= len(text):
        return offset
    return len(text[line - 1].encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace"))


def _syntax_diagnostic(error: SyntaxError, text: str, relpath: str) -> Diagnostic:
    where, reason = _where(error), error.msg or "invalid syntax"
    if any(words in reason for words in _DEEP):
        return TooDeep.on(relpath, where, what="this")
    source = _LINE_ENDS.split(text)
    if where.line <= len(source) and _is_newer(source, where.line):
        return NewerSyntax.on(relpath, where, reason=reason, version=_interpreter())
    return NotParsed.on(relpath, where, reason=reason)


def _is_newer(source: list[str], line: int) -> bool:
    """Whether a line that does not parse looks like newer syntax."""
    if _NEWER.search(source[line - 1]):
        return True
    text = "\n".join(source[line - 1 :])
    return sys.version_info < (3, 12) and is_newer_fstring(text, len(source[line - 1]))


def _misplaced(error: SyntaxError, text: str, relpath: str) -> Diagnostic:
    """What the parser takes and the compiler does not; the compiler counts columns in bytes."""
    where, reason = _where(error), error.msg or "invalid syntax"
    if any(words in reason for words in _DEEP):
        return TooDeep.on(relpath, where, what="this")
    source = _LINE_ENDS.split(text)
    start = _code_points(source, where.line, where.col)
    end = max(_code_points(source, where.end_line, where.end_col), start + 1)
    return NotParsed.on(relpath, Span(where.line, start, where.end_line, end), reason=reason)


def _where(error: SyntaxError) -> Span:
    line = max(error.lineno or 1, 1)
    column = max((error.offset or 1) - 1, 0)
    end_line = error.end_lineno if error.end_lineno and error.end_lineno > 0 else line
    end_column = (error.end_offset or 0) - 1
    if (end_line, end_column) <= (line, column):
        end_line, end_column = line, column + 1
    return Span(line, column, end_line, end_column)


def _interpreter() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
