"""A store whose writes no interrupt cuts off."""

from typing import Any

from flopod.backends.base import Backend
from flopod.engine.signals import Interrupts
from flopod.errors import FlopodError


class Guarded:
    """A backend whose writes are not interrupted by Ctrl-C."""

    def __init__(self, backend: Backend, interrupts: Interrupts) -> None:
        self._backend = backend
        self._interrupts = interrupts

    def append(self, *args: Any, **kwargs: Any) -> int:
        with self._interrupts.writing():
            return self._backend.append(*args, **kwargs)

    def append_many(self, *args: Any, **kwargs: Any) -> list[int | FlopodError]:
        with self._interrupts.writing():
            return self._backend.append_many(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)
