"""Encryption of values at rest by Fernet (AES-128-CBC and HMAC-SHA256), with keys that can be changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flopod.errors import BadInput, FlopodError

if TYPE_CHECKING:
    pass


class Cipher:
    """Encrypts with the first of `keys` (each 32 bytes in URL-safe base64), and decrypts with any of them.

    To change the key, put the new one first and leave the old ones: what was written with them stays
    readable. `Fernet.generate_key()` of the package cryptography makes one.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        except ImportError:
            raise BadInput(
                "encryption needs the package cryptography: pip install 'flopod[crypto]'"
            ) from None
        self._wrong: type[Exception] = InvalidToken
        if not keys:
            raise BadInput("encryption needs at least one key", field="FLOPOD_ENCRYPTION_KEYS")
        try:
            self._fernet: MultiFernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise BadInput(f"a key cannot be used: {error}", field="FLOPOD_ENCRYPTION_KEYS") from None

    def seal(self, text: bytes) -> bytes:
        """Return the token of a text, which is URL-safe base64."""
        return self._fernet.encrypt(text)

    def open(self, token: bytes) -> bytes:
        """Return the text of a token. Raises FlopodError if no key fits, or the token was changed."""
        try:
            return self._fernet.decrypt(token)
        except self._wrong:
            raise FlopodError(
                "a value cannot be decrypted: none of the keys made it, or it was changed"
            ) from None
