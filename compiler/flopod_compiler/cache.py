"""Emitted modules of earlier builds, so that only what has changed is lowered again.

What a call is and which state a loop carries may depend on any module, so it is found out anew each time.
Only the work that follows from it alone is kept: a module is lowered again if its text, or anything that
is to be done to it, is not as it was. So an edit elsewhere that changes a call is seen, and the output is
the same with and without a cache.

One file a source root, in the user's cache folder. It is replaced in one step; a damaged one, one of another
compiler, and one that cannot be read or written, is no cache.
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

import msgspec

VARIABLE = "FLOPOD_CACHE_DIR"
_FORMAT = 1
_UNUSED = 30 * 24 * 3600


class Entry(msgspec.Struct, array_like=True):
    """An emitted module by the fingerprint of what it was made from."""

    key: str
    text: str
    line_map: list[int]


class _File(msgspec.Struct, array_like=True):
    """`made_by` names the compiler and the interpreter."""

    made_by: str
    modules: dict[str, Entry]


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


class Cache:
    """The emitted modules of one source root: `get`, `put`, and `save` at the end of a build."""

    def __init__(self, folder: Path, root: Path) -> None:
        name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
        self._path = folder / f"{name}.cache"
        self._before = _read(self._path)
        self._now: dict[str, Entry] = {}

    def get(self, module: str, key: str) -> Entry | None:
        """What the module was emitted as when its fingerprint was `key`."""
        found = self._before.get(module)
        if found is None or found.key != key:
            return None
        self._now[module] = found
        return found

    def put(self, module: str, entry: Entry) -> None:
        self._now[module] = entry

    def save(self) -> None:
        """Keep what this build has emitted, if that differs from what was there."""
        if self._now == self._before:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self._path, _packed(_File(_made_by(), self._now)))
            _drop_unused(self._path.parent)


def _read(path: Path) -> dict[str, Entry]:
    try:
        data = path.read_bytes()
        check, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() != check:
            return {}
        found = msgspec.msgpack.decode(body, type=_File)
    except (OSError, msgspec.DecodeError):
        return {}
    return found.modules if found.made_by == _made_by() else {}


def _packed(file: _File) -> bytes:
    body = msgspec.msgpack.encode(file)
    return hashlib.sha256(body).digest() + body


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
def _made_by() -> str:
    """Every byte of this compiler, the interpreter, and the libcst that edits."""
    from importlib.metadata import version

    digest = hashlib.sha256(f"{_FORMAT} {sys.version} libcst {version('libcst')}".encode())
    folder = Path(__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
