"""Whether what is said may be in color, or in a line that is written over: decided here alone."""

import os
from collections.abc import Mapping
from typing import IO

_STYLES = {
    "good": "32",
    "bad": "1;31",
    "warning": "33",
    "busy": "36",
    "faint": "2",
    "strong": "1",
}


def color_wanted(env: Mapping[str, str] | None = None) -> bool | None:
    """Whether the environment wants color; None if it says nothing, and the stream decides.

    NO_COLOR (https://no-color.org) comes before FORCE_COLOR, and that before TERM=dumb, as in Python itself.
    """
    env = os.environ if env is None else env
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return False if env.get("TERM") == "dumb" else None


def has_color(stream: IO[str]) -> bool:
    """Whether text in color may be written to `stream`."""
    wanted = color_wanted()
    return is_terminal(stream) if wanted is None else wanted


def has_live_line(stream: IO[str]) -> bool:
    """Whether a line can be written over on `stream`; NO_COLOR asks for plain text, too."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and is_terminal(stream)


def is_terminal(stream: IO[str]) -> bool:
    """Whether `stream` is open, and a terminal."""
    try:
        return stream.isatty()
    except (ValueError, AttributeError):
        return False


def painted(text: str, style: str) -> str:
    """`text` in a style: good, bad, warning, busy, faint or strong; "" leaves it as it is."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and text else text
