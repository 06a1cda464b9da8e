"""Texts that only this server can have made: for links, for sessions, for the keys of webhooks.

A signed text is url-safe base64 of a MAC (HMAC-SHA256), the time it expires and its payload. Each purpose has
a key of its own, so that what was signed for one is nothing for another.
"""

import base64
import binascii
import contextlib
import hmac
import secrets
import time
from collections.abc import Mapping
from hashlib import sha256

from flopod.backends.base import Backend, now_ms
from flopod.errors import BadInput, RunHeld, StorageError, UsageError

SHORTEST = 16
"""How many characters a secret or a token has at least."""

_KIND = "secret"
_NAME = "server"
_HOLD = "flopod.secret"
_MAC = 32
_TIME = 8
_LONGEST = 8192
_PATIENCE = 10.0
_TURN = 0.02


class BadSignature(UsageError):
    """A text that this server has not signed, or not for this purpose."""

    def __init__(self) -> None:
        super().__init__("this is not signed by this server; take the whole of it as it was given out")


class Expired(UsageError):
    """A text that was signed here, but whose time is over; `at` in milliseconds since the epoch."""

    def __init__(self, at: int) -> None:
        super().__init__("its time is over; ask for a new one")
        self.at = at


def key_for(secret: bytes, purpose: str) -> bytes:
    """Return the key of a purpose: nobody finds `secret` by it, nor the key of another purpose."""
    return hmac.digest(secret, b"flopod:" + purpose.encode(), sha256)


def sign(secret: bytes, purpose: str, payload: bytes, expires: int | None = None) -> str:
    """Return `payload`, readable for everybody, as a signed text of the characters `A-Za-z0-9_-`.

    `expires` is in milliseconds since the epoch; None is never.
    """
    body = (expires or 0).to_bytes(_TIME, "big") + payload
    return _text(hmac.digest(key_for(secret, purpose), body, sha256) + body)


def verify(secret: bytes, purpose: str, token: str, now: int | None = None) -> bytes:
    """Return the payload of a signed text. Raises BadSignature, Expired."""
    signed = _bytes(token)
    mac, body = signed[:_MAC], signed[_MAC:]
    if not hmac.compare_digest(mac, hmac.digest(key_for(secret, purpose), body, sha256)):
        raise BadSignature
    expires = int.from_bytes(body[:_TIME], "big")
    if expires and expires <= (now_ms() if now is None else now):
        raise Expired(expires)
    return body[_TIME:]


def _text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    """The bytes of a text, of which there is only one: bits that do not count are none to play with."""
    try:
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) <= _LONGEST else b""
    except (binascii.Error, ValueError):
        signed = b""
    if len(signed) < _MAC + _TIME or _text(signed) != token:
        raise BadSignature
    return signed


def secret(backend: Backend, environ: Mapping[str, str]) -> bytes:
    """Return FLOPOD_SECRET, else the secret that is kept in the store, made if there is none.

    Processes that begin at once end with the same. Raises BadInput, StorageError.
    """
    given = environ.get("FLOPOD_SECRET", "")
    if given:
        if len(given) < SHORTEST:
            raise BadInput(
                f"FLOPOD_SECRET has {len(given)} characters; give it {SHORTEST} or more, or leave it out and "
                "one is kept in the store",
                field="FLOPOD_SECRET",
            )
        return given.encode()
    end = time.monotonic() + _PATIENCE
    while (found := backend.kept(_KIND, _NAME)) is None:
        with contextlib.suppress(RunHeld), backend.hold(_HOLD):
            if backend.kept(_KIND, _NAME) is None:
                backend.keep(_KIND, _NAME, secrets.token_bytes(32))
        if time.monotonic() > end:
            raise StorageError(f"the secret of the server cannot be made: {_HOLD!r} is held all the time")
        time.sleep(_TURN)
    return found
