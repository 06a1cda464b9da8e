"""Who is signed in to the dashboard: a cookie that holds no token, signed and with an end."""

import hmac
import secrets

from flopod.backends.base import now_ms
from flopod.server.settings import Settings
from flopod.server.signing import BadSignature, Expired, sign, verify

COOKIE = "flopod_session"
LASTS = 12 * 3600 * 1000
"""How long a session lasts, in milliseconds."""

_PURPOSE = "session"


class Ended:
    """Sessions that somebody has ended before their time, at this process."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def __contains__(self, value: str) -> bool:
        return value in self._until

    def add(self, value: str, now: int) -> None:
        """Let the cookie `value` be that of no session any more; `now` in ms since the epoch."""
        self._until = {known: until for known, until in self._until.items() if until > now}
        self._until[value] = now + LASTS


def log_in(settings: Settings, token: str, *, secure: bool) -> str | None:
    """Return the Set-Cookie header of a new session, None if that is not the token.

    `secure` says that the page came by https.
    """
    if settings.token is None or not hmac.compare_digest(token.encode(), settings.token.encode()):
        return None
    return _set_cookie(new_session(settings.session_key, now_ms()), LASTS // 1000, secure)


def log_out(*, secure: bool) -> str:
    """Return the Set-Cookie header that ends a session in its browser."""
    return _set_cookie("", 0, secure)


def new_session(key: bytes, now: int) -> str:
    """Return the value of the cookie; `key` is that of the settings, `now` in ms since the epoch."""
    return sign(key, _PURPOSE, secrets.token_bytes(16), now + LASTS)


def is_valid(key: bytes, value: str, now: int) -> bool:
    """Whether a cookie is of a session that lasts."""
    try:
        verify(key, _PURPOSE, value, now)
    except (BadSignature, Expired):
        return False
    return True


def local_path(text: str) -> str:
    """Return a path of this server to go on at, "/" if the text is none."""
    # A browser reads `//host` and `/\host` as other servers, and passes over control characters.
    if text.startswith("/") and text[1:2] not in ("/", "\\") and text.isprintable():
        return text
    return "/"


def _set_cookie(value: str, seconds: int, secure: bool) -> str:
    more = "; Secure" if secure else ""
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{more}"
