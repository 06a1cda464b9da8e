"""Values in files of the user's cache folder, with a checksum: one that is not as it was written is none.

A file is replaced in one step. What cannot be read or written is not stored.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
import time
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

VARIABLE = "FLOPOD_CACHE_DIR"
_UNUSED = 30 * 24 * 3600
T = TypeVar("T")


def cache_folder() -> Path | None:
    """`$FLOPOD_CACHE_DIR`, else a folder of the user's; None if that is empty or there is no home."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "flopod"
    except RuntimeError:
        return None


def read_stored(path: Path, kind: type[T]) -> T | None:
    """The value in a file, None if there is no whole one."""
    try:
        data = path.read_bytes()
        check, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() != check:
            return None
        return msgspec.msgpack.decode(body, type=kind)
    except (OSError, msgspec.DecodeError, RecursionError):
        return None


def store(path: Path, value: Any) -> None:
    """Write a value in the place of the one before, and drop what nobody has used for long."""
    with contextlib.suppress(OSError, UnicodeEncodeError, RecursionError):
        body = msgspec.msgpack.encode(value)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, hashlib.sha256(body).digest() + body)
        _drop_unused(path.parent)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _drop_unused(folder: Path) -> None:
    oldest = time.time() - _UNUSED
    for path in folder.glob("*.cache*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


@cache
def made_by() -> str:
    """Every byte of this compiler, the interpreter, and the libcst that edits."""
    from importlib.metadata import version

    digest = hashlib.sha256(f"{sys.version} libcst {version('libcst')}".encode())
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
