"""Diagnostics as text with carets; the formats for other tools are in `exchange.py`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from flopod.terminal import painted
from flopod_compiler.diagnostics.diagnostic import Diagnostic, Span
from flopod_compiler.diagnostics.exchange import github, json_text, sarif

Sources = Mapping[str, str]
_Paint = Callable[[str, str], str]

_STYLES = {"error": "bad", "warning": "warning"}

_LINE_ENDS = re.compile(r"\r\n?|\n")
_TAB = "    "
_WIDTH = 160
_LINES = 3


def render(
    diagnostics: Iterable[Diagnostic], sources: Sources, format: str = "text", *, in_color: bool = False
) -> str:
    """All diagnostics as one text, in the order given.

    `sources` has the text of files by the path that diagnostics name; a file that is missing there is shown
    without its line. `format` is `text`, `json`, `sarif` or `github`; `ValueError` for any other. Text may be
    in color, for a terminal.
    """
    if format == "text":
        return _text(list(diagnostics), sources, painted if in_color else _plain)
    writer = _FORMATS.get(format)
    if writer is None:
        raise ValueError(f"no format {format!r}; there are {', '.join(FORMATS)}")
    return writer(list(diagnostics), sources)


# --- text --------------------------------------------------------------------------------------------


def _text(diagnostics: list[Diagnostic], sources: Sources, paint: _Paint) -> str:
    split: dict[str, list[str]] = {}
    return "\n".join(_block(one, sources, split, paint) for one in diagnostics)


def _block(one: Diagnostic, sources: Sources, split: dict[str, list[str]], paint: _Paint) -> str:
    word = "" if one.severity == "error" else f"{one.severity}: "
    style = _STYLES.get(one.severity, "busy")
    place = paint(_place(one.path, one.span), "strong")
    lines = [f"{place}: {paint(f'{one.code} {word}'.rstrip(), style)} {one.message}"]
    lines += _excerpt(one.path, one.span, sources, split, lambda mark: paint(mark, style))
    for related in one.related:
        lines.append(f"  {paint(_place(related.path, related.span), 'strong')}: {related.message}")
        lines += _excerpt(related.path, related.span, sources, split, lambda mark: paint(mark, "busy"), "-")
    if one.help:
        lines.append(f"  {paint('help:', 'good')} {one.help}")
    return "\n".join(lines) + "\n"


def _plain(text: str, _style: str) -> str:
    return text


def _place(path: str, span: Span) -> str:
    return f"{path}:{span.line}:{span.col + 1}"


def _excerpt(
    path: str,
    span: Span,
    sources: Sources,
    split: dict[str, list[str]],
    paint: Callable[[str], str],
    mark: str = "^",
) -> list[str]:
    if path not in sources:
        return []
    if path not in split:
        split[path] = _LINE_ENDS.split(sources[path])
    lines = split[path]
    if not 1 <= span.line <= len(lines):
        return []
    last = min(span.end_line, len(lines))
    numbers = list(range(span.line, last + 1))
    gutter = len(str(last))
    shown = [f"  {' ' * gutter} |"]
    for number in numbers if len(numbers) <= _LINES else [*numbers[: _LINES - 1], last]:
        if number == last and len(numbers) > _LINES:
            shown.append("  ...")
        shown += _underlined(number, lines[number - 1], span, gutter, paint, mark)
    return shown


def _underlined(
    number: int, line: str, span: Span, gutter: int, paint: Callable[[str], str], mark: str
) -> list[str]:
    """A line of the source, and below it marks under the part that belongs to the span."""
    start = span.col if number == span.line else len(line) - len(line.lstrip())
    end = span.end_col if number == span.end_line else len(line.rstrip())
    if number > span.line and end <= start:
        return [f"  {number:{gutter}} | {_shown(line[:_WIDTH].rstrip())}".rstrip()]
    line, start, end = _window(line, start, max(end, start + 1))
    under = " " * _cells(line[:start]) + paint(mark * max(_cells(line[start:end]), 1))
    return [f"  {number:{gutter}} | {_shown(line)}".rstrip(), f"  {' ' * gutter} | {under}"]


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


_FORMATS: dict[str, Callable[[list[Diagnostic], Sources], str]] = {
    "json": json_text,
    "sarif": sarif,
    "github": github,
}

FORMATS = ("text", *_FORMATS)
"""The formats that `render` knows."""
