"""A file whose time of change says that something has changed in a folder of many files."""

import contextlib
import os
import time
from pathlib import Path


class PulseFile:
    """It only says that one should look. Nothing of it needs to survive."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._beats = 0

    def beat(self) -> None:
        """Say that something has changed."""
        self._beats += 1
        # The system's own stamps are those of its last tick, and the same for what changes in between.
        now = time.time_ns()
        try:
            os.utime(self._file, ns=(now, now))
        except OSError:
            with contextlib.suppress(OSError):
                self._file.touch()

    def read(self) -> object:
        """Return what differs after a beat of this process or of another."""
        try:
            return self._beats, self._file.stat().st_mtime_ns
        except OSError:
            return self._beats, None
