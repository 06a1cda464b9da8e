"""A layer between SQLite and the disk that fails as it is told: full disks, broken ones, syncs that fail.

It is a VFS, made with ctypes and given to the library that this Python's `sqlite3` uses: nothing is compiled.
"""

import _sqlite3
import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int, c_int64, c_void_p, cast, pointer
from errno import ENOSPC
from typing import Any

Fails = Callable[[int, str], int | None]

_FULL, _IOERR, _CANTOPEN = 13, 10, 14
_BROKEN = {"write": 3, "sync": 4, "truncate": 6, "shared memory": 19}
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Map = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p)
# A name has to stay where it is as long as the file is open: it is passed on, not converted.
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        *((name, c_void_p) for name in ("close", "read")),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        *((f"other{n}", c_void_p) for n in range(7)),
        ("shm_map", _Map),
        *((f"more{n}", c_void_p) for n in range(5)),
    ]


class _File(Structure):
    _fields_ = [("methods", POINTER(_Methods))]


class _Vfs(Structure):
    _fields_ = [
        *((name, c_int) for name in ("version", "size", "longest")),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _Open),
        *((f"other{n}", c_void_p) for n in range(14)),
    ]


_library = ctypes.CDLL(_sqlite3.__file__)
_library.sqlite3_vfs_find.restype = POINTER(_Vfs)
_library.sqlite3_vfs_find.argtypes = [c_char_p]


class FaultyDisk:
    """Counts the calls of SQLite that reach the disk, and lets those fail that `fails(number, name)` says.

    Of a write that fails the first half is written, as systems do it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self._fails: Fails = lambda _number, _name: None
        self._methods: dict[int, Any] = {}
        self._real = _library.sqlite3_vfs_find(None).contents
        self._vfs = _Vfs.from_buffer_copy(self._real)
        self._vfs.name = b"flopod faults %d" % id(self)
        self._vfs.open = _Open(self._open)

    @contextmanager
    def injected(self, fails: Fails | None = None) -> Iterator["FaultyDisk"]:
        """Be below what is opened from now on; `fails` returns the errno of a call, None if it works."""
        self.count, self._fails = 0, fails or self._fails
        _keep.append(self)
        assert _library.sqlite3_vfs_register(byref(self._vfs), 1) == 0
        try:
            yield self
        finally:
            self._fails = lambda _number, _name: None
            _library.sqlite3_vfs_unregister(byref(self._vfs))

    def _refused(self, name: str) -> int:
        """What a call has to answer, 0 if it is to be made."""
        self.count += 1
        code = self._fails(self.count, name)
        if code is None:
            return 0
        self.failed += 1
        if name == "open":
            return _CANTOPEN
        is_full = code == ENOSPC and name == "write"
        return _FULL if is_full else _IOERR | _BROKEN[name] << 8

    def _open(self, vfs: int, name: int, place: int, flags: int, found: int) -> int:
        file = cast(place, POINTER(_File)).contents
        refused = self._refused("open")
        if refused:
            file.methods = None
            return refused
        answer: int = self._real.open(vfs, name, place, flags, found)
        if file.methods:
            file.methods = self._between(file.methods)
        return answer

    def _between(self, real: Any) -> Any:
        key = ctypes.addressof(real.contents)
        if key not in self._methods:
            self._methods[key] = self._layer(real.contents)
        return pointer(self._methods[key])

    def _layer(self, real: Any) -> Any:
        def write(file: int, data: int, amount: int, offset: int) -> int:
            refused = self._refused("write")
            if refused:
                real.write(file, data, amount // 2, offset)
            return refused or real.write(file, data, amount, offset)

        def shm_map(file: int, region: int, size: int, extend: int, place: int) -> int:
            refused = self._refused("shared memory") if extend else 0
            return refused or real.shm_map(file, region, size, extend, place)

        made = _Methods.from_buffer_copy(real)
        made.write = _Write(write)
        made.truncate = _Truncate(lambda file, size: self._refused("truncate") or real.truncate(file, size))
        made.sync = _Sync(lambda file, flags: self._refused("sync") or real.sync(file, flags))
        if real.version >= 2:
            made.shm_map = _Map(shm_map)
        return made


_keep: list[FaultyDisk] = []  # a connection may outlive the test that opened it
