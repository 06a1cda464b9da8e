"""What the codec raises for a value outside its reach, and the internal signal that carries it."""

from typing import Any

from flopod.errors import SerializableError


class NotPlain(SerializableError):
    """The value holds something that is not plain data: an iterator, a local function, a live object."""


class Refused(Exception):
    """Inside the codec: `value` cannot be written, because of `reason`. Becomes NotPlain at the border."""

    def __init__(self, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.value = value
        self.reason = reason


def describe(value: Any) -> str:
    """Name a value by its type, as a message shows it: `shop.clients.Client`, `<function price>`."""
    cls = type(value)
    if cls.__module__ in ("builtins", "__main__"):
        name = cls.__qualname__
    else:
        name = f"{cls.__module__}.{cls.__qualname__}"
    own = getattr(value, "__qualname__", None)
    return f"{name} {own}" if isinstance(own, str) else name
