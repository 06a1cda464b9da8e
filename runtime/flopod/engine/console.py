"""What a job says to people: lines on standard error, the result on standard output."""

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import IO, Any

from flopod.terminal import has_color, has_live_line, painted

_QUIET, _NORMAL, _VERBOSE = 0, 1, 2
_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Standard error with an optional live line at its end; `level` 0 is quiet, 2 is verbose."""

    def __init__(self, level: int = _NORMAL, stream: IO[str] | None = None) -> None:
        self.level = level
        self._stream = sys.stderr if stream is None else stream
        self.live = level >= _NORMAL and has_live_line(self._stream)
        self.in_color = has_color(self._stream)
        self._status = ""
        self._lock = threading.RLock()

    def error(self, text: str, style: str = "") -> None:
        """Say what is wrong; never silenced. `style` is one of `flopod.terminal`."""
        self._line(text, style)

    def say(self, text: str, style: str = "") -> None:
        """Say what a person should know, unless quiet."""
        if self.level >= _NORMAL:
            self._line(text, style)

    def detail(self, text: str) -> None:
        """Say what only a verbose job says."""
        if self.level >= _VERBOSE:
            self._line(text)

    def status(self, text: str) -> None:
        """Let `text` be the live line, cut to the width of the terminal."""
        with self._lock:
            if self.live and text != self._status:
                width = shutil.get_terminal_size().columns - 1
                self._write(_CLEAR_LINE + text[:width])
                self._status = text

    def clear(self) -> None:
        """Take the live line away, so that something else can be printed."""
        with self._lock:
            if self._status:
                self._write(_CLEAR_LINE)
                self._status = ""

    def _line(self, text: str, style: str = "") -> None:
        with self._lock:
            status = self._status
            self.clear()
            self._write((painted(text, style) if self.in_color else text) + "\n")
            self.status(status)

    def _write(self, text: str) -> None:
        # Nobody reads any more, or there never was a standard error: that is no reason to stop a run.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
            self._stream.flush()


def write_result(text: str, out: IO[str]) -> bool:
    """Write a line of data; False if nobody reads it any more. Raises OSError for any other trouble."""
    try:
        out.write(text + "\n")
        out.flush()
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        return False
    return True


@contextlib.contextmanager
def share_terminal(console: Console) -> Iterator[None]:
    """While the block runs, the program's own prints neither mix with the live line nor fail.

    A print that raises because nobody reads any more would be recorded as the failure of a leaf.
    """
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Polite(kept[0], console), _Polite(kept[1], console)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = kept


class _Polite:
    """A text stream that clears the live line before it writes, and that survives its reader."""

    def __init__(self, stream: IO[str], console: Console) -> None:
        self._polite_stream = stream
        self._polite_console = console

    def write(self, text: str) -> int:
        self._polite_console.clear()
        with contextlib.suppress(OSError, AttributeError):
            self._polite_stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._polite_stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._polite_stream, name)
