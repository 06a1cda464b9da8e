"""Pragmas: comments of the form `# flopod: ...` and what they say, by line."""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from dataclasses import dataclass, field

from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.diagnostics.rules.discovery import PragmaUnknown
from flopod_compiler.model import SourceModule

_START = re.compile(r"#\s*flopod:\s*(?P<rest>.*)$")
_IGNORE = re.compile(r"ignore\[(?P<codes>[^\]]*)\]\s*(?P<reason>.*)$")
_ITEM = re.compile(r"(?P<name>[A-Za-z_]\w*)=")
_FORMS = {"id": "id=name", "key": "key=expression", "ignore": "ignore[FLPnnn] reason"}
_ID = re.compile(r"id=(?P<id>\S+)\s*(?P<rest>.*)$")


@dataclass(slots=True)
class Pragma:
    """What a comment says: `id` of a call, `key` of a loop as an expression, codes to ignore and why."""

    span: Span
    id: str | None = None
    key: str | None = None
    ignore: tuple[str, ...] = ()
    reason: str = ""
    used: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


def pragmas(module: SourceModule, findings: list[Diagnostic] | None = None) -> dict[int, Pragma]:
    """The pragmas of a module by their line (1-based); what cannot be understood is added to `findings`."""
    found: dict[int, Pragma] = {}
    for line, pragma in placed(module, findings):
        if line:
            found.setdefault(line, pragma)
    return found


def placed(module: SourceModule, findings: list[Diagnostic] | None = None) -> list[tuple[int, Pragma]]:
    """Every pragma with the line that it speaks for, 0 if there is none; of one line the nearest comes first.

    A comment on a line of its own speaks for the next line with code.
    """
    found: list[tuple[int, Pragma]] = []
    above: list[Pragma] = []
    for token in _tokens(module.text) if "flopod:" in module.text else ():
        if token.type == tokenize.COMMENT:
            pragma = _read(module, token, findings)
            if pragma is not None and not token.line[: token.start[1]].strip():
                above.append(pragma)
            elif pragma is not None:
                found.append((token.start[0], pragma))
        elif above and token.type not in _LAYOUT:
            line = 0 if token.type == tokenize.ENDMARKER else token.start[0]
            found += [(line, one) for one in above]
            above = []
    return sorted(found, key=lambda one: (one[0], -one[1].span.line))


_LAYOUT = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT})


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    found: list[tokenize.TokenInfo] = []
    try:
        found.extend(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def _read(
    module: SourceModule, token: tokenize.TokenInfo, findings: list[Diagnostic] | None
) -> Pragma | None:
    start = _START.match(token.string)
    if start is None:
        return None
    where = Span(token.start[0], token.start[1], token.end[0], token.end[1])
    pragma = Pragma(where)
    reason = _fill(pragma, start.group("rest").strip())
    if reason and findings is not None:
        findings.append(PragmaUnknown.on(module.relpath, where, reason=reason))
    return None if reason else pragma


def _fill(pragma: Pragma, rest: str) -> str:
    """Read the items of a pragma; what is wrong with it, in words."""
    if not rest:
        return "the pragma is empty"
    while rest:
        ignore = _IGNORE.match(rest)
        if ignore is not None:
            pragma.ignore = tuple(code.strip() for code in ignore["codes"].split(",") if code.strip())
            pragma.reason = ignore["reason"].strip()
            return "" if pragma.ignore else "ignore[] names no code"
        if rest.startswith("id="):
            found = _ID.match(rest)
            if found is None:
                return "id= has no value"
            pragma.id, rest = found["id"], found["rest"]
        elif rest.startswith("key="):
            text, rest = _until_next(rest.removeprefix("key="))
            if not _is_expression(text):
                return f"key= needs an expression, not {text!r}"
            pragma.key = text
        else:
            return _unknown(rest)
    return ""


def _unknown(rest: str) -> str:
    item = _ITEM.match(rest)
    word = item["name"] if item else re.split(r"[\s=\[(:]", rest, maxsplit=1)[0]
    close = difflib.get_close_matches(word.lower(), _FORMS, n=1)
    hint = f"; did you mean {_FORMS[close[0]]}?" if close else ""
    return f"the pragma has no item {word!r}{hint}" if item else f"{rest!r} is not a pragma{hint}"


def _until_next(text: str) -> tuple[str, str]:
    """The expression at the start, up to the next item of the pragma."""
    for found in re.finditer(r"\s+(?=id=|ignore\[)", text):
        return text[: found.start()].strip(), text[found.end() :]
    return text.strip(), ""


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
