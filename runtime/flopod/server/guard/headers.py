"""What every response says to browsers: run nothing foreign, guess no types, keep nothing, frame nothing."""

from collections.abc import Sequence
from typing import Any

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

# With `no-referrer` browsers would send `Origin: null` with the forms of our own pages.
ALWAYS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE = (b"cache-control", b"no-store")


def secured(message: dict[str, Any], more: Sequence[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return the start of a response with these headers; one that says itself how it is kept goes on so."""
    given = [each for each in message.get("headers", ()) if each[0] != b"server"]
    names = {name for name, _ in given}
    cache = () if b"cache-control" in names else (_NO_STORE,)
    added = [each for each in ALWAYS if each[0] not in names]
    return {**message, "headers": [*given, *added, *cache, *more]}
