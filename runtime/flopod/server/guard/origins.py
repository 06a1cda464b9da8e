"""Which web pages may call: our own and those that are allowed, told by Origin and Sec-Fetch-Site."""

from urllib.parse import urlsplit

from starlette.responses import Response

from flopod.server.guard.head import Head
from flopod.server.problem import problem
from flopod.server.settings import Settings

_PORTS = {"http": 80, "https": 443}
_METHODS = "GET, HEAD, POST, PUT, DELETE"
_HEADERS = "authorization, content-type, idempotency-key, last-event-id, x-request-id"
_EXPOSED = "location, retry-after, x-request-id"
_KEPT = "600"


class Origins:
    """Refuses what the page of another origin sends. A client that is no browser says nothing and passes."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(settings.allowed_origins)
        self._public = settings.public_url

    def __call__(self, head: Head) -> Response | None:
        """Return a refusal, or the answer to a preflight; None if the request may go on."""
        given = head.all(b"origin")
        if len(given) > 1:
            return problem(400, "bad-origin", "Bad Origin header", f"{len(given)} Origin headers; send one")
        origin = head.get(b"origin")
        if origin is None:
            return None if self._may_come_without(head) else _refused("a page of another site")
        if origin in self._allowed:
            is_preflight = head.method == "OPTIONS" and head.get(b"access-control-request-method")
            return _preflight(origin) if is_preflight else None
        if self.is_own(head, origin):
            return None
        return _refused(repr(origin))

    def is_own(self, head: Head, origin: str) -> bool:
        """Whether an origin is that of this server, by the name that the client calls it."""
        return origin == self._public or _is_same(origin, head.get(b"host") or "")

    def is_of_own_page(self, head: Head) -> bool:
        """Whether a browser says that a page of this server sends it."""
        origin = head.get(b"origin")
        return origin is not None and self.is_own(head, origin)

    def headers_for(self, head: Head) -> list[tuple[bytes, bytes]]:
        """Return what lets an allowed page read the response."""
        if not self._allowed:
            return []
        vary = (b"vary", b"Origin")
        origin = head.get(b"origin")
        if origin not in self._allowed:
            return [vary]
        exposed = (b"access-control-expose-headers", _EXPOSED.encode())
        return [vary, (b"access-control-allow-origin", origin.encode()), exposed]

    def _may_come_without(self, head: Head) -> bool:
        """Browsers leave the Origin out of most GETs, but say where they come from. Links may be followed."""
        site = head.get(b"sec-fetch-site")
        if site in (None, "same-origin", "none"):
            return True
        return head.is_safe and head.get(b"sec-fetch-mode") == "navigate"


def _refused(who: str) -> Response:
    return problem(
        403,
        "foreign-origin",
        "Foreign origin",
        f"this server does not answer {who}; start it with --allow-origin if it is to",
    )


def _preflight(origin: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": _HEADERS,
            "access-control-max-age": _KEPT,
            "vary": "Origin",
        },
    )


def _is_same(origin: str, host: str) -> bool:
    """Whether an origin has this host and port. The scheme is not ours to know: a proxy may speak TLS."""
    try:
        theirs, ours = urlsplit(origin), urlsplit("//" + host)
        usual = _PORTS[theirs.scheme]
        same_port = (theirs.port or usual) == (ours.port or usual)
    except (ValueError, KeyError):
        return False
    return theirs.hostname == ours.hostname and same_port and origin == f"{theirs.scheme}://{theirs.netloc}"
