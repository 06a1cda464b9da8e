"""Exclusive ownership of a run, and whether the owner before was killed.

A hold is an advisory lock on a file, so that the system lets go of it when the process dies. The
file says who holds, in the state `running`, or `left` after an orderly end; a new holder that finds
`running` knows that the one before was killed. `storage_error` is an end for which the store had no
room: the file has its size from the beginning, so that this can be noted even then.
"""

import contextlib
import fcntl
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec

from flopod.backends.rangelock import RangeLocks
from flopod.errors import RunHeld

_TROUBLE = "storage_error"


class Hold(ABC):
    """A run that this process owns; use it with `with`, or call `release`."""

    def __init__(self, run_id: str, crashed: bool) -> None:
        self.run_id = run_id
        self.crashed = crashed

    @abstractmethod
    def leave(self) -> None:
        """Note an orderly end without letting go. May be called from a signal handler."""

    @abstractmethod
    def release(self) -> None:
        """Note an orderly end and let go. Does nothing the second time."""

    def drop(self) -> None:
        """Let go as a process that is killed does, for tests: nothing is noted."""
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


class MemoryHold(Hold):
    """A hold inside one process, in a table of run id -> still running; `killed` are those dropped."""

    def __init__(
        self, run_id: str, holds: dict[str, bool], crashed: bool, killed: set[str] | None = None
    ) -> None:
        super().__init__(run_id, crashed)
        self._holds = holds
        self._killed = killed
        self._mine = True

    def leave(self) -> None:
        if self._mine:
            self._holds[self.run_id] = False

    def release(self) -> None:
        if self._mine:
            self._mine = False
            self._holds.pop(self.run_id, None)

    def drop(self) -> None:
        if self._mine and self._killed is not None:
            self._killed.add(self.run_id)
        self.release()


class _Owner(msgspec.Struct):
    pid: int
    state: str


class FileHold(Hold):
    """A hold across processes, by a lock on a file of its own."""

    # The locks of fcntl belong to the process and not to the descriptor. A process that a leaf
    # forked does not keep them alive, as it would with flock; but a second hold in this process
    # would be granted, and closing any descriptor of the file would end the first: hence the table.
    _taken: ClassVar[dict[str, "FileHold"]] = {}
    _guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, run_id: str, file: Path, on_release: Callable[[], None] | None = None) -> None:
        """Take `file` for the run. Raises RunHeld, or OSError."""
        self._on_release = on_release
        self._pid = os.getpid()
        self._key = os.path.realpath(file)
        self._lock = RangeLocks.of(file.parent)
        with self._guard:
            if self.here(file) is not None:
                raise RunHeld(run_id, self._pid)
            if not self._lock.take(run_id):
                raise RunHeld(run_id, _holder(file))
            try:
                self._fd = _lock(run_id, file)
            except BaseException:
                self._lock.free(run_id)
                raise
            self._taken[self._key] = self
        super().__init__(run_id, crashed=_state(self._fd) == "running")
        self._left = _note(self._pid, "left")
        self._note(_note(self._pid, "running"))

    @classmethod
    def here(cls, file: Path) -> "FileHold | None":
        """The hold on `file` that this process has."""
        found = cls._taken.get(os.path.realpath(file))
        return found if found is not None and found._pid == os.getpid() else None

    @classmethod
    def ended_in_trouble(cls, file: Path) -> bool:
        """Whether the last holder of `file` noted `trouble`, and nobody has held it since."""
        if not file.exists():
            return False  # as nearly always
        with cls._guard:
            # To close a descriptor of the file would end a hold of this process.
            if cls.here(file) is not None:
                return False
            try:
                fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return False
            try:
                return _state(fd) == _TROUBLE
            finally:
                os.close(fd)

    def trouble(self) -> None:
        """Note that the store cannot be written, so that this is known when the hold has ended."""
        self._left = _note(self._pid, _TROUBLE)

    def leave(self) -> None:
        if self._fd >= 0 and os.getpid() == self._pid:
            self._note(self._left)

    def release(self) -> None:
        with self._guard:
            if self._fd < 0:
                return
            self.leave()
            os.close(self._fd)
            self._fd = -1
            self._lock.free(self.run_id)
            if self._taken.get(self._key) is self:
                del self._taken[self._key]
        if self._on_release is not None:
            self._on_release()

    def drop(self) -> None:
        self._left = _note(self._pid, "running")
        self.release()

    def _note(self, text: bytes) -> None:
        # On a full disk the note cannot grow the file; the lock holds without it.
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, text, 0)


class Claim(Hold):
    """A hold of an engine, which has many: a lock, and no file of its own unless it is left with work open.

    `was_left` says that the holder before left in good order.
    """

    def __init__(self, run_id: str, folder: Path, on_release: Callable[[str], None], fresh: bool) -> None:
        """Take a run; a `fresh` one had no holder before. Raises RunHeld, or OSError."""
        self._folder = folder
        self._lock = RangeLocks.of(folder)
        if not self._lock.take(run_id):
            raise RunHeld(run_id, _holder(folder / run_id))
        self._on_release = on_release
        self._is_taken = True
        state = "" if fresh else _take_note(folder / run_id)
        super().__init__(run_id, crashed=state == "running")
        self.was_left = state == "left"

    def leave(self) -> None:
        with contextlib.suppress(OSError):
            (self._folder / self.run_id).write_bytes(_note(os.getpid(), "left"))

    def release(self) -> None:
        if self._is_taken:
            self._is_taken = False
            self._lock.free(self.run_id)
            self._on_release(self.run_id)


def _take_note(file: Path) -> str:
    """Return the state that the holder before noted, and take the note away."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        state = _state(fd)
    finally:
        os.close(fd)
    with contextlib.suppress(OSError):
        file.unlink()
    return state


def _holder(file: Path) -> int | None:
    try:
        owner = _owner(file.read_bytes())
    except OSError:
        return None
    return owner.pid if owner else None


def _lock(run_id: str, file: Path) -> int:
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        owner = _read(fd)
        os.close(fd)
        raise RunHeld(run_id, owner.pid if owner else None) from None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _read(fd: int) -> _Owner | None:
    return _owner(os.pread(fd, 200, 0))


def _owner(data: bytes) -> _Owner | None:
    try:
        return msgspec.json.decode(data, type=_Owner)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _state(fd: int) -> str:
    owner = _read(fd)
    return owner.state if owner else ""


def _note(pid: int, state: str) -> bytes:
    # Always of the same length, so that one write replaces the one before completely.
    return b"%-60s\n" % msgspec.json.encode(_Owner(pid, state))
