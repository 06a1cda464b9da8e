"""Diagnostics as text with carets, and as JSON, SARIF and GitHub annotations."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flopod_compiler.diagnostics.catalogue import CATALOGUE
from flopod_compiler.diagnostics.diagnostic import Diagnostic, Related, Span

Sources = Mapping[str, str]

_LINE_ENDS = re.compile(r"\r\n?|\n")
_TAB = "    "
_WIDTH = 160
_SARIF_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_GITHUB_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render(diagnostics: Iterable[Diagnostic], sources: Sources, format: str = "text") -> str:
    """All diagnostics as one text, in the order given.

    `sources` has the text of files by the path that diagnostics name; a file that is missing there is shown
    without its line. `format` is `text`, `json`, `sarif` or `github`; `ValueError` for any other.
    """
    writer = _FORMATS.get(format)
    if writer is None:
        raise ValueError(f"no format {format!r}; there are {', '.join(_FORMATS)}")
    return writer(list(diagnostics), sources)


# --- text --------------------------------------------------------------------------------------------


def _text(diagnostics: list[Diagnostic], sources: Sources) -> str:
    split: dict[str, list[str]] = {}
    return "\n".join(_block(one, sources, split) for one in diagnostics)


def _block(one: Diagnostic, sources: Sources, split: dict[str, list[str]]) -> str:
    word = "" if one.severity == "error" else f"{one.severity}: "
    lines = [f"{_place(one.path, one.span)}: {one.code} {word}{one.message}"]
    lines += _excerpt(one.path, one.span, sources, split)
    for related in one.related:
        lines.append(f"  {_place(related.path, related.span)}: {related.message}")
        lines += _excerpt(related.path, related.span, sources, split, mark="-")
    if one.help:
        lines.append(f"  help: {one.help}")
    return "\n".join(lines) + "\n"


def _place(path: str, span: Span) -> str:
    return f"{path}:{span.line}:{span.col + 1}"


def _excerpt(
    path: str, span: Span, sources: Sources, split: dict[str, list[str]], mark: str = "^"
) -> list[str]:
    if path not in sources:
        return []
    if path not in split:
        split[path] = _LINE_ENDS.split(sources[path])
    lines = split[path]
    if not 1 <= span.line <= len(lines):
        return []
    line = lines[span.line - 1]
    end = span.end_col if span.end_line == span.line else len(line.rstrip())
    line, start, end = _window(line, span.col, max(end, span.col + 1))
    gutter = " " * len(str(span.line))
    under = " " * _cells(line[:start]) + mark * max(_cells(line[start:end]), 1)
    return [f"  {gutter} |", f"  {span.line} | {_shown(line)}".rstrip(), f"  {gutter} | {under}"]


def _window(line: str, start: int, end: int) -> tuple[str, int, int]:
    """A long line is cut to the part around the span."""
    line = line.rstrip()
    if len(line) <= _WIDTH:
        return line, start, end
    first = max(0, min(start - 20, len(line) - _WIDTH))
    cut = line[first : first + _WIDTH]
    head = "..." if first else ""
    tail = "..." if first + _WIDTH < len(line) else ""
    shift = len(head) - first
    return head + cut + tail, start + shift, min(end + shift, len(head) + _WIDTH)


def _shown(text: str) -> str:
    """Text for a terminal: tabs of fixed width, control characters as a mark."""
    expanded = text.replace("\t", _TAB)
    return "".join(c if c.isprintable() or c == " " else "\ufffd" for c in expanded)


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    width = 0
    for c in text:
        if c == "\t":
            width += len(_TAB)
        elif not unicodedata.combining(c):
            width += 2 if unicodedata.east_asian_width(c) in "WF" else 1
    return width


# --- JSON --------------------------------------------------------------------------------------------


def _json(diagnostics: list[Diagnostic], _sources: Sources) -> str:
    return json.dumps([_object(one) for one in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _object(one: Diagnostic) -> dict[str, Any]:
    return {
        "code": one.code,
        "severity": one.severity,
        "message": one.message,
        **_located(one.path, one.span),
        "help": one.help,
        "related": [
            {"message": related.message, **_located(related.path, related.span)} for related in one.related
        ],
    }


def _located(path: str, span: Span) -> dict[str, Any]:
    return {
        "path": path,
        "line": span.line,
        "column": span.col + 1,
        "end_line": span.end_line,
        "end_column": span.end_col + 1,
    }


# --- SARIF -------------------------------------------------------------------------------------------


def _sarif(diagnostics: list[Diagnostic], _sources: Sources) -> str:
    driver = {"name": "flopod", "rules": _sarif_rules(diagnostics)}
    # SARIF counts columns in UTF-16 units unless the run says otherwise
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one) for one in diagnostics],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _sarif_rules(diagnostics: list[Diagnostic]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for code in sorted({one.code for one in diagnostics}):
        rule = CATALOGUE.get(code)
        entry: dict[str, Any] = {"id": code}
        if rule is not None:
            entry["shortDescription"] = {"text": rule.title}
            entry["fullDescription"] = {"text": rule.why}
        found.append(entry)
    return found


def _sarif_result(one: Diagnostic) -> dict[str, Any]:
    text = f"{one.message}\nhelp: {one.help}" if one.help else one.message
    return {
        "ruleId": one.code,
        "level": _SARIF_LEVELS.get(one.severity, "none"),
        "message": {"text": text},
        "locations": [_sarif_location(one.path, one.span)],
        "relatedLocations": [
            {**_sarif_location(related.path, related.span), "message": {"text": related.message}}
            for related in one.related
        ],
    }


def _sarif_location(path: str, span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.col + 1,
        "endLine": span.end_line,
        "endColumn": span.end_col + 1,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": path}, "region": region}}


# --- GitHub annotations --------------------------------------------------------------------------------


def _github(diagnostics: list[Diagnostic], _sources: Sources) -> str:
    return "".join(f"{_annotation(one)}\n" for one in diagnostics)


def _annotation(one: Diagnostic) -> str:
    level = _GITHUB_LEVELS.get(one.severity, "notice")
    span = one.span
    place = f"file={_property(one.path)},line={span.line},col={span.col + 1}"
    place += f",endLine={span.end_line},endColumn={span.end_col}"
    notes = [_related_note(related) for related in one.related]
    body = "\n".join([one.message, *notes, *([f"help: {one.help}"] if one.help else [])])
    return f"::{level} {place},title={_property(one.code)}::{_data(body)}"


def _related_note(related: Related) -> str:
    return f"{_place(related.path, related.span)}: {related.message}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMATS: dict[str, Callable[[list[Diagnostic], Sources], str]] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}

FORMATS = tuple(_FORMATS)
"""The formats that `render` knows."""
