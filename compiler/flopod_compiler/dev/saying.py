"""What `flopod dev` says in its terminal: a line for each thing that happened, with the time of day."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from flopod.engine.console import Console
from flopod.server.logs import one_line
from flopod.terminal import painted

_LONGEST = 200


class Mark(NamedTuple):
    """What stands before a line, and how both look."""

    sign: str
    style: str


GOOD = Mark("✓", "good")
BAD = Mark("✗", "bad")
WARNING = Mark("!", "warning")
BEGUN = Mark("▸", "busy")
ENDED = Mark("■", "faint")


class Terminal:
    """Standard error, in the form of `flopod dev`; its worker process has another one on the same."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()

    @property
    def in_color(self) -> bool:
        """Whether what is said may be in color."""
        return self._console.in_color

    def _painted(self, text: str, style: str) -> str:
        return painted(text, style) if self.in_color else text

    def say(self, mark: Mark, text: str, *, strong: str = "") -> None:
        """Say what happened, in one line; `strong` is the part before it that stands out."""
        head = f"{self._painted(time.strftime('%H:%M:%S'), 'faint')} {self._painted(mark.sign, mark.style)}"
        first = f"{self._painted(one_line(strong), 'strong')} " if strong else ""
        self._console.error(f"{head} {first}{_short(one_line(text))}")

    def show(self, text: str, *, indent: str = "") -> None:
        """Show a text of several lines as it is."""
        for line in text.rstrip("\n").split("\n"):
            self._console.error(f"{indent}{line}")

    def greet(self, url: str, facts: Sequence[tuple[str, str]]) -> None:
        """Say where the pages are, and on what they stand."""
        say = self._console.error
        say(f"\n  {self._painted('flopod dev', 'strong')}  {self._painted(url, 'busy')}")
        for name, value in facts:
            say(f"  {self._painted(name.ljust(10), 'faint')}  {value}")
        say("")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
