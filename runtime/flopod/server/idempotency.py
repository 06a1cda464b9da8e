"""Starts that are asked for again, with one Idempotency-Key: the same request starts one run."""

import asyncio
import threading
from hashlib import sha256

import msgspec
from msgspec import Struct

from flopod.backends.base import Backend, now_ms
from flopod.server.problems import BAD_REQUEST, KEY_REUSED, Refused

KEPT_MS = 7 * 24 * 3600 * 1000
"""How long a key is remembered, in milliseconds."""

_KIND = "idempotency"
_LONGEST = 255


class _Document(Struct):
    """What was asked for with a key: the digest of the body, and the run that answers it."""

    digest: str
    run_id: str
    at: int


class Claim(Struct, frozen=True):
    """The run that a key stands for. Of one that is `new` nobody has asked before."""

    name: str
    run_id: str
    new: bool


_decode = msgspec.json.Decoder(_Document).decode


class Idempotency:
    """The keys that a store remembers.

    A key is kept before its run starts, and the run id follows from the key: however often a client asks
    again, and whoever is killed meanwhile, there is one run.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._claiming = threading.Lock()

    async def claim(self, key: str, request: Struct, run_id: str | None) -> Claim:
        """Return the run for a request, durably bound to the key.

        Raises Refused if the key is no key (400), or stands for another request (409).
        """
        return await asyncio.to_thread(self._claim, check_key(key), request, run_id)

    def _claim(self, key: str, request: Struct, run_id: str | None) -> Claim:
        name, digest = sha256(key.encode()).hexdigest(), _digest(request)
        with self._claiming:
            return self._found(name, digest, run_id)

    def _found(self, name: str, digest: str, run_id: str | None) -> Claim:
        found = self._backend.kept(_KIND, name)
        if found is None:
            made = _Document(digest, run_id or f"key-{name[:32]}", now_ms())
            self._backend.keep(_KIND, name, msgspec.json.encode(made))
            return Claim(name, made.run_id, True)
        document = _decode(found)
        if document.digest != digest:
            raise Refused(
                KEY_REUSED,
                f"this key has started the run {document.run_id!r} with another body; take a new key for a "
                "new run, and the same body to ask for that one",
            )
        return Claim(name, document.run_id, False)

    async def give_up(self, claim: Claim) -> None:
        """Forget a key whose request was refused, so that a better one can be made with it."""
        if claim.new:
            await asyncio.to_thread(self._backend.drop, _KIND, claim.name)

    def forget_old(self, now: int) -> int:
        """Forget the keys that are older than KEPT_MS; return how many."""
        kept = self._backend.all_kept(_KIND)
        old = [name for name, document in kept.items() if _decode(document).at < now - KEPT_MS]
        for name in old:
            self._backend.drop(_KIND, name)
        return len(old)


def check_key(key: str) -> str:
    """Return a text that can be a key. Raises Refused with 400."""
    if 1 <= len(key) <= _LONGEST and all("!" <= char <= "~" for char in key):
        return key
    raise Refused(
        BAD_REQUEST,
        f"an Idempotency-Key has 1 to {_LONGEST} visible ASCII characters",
        field="Idempotency-Key",
    )


def _digest(request: Struct) -> str:
    """The same for bodies that say the same, in whatever order and with whatever space."""
    return sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()
