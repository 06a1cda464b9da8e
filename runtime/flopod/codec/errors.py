"""The signal inside the codec that a value is outside its reach, and the words for such a value."""

import inspect
from typing import Any


class Refused(Exception):
    """`value` cannot be written, because of `reason`. Becomes a SerializableError at the border."""

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


def advice(value: Any, label: str) -> str:
    """Say what to write in place of a value that is not data, in an outcome, a call or elsewhere."""
    verb = {"result": "return", "arguments": "pass"}.get(label, "use")
    if inspect.isawaitable(value):
        return f"await it, and {verb} what it gives"
    if hasattr(type(value), "__next__") and not hasattr(type(value), "fileno"):
        return f"{verb} a list of what it gives"
    return f"{verb} the data of it instead: texts, numbers, lists, dicts, dataclasses"
