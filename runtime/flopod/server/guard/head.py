"""The head of a request, taken apart once for all that look at it."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Scope = MutableMapping[str, Any]


class Head:
    """Method, path and headers of a request; the names of headers are in lower case."""

    __slots__ = ("_headers", "method", "path", "scope", "session")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.session = False
        self._headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            self._headers.setdefault(name, []).append(value)

    def all(self, name: bytes) -> Sequence[bytes]:
        """Return every value of a header."""
        return self._headers.get(name, ())

    def get(self, name: bytes) -> str | None:
        """Return the first value of a header, None if there is none."""
        values = self._headers.get(name)
        return values[0].decode("latin-1").strip() if values else None

    @property
    def is_safe(self) -> bool:
        """Whether the method changes nothing."""
        return self.method in SAFE

    @property
    def has_body(self) -> bool:
        """Whether bytes follow the head."""
        return b"transfer-encoding" in self._headers or self.get(b"content-length") not in (None, "0")

    def accepts(self, media_type: str) -> bool:
        """Whether a media type is named among those that the client wants."""
        return any(media_type in value.decode("latin-1").lower() for value in self.all(b"accept"))


def cookies(head: Head) -> Mapping[str, str]:
    """Return the cookies of a request; of two of a name the first counts, as browsers send the closer one."""
    found: dict[str, str] = {}
    for value in head.all(b"cookie"):
        for pair in value.decode("latin-1").split(";"):
            name, equals, text = pair.strip().partition("=")
            if equals:
                found.setdefault(name, text.strip())
    return found
