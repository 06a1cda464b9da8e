"""Which runs something came for, as a file of their ids that only grows."""

import contextlib
from pathlib import Path

from flopod.backends import disk
from flopod.runid import is_run_id


class NewsFile:
    """It only says where to look: what is lost of it, an engine finds when it is started again."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def announce(self, run_id: str) -> None:
        """Name a run."""
        with contextlib.suppress(OSError), self._file.open("ab", buffering=0) as news:
            news.write(run_id.encode() + b"\n")

    def since(self, mark: object) -> tuple[object, list[str]]:
        """Return the runs named since `mark` was returned, and a new mark; of None only that."""
        size = self._file.stat().st_size if self._file.exists() else 0
        if mark is None or size == mark:
            return size, []
        start = mark if isinstance(mark, int) and mark < size else 0
        with disk.errors(self._file), self._file.open("rb") as news:
            news.seek(start)
            lines = news.read(size - start).decode().split()
        return size, list(dict.fromkeys(line for line in lines if is_run_id(line)))
