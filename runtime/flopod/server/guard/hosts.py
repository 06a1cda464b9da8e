"""The Host header: a name that is not ours is that of a page whose DNS was turned to this machine."""

import ipaddress
import re

from starlette.responses import Response

from flopod.server.guard.head import Head
from flopod.server.problem import problem
from flopod.server.settings import Settings, is_wildcard

_SHAPE = re.compile(r"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Hosts:
    """Lets through the names of loopback, the host that is bound, and those that are allowed.

    Where all addresses of the machine are bound, any address in figures is let through: a page can only
    turn names.
    """

    def __init__(self, settings: Settings) -> None:
        bound = f"[{settings.host}]" if ":" in settings.host else settings.host
        public = settings.public_url.partition("://")[2]
        self._names = _LOOPBACK | {bound.lower(), *settings.allowed_hosts, *([public] if public else ())}
        self._any_address = is_wildcard(settings.host)

    def __call__(self, head: Head) -> Response | None:
        """Return a refusal, None if the host is one of ours."""
        given = head.all(b"host")
        if len(given) != 1:
            return problem(400, "bad-host", "Bad Host header", f"{len(given)} Host headers; send one")
        text = given[0].decode("latin-1")
        found = _SHAPE.fullmatch(text)
        if found is None or int(found[2] or 1) > 65535:
            return problem(400, "bad-host", "Bad Host header", "the Host header is no name and port")
        if self._is_ours(found[1].lower().rstrip("."), text.lower()):
            return None
        return problem(
            421,
            "unknown-host",
            "Unknown host",
            f"this server is not called {found[1]!r}; start it with --allow-host {found[1]} if it is",
        )

    def _is_ours(self, name: str, whole: str) -> bool:
        return name in self._names or whole in self._names or (self._any_address and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
