"""Texts as Python literals that stay readable: raw and triple-quoted wherever that is possible."""

import re

_SCRIPT = "# /// "
_SCRIPT_BLOCK = re.compile(f"(?m)^{_SCRIPT}")
_CONTROLS = "\0\r\x1a"
_UNPRINTABLE = re.compile(rf"[{_CONTROLS}\ud800-\udfff]")


def literal(text: str) -> str:
    """The source of a string literal whose value is `text`."""
    for quotes in ("'''", '"""'):
        if _fits_raw(text, quotes):
            return f"r{quotes}{text}{quotes}"
    return _escaped(text)


def normalised(source: str) -> str:
    """A module's source as Python's tokenizer sees it: no byte order mark, one kind of newline."""
    return source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _fits_raw(text: str, quotes: str) -> bool:
    if quotes in text or text.endswith((quotes[0], "\\")):
        return False
    return _is_printable(text) and not text.startswith(_SCRIPT) and f"\n{_SCRIPT}" not in text


def _is_printable(text: str) -> bool:
    """Searched for character by character where that can be: several times faster than the pattern."""
    if text.isascii():
        return not any(one in text for one in _CONTROLS)
    return not _UNPRINTABLE.search(text)


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    text = _SCRIPT_BLOCK.sub("\\\\x23 /// ", text)
    text = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return f"'''{text}'''"
