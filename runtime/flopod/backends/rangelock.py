"""Locks for any number of runs on one file: a byte each, so that a process that holds many needs no more.

The system lets go of them when the process dies. They belong to the process and not to the descriptor, so
there is one descriptor a process, which is never closed: that would end them all.
"""

import fcntl
import os
import threading
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar

from flopod.backends import disk

_NAME = ".runs"


class RangeLocks:
    """The locks of this process in one folder."""

    _known: ClassVar[dict[str, "RangeLocks"]] = {}
    _spelled: ClassVar[dict[str, "RangeLocks"]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, file: Path) -> None:
        self._pid = os.getpid()
        self._taken: set[str] = set()
        self._lock = threading.Lock()
        self._fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    @classmethod
    def of(cls, folder: Path) -> "RangeLocks":
        """Return the locks in a folder, which is made if it is missing. Raises OSError."""
        spelled = str(folder)
        found = cls._spelled.get(spelled)
        if found is None or not found._are_in(spelled):
            found = cls._spelled[spelled] = cls._resolved(folder)
        return found

    @classmethod
    def _resolved(cls, folder: Path) -> "RangeLocks":
        disk.make_folder(folder)
        key = os.path.realpath(folder)
        with cls._guard:
            found = cls._known.get(key)
            if found is None or not found._are_in(key):
                found = cls._known[key] = cls(folder / _NAME)
            return found

    def _are_in(self, folder: str) -> bool:
        """Whether the file is still that of the folder: tests and people delete folders, processes fork.

        While a run is held it has to be: another file would hold that one no more.
        """
        if self._pid != os.getpid() or self._taken:
            return self._pid == os.getpid()
        try:
            found = os.stat(f"{folder}/{_NAME}")  # noqa: PTH116 - a path object costs more than the call
            return os.path.samestat(os.fstat(self._fd), found)
        except OSError:
            return False

    def take(self, run_id: str) -> bool:
        """Lock a run; returns whether it was free."""
        with self._lock:
            if run_id in self._taken:
                return False
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(run_id))
            except (BlockingIOError, PermissionError):
                return False
            self._taken.add(run_id)
            return True

    def free(self, run_id: str) -> None:
        """Unlock a run."""
        with self._lock:
            if run_id in self._taken and self._pid == os.getpid():
                self._taken.discard(run_id)
                fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, _place(run_id))


def _place(run_id: str) -> int:
    # Two runs at one place would only wait for each other; in 2**62 places they do not meet.
    return int.from_bytes(blake2b(run_id.encode(), digest_size=8).digest(), "big") >> 2
