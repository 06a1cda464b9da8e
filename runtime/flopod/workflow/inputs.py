"""The input of a run as a log holds it: written from the arguments of a call, and read back."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from flopod import codec


def input_document(args: Sequence[Any] | None, kwargs: Mapping[str, Any] | None) -> Raw | None:
    """Return what a log holds of the arguments of a call; None if both are None, for no call."""
    return None if args is None and kwargs is None else call_document(args or (), kwargs or {})


def call_document(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Raw:
    """Return what a log holds of the arguments of a call. Raises SerializableError."""
    by_place, by_name = list(args), dict(kwargs)
    if by_place and by_name:
        return Raw(codec.encode((by_place, by_name), label="input"))
    return Raw(codec.encode(by_name if by_name else by_place, label="input"))


def recorded_call(document: Raw) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return the arguments that `call_document` wrote."""
    given = codec.decode(document)
    if isinstance(given, tuple):
        return given[0], given[1]
    return ([], given) if isinstance(given, dict) else (given, {})
