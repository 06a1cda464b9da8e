"""The copy that a reader of the log would get, made without text where that is the same."""

from typing import Any, TypeVar

from .exceptions import graft_tracebacks
from .immutable import is_immutable
from .text import decode, encode

T = TypeVar("T")


def copy(value: T, *, label: str = "value") -> T:
    """Return what decoding the encoded value gives. Raises SerializableError as `encode` does."""
    copied: T = value if is_immutable(value) else _copy(value, label)
    return copied


def _copy(value: Any, label: str) -> Any:
    cls = type(value)
    if cls is list and all(map(is_immutable, value)):
        return value.copy()
    if cls is dict and all(map(is_immutable, value)) and all(map(is_immutable, value.values())):
        return value.copy()
    return decode(encode(value, label=label))


def normalise(error: BaseException) -> BaseException:
    """Return an exception as the log would give it back, with the tracebacks of the live one."""
    rebuilt: BaseException = decode(encode(error, label="error"))
    graft_tracebacks(error, rebuilt)
    return rebuilt
