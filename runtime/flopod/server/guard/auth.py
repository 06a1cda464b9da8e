"""Who may come in: whoever has the token, or the session that a page was given for it."""

import hmac
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from flopod.backends.base import now_ms
from flopod.server.guard.head import Head, cookies
from flopod.server.guard.origins import Origins
from flopod.server.problem import problem
from flopod.server.sessions import COOKIE, Ended, is_valid
from flopod.server.settings import Settings

OPEN = frozenset({"/healthz", "/readyz", "/ui/login"})
OPEN_BELOW = ("/ui/static/", "/deliver/")
"""What anybody may ask for. A link to deliver is signed, which stands for the token."""

_LOGOUT = "/ui/logout"
_LONGEST = 4096


class Auth:
    """Asks for the token of the settings; without one, everybody on this machine may come in."""

    def __init__(self, settings: Settings, origins: Origins) -> None:
        self._token = None if settings.token is None else settings.token.encode()
        self._key = settings.session_key
        self._pages = settings.dashboard
        self._origins = origins
        self._ended = Ended()

    def __call__(self, head: Head) -> Response | None:
        """Return a refusal, None if the client may come in."""
        if self._token is None or is_open(head.path):
            return None
        if head.all(b"authorization"):
            return None if self._has_token(head) else _unknown("the token is not that of this server")
        session = cookies(head).get(COOKIE, "")
        if session and len(session) <= _LONGEST and self._lasts(session):
            return self._with_session(head, session)
        if self._pages and _wants_page(head):
            return RedirectResponse("/ui/login?next=" + quote(_asked_for(head), safe=""), 303)
        return _unknown("send the header `Authorization: Bearer TOKEN`")

    def _has_token(self, head: Head) -> bool:
        given = head.all(b"authorization")
        scheme, _, token = given[0].partition(b" ")
        right = hmac.compare_digest(token.strip(b" "), self._token or b"")
        return len(given) == 1 and scheme.lower() == b"bearer" and right

    def _lasts(self, session: str) -> bool:
        return is_valid(self._key, session, now_ms()) and session not in self._ended

    def _with_session(self, head: Head, session: str) -> Response | None:
        # A cookie comes with whatever page sends the request, so it alone changes nothing.
        if head.is_safe:
            return None
        if self._origins.is_of_own_page(head):
            if head.path == _LOGOUT:
                self._ended.add(session, now_ms())
            return None
        return problem(
            403,
            "foreign-origin",
            "Foreign origin",
            "a session changes something only from a page of this server; programs send the token instead",
        )


def is_open(path: str) -> bool:
    """Whether a path needs no token."""
    return path in OPEN or (path.startswith(OPEN_BELOW) and "/." not in path)


def _wants_page(head: Head) -> bool:
    is_page = head.path == "/" or head.path == "/ui" or head.path.startswith("/ui/")
    return is_page and head.method in ("GET", "HEAD") and head.accepts("text/html")


def _asked_for(head: Head) -> str:
    query: bytes = head.scope["query_string"]
    return head.path + ("?" + query.decode("latin-1") if query else "")


def _unknown(detail: str) -> Response:
    return problem(
        401,
        "unauthorized",
        "A token is required",
        detail,
        headers={"www-authenticate": 'Bearer realm="flopod"'},
    )
