"""A short hash of a value: equal for equal encodings, used to compare a call with its record."""

from collections.abc import Mapping
from hashlib import blake2b
from types import ModuleType
from typing import Any

from .encode import Encoder, quick
from .errors import Refused
from .names import global_reference, reference
from .scalars import Node, tagged
from .text import not_plain


class _Canonical(Encoder):
    """Sorts sets, and refers by name to what a call may be given but a log cannot hold."""

    def write(self, value: Any, depth: int) -> Node:
        if isinstance(value, ModuleType):
            return {"$": "module", "ref": value.__name__}
        walked, waiting = len(self.memo), len(self.apart)
        try:
            return super().write(value, depth)
        except Refused:
            name = global_reference(value)
            if name is None:
                raise
            self.forget(walked, waiting)
            return {"$": "global", "ref": name}

    def write_reference(self, value: Any, tag: str) -> Node:
        name = reference(value)
        if name is not None:
            return {"$": tag, "ref": name}
        owner = getattr(value, "__self__", None)
        if owner is not None and not isinstance(owner, ModuleType):
            name = global_reference(owner)
            of = self.walk(owner, 0) if name is None else name
            return {"$": "method", "of": of, "name": value.__name__}
        return {"$": tag, "ref": f"{value.__module__}:{value.__qualname__}"}

    def write_nan(self, value: float) -> Node:
        return tagged("float", repr(value))

    def order_set(self, value: Any) -> list[Any]:
        return sorted(value, key=lambda item: _Canonical().text(item))


def fingerprint(value: Any, *, label: str = "value") -> str:
    """Return 16 hexadecimal digits that depend on the value alone, and the versions of migrated classes.

    Functions and classes count by name, so do objects that a module holds under a global name; a
    lambda counts by where it is defined. Raises SerializableError for any other object that is not data.
    """
    try:
        encoder = _Canonical()
        text = quick(value) or encoder.text(value)
    except Refused as refused:
        raise not_plain(value, refused, label) from None
    return stamped(blake2b(text, digest_size=8).hexdigest(), encoder.versions)


def stamped(print: str, versions: Mapping[str, int]) -> str:
    """Return a fingerprint with the versions of the classes that it depends on."""
    return "+".join([print, *(f"{name}={version}" for name, version in sorted(versions.items()))])


def agree(recorded: str, current: str) -> bool:
    """Whether two fingerprints are of equal values, as far as can be known.

    Of a value that is migrated there is no telling whether it was equal before.
    """
    return recorded == current or is_migrated(recorded, current)


def is_migrated(recorded: str, current: str) -> bool:
    """Whether a fingerprint was made of another version of a class than the one of today."""
    then, now = _versions(recorded), _versions(current)
    return any(then.get(name, "1") != version for name, version in now.items())


def _versions(stamp: str) -> dict[str, str]:
    return dict(part.split("=") for part in stamp.split("+")[1:])
