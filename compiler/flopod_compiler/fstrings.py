"""f-strings as Python 3.12 reads them (PEP 701), for an interpreter that does not."""

from __future__ import annotations

import re

_FSTRING = re.compile(r"(?<![\w\"'])(?:[fF][rR]?|[rR][fF])(\"\"\"|'''|\"|')")
_STRING = re.compile(r"(?<!\w)[rRbBuU]{0,2}(\"\"\"|'''|\"|')")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def is_newer_fstring(text: str, end: int) -> bool:
    """Whether an f-string that begins in the text before `end` is whole, but only since Python 3.12."""
    reader, position = _Reader(text), 0
    while found := _FSTRING.search(text, position, end):
        whole = reader.fstring(found.end(), found[1])
        if whole is None or reader.is_newer:
            return whole is not None
        position = whole
    return False


class _Reader:
    """Finds where f-strings end, and notes what no f-string could hold before 3.12."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.is_newer = False

    def fstring(self, position: int, quote: str) -> int | None:
        """The place behind an f-string whose text begins at `position`; None if it does not end."""
        text = self._text
        while position < len(text):
            if text.startswith(quote, position):
                return position + len(quote)
            is_lone = text[position] == "}" and not text.startswith("}}", position)
            if is_lone or (text[position] == "\n" and len(quote) == 1):
                return None
            if text[position] == "{" and not text.startswith("{{", position):
                inner = self._expression(position + 1, quote)
                if inner is None:
                    return None
                position = inner
            else:
                position += 2 if text[position] in "\\{}" else 1
        return None

    def _expression(self, position: int, quote: str) -> int | None:
        """The place behind the brace that ends a replacement field."""
        text, expected = self._text, ["}"]
        while position < len(text):
            character = text[position]
            string = _FSTRING.match(text, position) or _STRING.match(text, position)
            if string is not None:
                end = self._string(string, quote)
                if end is None:
                    return None
                position = end
                continue
            self.is_newer |= character in "\\#" or (character == "\n" and len(quote) == 1)
            if character == "#":
                position = text.find("\n", position) if "\n" in text[position:] else len(text)
            elif character in _BRACKETS:
                expected.append(_BRACKETS[character])
            elif character in ")]}" and expected.pop() != character:
                return None
            position += 1
            if not expected:
                return position
        return None

    def _string(self, string: re.Match[str], outer: str) -> int | None:
        """The place behind a string in an expression; since 3.12 its quote may be that of the f-string."""
        if string.re is _FSTRING:
            end = self.fstring(string.end(), string[1])
        else:
            rest = re.compile(rf"(?:\\.|(?!{string[1]})[^\\])*?{string[1]}", re.DOTALL)
            found = rest.match(self._text, string.end())
            end = None if found is None else found.end()
        inside = self._text[string.start() : end]
        self.is_newer |= outer in inside or "\\" in inside or ("\n" in inside and len(outer) == 1)
        return end
