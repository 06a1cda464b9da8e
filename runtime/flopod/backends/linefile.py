"""A file of lines that is only appended to: each append durable, or taken back.

It knows how long the file is as far as it was written by whole lines. If the file has another length
somebody else wrote to it, or was killed while writing, and the owner of this object has to look.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from flopod.backends import disk
from flopod.errors import StorageError

UNKNOWN = -1


class LineFile:
    """One file; `with` it, append to it. Not safe for use by several threads at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.length = UNKNOWN
        self._name = os.fspath(file)
        self._identity = (0, 0)
        self._fd = -1
        self._doubtful = b""

    @property
    def is_open(self) -> bool:
        """Whether there is a descriptor, and so a folder."""
        return self._fd >= 0

    def __enter__(self) -> Self:
        """Keep other processes from appending; creates the file if there is none."""
        try:
            self._lock()
        except OSError as error:
            raise disk.storage_error(error, self.file) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def is_known(self) -> bool:
        """Whether the file is what this object left; else read it, and `adopt` what is good."""
        if self._doubtful:
            self._take_back()
            return False
        return os.fstat(self._fd).st_size == self.length

    def adopt(self, length: int) -> None:
        """Go on from `length`, the end of the last whole line; cuts off what is behind it."""
        with disk.errors(self.file):
            if os.fstat(self._fd).st_size > length:
                os.ftruncate(self._fd, length)
                self._sync()
        self.length = length

    def forget(self) -> None:
        """Look at the file again before the next append. What is in doubt stays so."""
        if not self._doubtful:
            self.length = UNKNOWN

    def settle(self) -> None:
        """Take back what is in doubt, if that can be done: whoever is next would take it for good."""
        if self._doubtful:
            with contextlib.suppress(OSError, StorageError), self:
                self._take_back()

    def append(self, data: bytes) -> None:
        """Append whole lines and wait until they are safe. On any error the file is as before."""
        try:
            disk.write(self._fd, data)
        except OSError as error:
            self._cut(data)
            raise disk.storage_error(error, self.file) from error
        try:
            disk.sync(self._fd, self.file)
        except StorageError:
            self._distrust(data)
            raise
        self.length += len(data)

    def rewrite(self, data: bytes) -> bool:
        """Replace what the file holds by whole lines, all or nothing; False if that cannot be.

        Raises StorageError if it is not known which of the two a power cut would leave.
        """
        draft = self.file.with_name(f".{self.file.name}.new")
        try:
            fd = self._drafted(draft, data)
        except (OSError, StorageError):
            with contextlib.suppress(OSError):
                draft.unlink()
            return False
        with disk.errors(self.file):
            old, self._fd = self._fd, fd
            os.close(old)
            self._identity, self.length = _identity(os.fstat(fd)), len(data)
            disk.sync_folder(self.file.parent)
        return True

    def _drafted(self, draft: Path, data: bytes) -> int:
        """A descriptor of a new file in the place of this one, locked and safe but for its name."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        fd = os.open(draft, flags, 0o666)
        try:
            os.fchmod(fd, os.fstat(self._fd).st_mode & 0o7777)
            fcntl.flock(fd, fcntl.LOCK_EX)
            disk.write(fd, data)
            disk.sync(fd, self.file)
            draft.replace(self.file)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _lock(self) -> None:
        """Take the lock on the file that has the name now: it may be replaced while this one waits."""
        while True:
            if self._fd < 0:
                self._open()
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            if self._is_same():
                return
            self.close()
            self.length = UNKNOWN

    def _open(self) -> None:
        self._fd = os.open(self._name, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._identity = _identity(os.fstat(self._fd))
        if os.fstat(self._fd).st_size == 0:
            disk.sync_folder(self.file.parent)

    def _is_same(self) -> bool:
        # Someone may have removed or replaced the file: what is written to it then is lost.
        try:
            return _identity(os.stat(self._name)) == self._identity  # noqa: PTH116
        except FileNotFoundError:
            return False

    def _cut(self, data: bytes) -> None:
        try:
            os.ftruncate(self._fd, self.length)
        except OSError:
            self._distrust(data)

    def _distrust(self, data: bytes) -> None:
        # After a failed sync the system may report success for pages that it has dropped, so neither
        # the descriptor nor the bytes behind `length` are believed any more. The old descriptor has
        # the lock, so it is closed last.
        self._doubtful = data
        old, self._fd = self._fd, -1
        try:
            with contextlib.suppress(OSError, StorageError):
                self._open()
                self._take_back()
        finally:
            os.close(old)
            self.close()

    def _sync(self) -> None:
        try:
            disk.sync(self._fd, self.file)
        except StorageError:
            self.close()
            raise

    def _take_back(self) -> None:
        with disk.errors(self.file):
            if self._doubtful.startswith(self._tail(len(self._doubtful) + 1)):
                os.ftruncate(self._fd, self.length)
        self._sync()
        self._doubtful = b""
        self.length = UNKNOWN

    def _tail(self, size: int) -> bytes:
        # More than what is doubted here means that another process went on from it.
        return os.pread(self._fd, size, self.length)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
