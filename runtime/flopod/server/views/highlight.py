"""Python source as lines of spans, each with the class of its colour. No character is lost or changed."""

import builtins
import io
import keyword
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_SOFT = frozenset({"match", "case", "type"})
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_TEXTS = frozenset({"STRING", "FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END"})
_NAMED_BY = {"def": "fn", "class": "cls"}


class Span(NamedTuple):
    """A stretch of a line; `css` is "" where there is no colour."""

    css: str
    text: str


Line = tuple[Span, ...]


@lru_cache(maxsize=128)
def highlighted(source: str) -> tuple[Line, ...]:
    """Return the lines of a source, without their ends; one that is no Python has no colours."""
    lines = source.splitlines()
    colours: list[list[str]] = [[""] * len(line) for line in lines]
    for css, (row, column), (last_row, last_column) in _coloured(source):
        for number in range(row, min(last_row, len(lines)) + 1):
            begin = column if number == row else 0
            end = last_column if number == last_row else len(lines[number - 1])
            chars = colours[number - 1]
            chars[begin:end] = [css] * len(chars[begin:end])
    return tuple(_spans(line, chars) for line, chars in zip(lines, colours, strict=True))


def _coloured(source: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    before = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            css = _css(token, before)
            if css:
                yield css, token.start, token.end
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _css(token: tokenize.TokenInfo, before: str) -> str:
    name, text = tokenize.tok_name[token.type], token.string
    if name == "COMMENT":
        return "com"
    if name in _TEXTS:
        return "str"
    if name == "NUMBER":
        return "num"
    if name == "NAME":
        return _of_name(token, text, before)
    return "dec" if text == "@" and not token.line[: token.start[1]].strip() else ""


def _of_name(token: tokenize.TokenInfo, text: str, before: str) -> str:
    if before in _NAMED_BY:
        return _NAMED_BY[before]
    if keyword.iskeyword(text) or (text in _SOFT and _begins_a_block(token)):
        return "key"
    if before == "." or _names_an_argument(token):
        return ""
    if before == "@":
        return "dec"
    return "bui" if text in _BUILTINS else ""


def _names_an_argument(token: tokenize.TokenInfo) -> bool:
    rest = token.line[token.end[1] :]
    return rest.startswith("=") and not rest.startswith("==")


def _begins_a_block(token: tokenize.TokenInfo) -> bool:
    """Whether a soft keyword stands where it is one."""
    line = token.line.rstrip()
    at_begin = not token.line[: token.start[1]].strip()
    return (
        at_begin
        and (line.endswith(":") or token.string == "type")
        and not line[token.end[1] :].startswith((".", "("))
    )


def _spans(line: str, colours: list[str]) -> Line:
    found: list[Span] = []
    begin = 0
    for index in range(1, len(line) + 1):
        if index == len(line) or colours[index] != colours[begin]:
            found.append(Span(colours[begin], line[begin:index]))
            begin = index
    return tuple(found)
