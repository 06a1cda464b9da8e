"""The public pair: a value to its JSON text, and the text back to the value."""

import os
from collections.abc import Callable
from typing import Any

import msgspec

from flopod.errors import BadInput, SerializableError, ValueTooLarge

from . import objects, rebuild
from .conversion import migrated
from .decode import Decoder
from .encode import Encoder, quick
from .errors import Refused, advice, describe
from .known import Known
from .locate import locate
from .typed import Versions, typed_versions

objects.install()
rebuild.install()


def _largest(text: str) -> int:
    if text and (not text.isdecimal() or int(text) < 1):
        raise BadInput(f"FLOPOD_MAX_VALUE is {text!r}; use a number of bytes", field="FLOPOD_MAX_VALUE")
    return int(text or 64 << 20)


LARGEST = _largest(os.environ.get("FLOPOD_MAX_VALUE", "").strip())
"""How many bytes a value may have in the log."""

_loads = msgspec.json.Decoder().decode


def encode(
    value: Any,
    *,
    known: Known | None = None,
    state: bool = False,
    foreign: bool = False,
    label: str = "value",
) -> bytes:
    """Return the JSON text (UTF-8) of a value.

    With `known`, its objects are written as references into that table; with `state` also, each with
    its present state. `foreign` lets objects of the table that are not plain data stay references.
    `label` names the value in errors. Raises SerializableError that names the place, ValueTooLarge.
    """
    if not known and (text := quick(value)) is not None:
        return text if len(text) <= LARGEST else _too_large(text, label)
    encoder = Encoder(known, state=state, foreign=foreign)
    try:
        text = encoder.text(value)
        return text if len(text) <= LARGEST else _too_large(text, label)
    except Refused as refused:
        raise not_plain(value, refused, label) from None
    except RecursionError:
        raise SerializableError(f"{label} cannot be written: the stack is too deep already") from None


def _too_large(text: bytes, label: str) -> bytes:
    raise ValueTooLarge(label, len(text), LARGEST)


def decode(data: bytes | msgspec.Raw | str, *, known: Known | None = None) -> Any:
    """Return the value of a JSON text that `encode` wrote.

    With `known`, references into that table become its objects, and states are restored in place.
    Raises SerializableError when a type of the value is not loaded.
    """
    text = data if type(data) is bytes else _bytes(data)
    node = _loads(text)
    if b'"$"' not in text:
        return node
    try:
        return Decoder(known).value(node)
    except RecursionError:
        raise SerializableError("a value in the log is nested too deeply to be read") from None


def decode_result(data: msgspec.Raw, versions: Versions, returns: Callable[[], Any]) -> Any:
    """Return a recorded result with the TypedDicts in it as they are today, by the annotation `returns()`.

    `versions` are those that all TypedDicts had when it was recorded. Raises MigrationError.
    """
    value = decode(data)
    return value if versions == typed_versions() else migrated(value, returns(), versions)


def _bytes(data: bytes | msgspec.Raw | str) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def not_plain(root: Any, refused: Refused, label: str) -> SerializableError:
    """Turn the codec's internal signal into the error that names the place in the value."""
    field = locate(root, refused.value, label)
    what = describe(refused.value)
    reason = refused.reason if "; " in refused.reason else f"{refused.reason}; {advice(refused.value, label)}"
    return SerializableError(
        f"{field} is {_article(what)} {what} and cannot be written: {reason}", field=field
    )


def _article(what: str) -> str:
    return "an" if what[:1].lower() in "aeio" else "a"
