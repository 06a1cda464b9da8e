"""A layer between the stores and the system that fails as it is told: full disks, broken ones."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from flopod.backends import disk

CALLS = ("write", "fdatasync", "fsync", "ftruncate", "replace", "open", "unlink")


class Faults:
    """Counts the calls that reach the system, and lets those fail that `fails(number, name)` says.

    A descriptor whose sync has failed may only be closed and unlocked: to use it again is an error of the
    test. Of a write that fails the first half is written, as systems do it.
    """

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self._fails: Callable[[int, str], int | None] = lambda _number, _name: None
        self._distrusted: set[int] = set()

    @contextmanager
    def injected(self, fails: Callable[[int, str], int | None] | None = None) -> Iterator["Faults"]:
        """Be between the stores and the system; `fails` returns the errno of a call, None if it works."""
        self.count, self._fails = 0, fails or self._fails
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self._between(name, getattr(os, name)))
            patch.setattr(disk, "_fdatasync", os.fdatasync)
            yield self

    def _between(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *rest: Any, **options: Any) -> Any:
            assert first not in self._distrusted, f"{name} on a descriptor whose sync has failed"
            self.count += 1
            code = self._fails(self.count, name)
            if code is None:
                return (
                    self._opened(real(first, *rest, **options))
                    if name == "open"
                    else real(first, *rest, **options)
                )
            self.failed += 1
            if name == "write" and len(rest[0]) > 1:
                real(first, bytes(rest[0])[: len(rest[0]) // 2])
            if name in ("fdatasync", "fsync"):
                self._distrusted.add(first)
            raise OSError(code, os.strerror(code), str(first))

        return call

    def _opened(self, fd: int) -> int:
        self._distrusted.discard(fd)  # the number of one that was closed
        return fd


def once(at: int, code: int) -> Callable[[int, str], int | None]:
    """The call number `at` fails."""
    return lambda number, _name: code if number == at else None


def ever_since(at: int, code: int) -> Callable[[int, str], int | None]:
    """All calls that write or sync fail from number `at` on, as on a full or broken disk."""
    return lambda number, name: code if number >= at and name in ("write", "fdatasync", "fsync") else None
