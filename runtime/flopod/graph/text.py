"""Text for pictures: made harmless, measured without a font, shortened to the room that there is."""

from __future__ import annotations

import unicodedata

_HELVETICA = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Widths of the characters from the space on, in thousandths of the font's size."""
_OTHER, _WIDE, _MONOSPACED = 600, 1100, 602
_SLACK, _BOLD = 1.12, 1.12
"""How much wider than Helvetica the system fonts are that a picture may be shown in, and bold than plain."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
ELLIPSIS = "…"


def clean(text: str) -> str:
    """One line without anything that cannot be seen: controls, marks of direction, halves of characters.

    They are spelled as in Python (`\\u202e`), so that a label says what it holds and reorders nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_spelled(one) if unicodedata.category(one) in _INVISIBLE else one for one in text)


def _spelled(character: str) -> str:
    return " " if character in "\n\t" else character.encode("unicode_escape").decode("ascii")


def encodable(text: str) -> str:
    """The text itself, but for halves of characters, which no document can hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def width(text: str, size: float, *, mono: bool = False, bold: bool = False) -> float:
    """How wide a text is in a system font of that size, roughly, in the unit of the size."""
    if mono:
        return size * sum(_MONOSPACED if one < "\x7f" else _width(one) for one in text) / 1000
    return size * _SLACK * (_BOLD if bold else 1) * sum(map(_width, text)) / 1000


def _width(character: str) -> int:
    place = ord(character) - 32
    if 0 <= place < len(_HELVETICA):
        return _HELVETICA[place]
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER


def fitted(text: str, size: float, room: float, *, mono: bool = False, bold: bool = False) -> str:
    """The text, or as much of its beginning as fits into `room` with an ellipsis."""
    if width(text, size, mono=mono, bold=bold) <= room:
        return text
    room -= width(ELLIPSIS, size, mono=mono, bold=bold)
    for length, character in enumerate(text):
        room -= width(character, size, mono=mono, bold=bold)
        if room < 0:
            return text[:length].rstrip() + ELLIPSIS
    return text
