"""The signature of a webhook: Standard Webhooks, https://www.standardwebhooks.com."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from hashlib import sha256

from flopod.errors import BadInput
from flopod.server.signing import key_for

PREFIX = "whsec_"

_LEAST, _MOST = 24, 64


def made_of(secret: bytes) -> str:
    """Return the secret of the webhooks of a server that was given none."""
    return PREFIX + base64.b64encode(key_for(secret, "webhook")).decode()


def keys_of(secrets: Sequence[str]) -> list[bytes]:
    """Return the keys in secrets of the form whsec_BASE64. Raises BadInput, which shows none of them."""
    return [_key(secret) for secret in secrets]


def headers(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook that is sent at `timestamp` (seconds since the epoch).

    There is a signature by each key, so that a receiver can change from one to the next.
    """
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    signatures = (base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise BadInput(
            f"FLOPOD_WEBHOOK_SECRET: a secret is {PREFIX} and the base64 of {_LEAST} to {_MOST} bytes, "
            "such as whsec_$(head -c 32 /dev/urandom | base64)",
            field="FLOPOD_WEBHOOK_SECRET",
        )
    return key
