"""Where runs are kept: the interface, four stores behind it, and the choice between them."""

from typing import TYPE_CHECKING, Any

from flopod.backends.base import Backend, Batch, InboxItem, Timer, cursor_after
from flopod.backends.lock import Hold

if TYPE_CHECKING:
    from flopod.backends.file import FileBackend
    from flopod.backends.memory import MemoryBackend
    from flopod.backends.postgres import PostgresBackend
    from flopod.backends.sqlite import SqliteBackend

__all__ = [
    "Backend",
    "Batch",
    "FileBackend",
    "Hold",
    "InboxItem",
    "MemoryBackend",
    "PostgresBackend",
    "SqliteBackend",
    "Timer",
    "cursor_after",
]


def __getattr__(name: str) -> Any:
    if name == "FileBackend":
        from flopod.backends.file import FileBackend

        return FileBackend
    if name == "MemoryBackend":
        from flopod.backends.memory import MemoryBackend

        return MemoryBackend
    if name == "PostgresBackend":
        from flopod.backends.postgres import PostgresBackend

        return PostgresBackend
    if name == "SqliteBackend":
        from flopod.backends.sqlite import SqliteBackend

        return SqliteBackend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
