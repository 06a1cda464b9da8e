"""The few things done to a disk, each durable or an error that says what happened."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from flopod.errors import ReadOnlyStorage, StorageError, StorageFull, SyncFailed

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}

_fdatasync = getattr(os, "fdatasync", os.fsync)


@contextlib.contextmanager
def errors(file: Path | str) -> Iterator[None]:
    """Turn an OSError inside into the StorageError that it means for `file`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, file) from error


def storage_error(error: OSError, file: Path | str) -> StorageError:
    """Return the StorageError that `error` means."""
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _FULL:
        return StorageFull(str(file), why)
    if error.errno in _READ_ONLY:
        return ReadOnlyStorage(str(file), why)
    return StorageError(f"cannot be used: {why}", file=str(file))


def make_folder(folder: Path) -> None:
    """Create `folder` and what is missing above it, so that it survives a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync(fd: int, file: Path) -> None:
    """Make what was written to `fd` durable. Raises SyncFailed or StorageFull: then trust neither."""
    try:
        _fdatasync(fd)
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(str(file), os.strerror(error.errno or 0)) from error
        raise SyncFailed(f"a write could not be confirmed ({error.strerror})", file=str(file)) from error


def write(fd: int, data: bytes) -> None:
    """Write all of `data`. Raises OSError, and then a part of it may be written."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace(file: Path, data: bytes, *, durable: bool = False) -> None:
    """Give `file` the content `data` in one step; a power cut may bring the old one back unless `durable`."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        _draft(draft, data, file if durable else None)
        draft.replace(file)
        if durable:
            sync_folder(file.parent)
    except (OSError, StorageError):
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _draft(draft: Path, data: bytes, durable_for: Path | None) -> None:
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        write(fd, data)
        if durable_for is not None:
            sync(fd, durable_for)
    finally:
        os.close(fd)
