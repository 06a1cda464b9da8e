"""The body of a request: as long, as deep, of the type and as quick as the settings allow, read at once."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from starlette.responses import Response

from flopod.server.guard.auth import is_open
from flopod.server.guard.head import Head
from flopod.server.guard.limits import has_more, is_deeper
from flopod.server.guard.origins import Origins
from flopod.server.problem import problem
from flopod.server.settings import Settings

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Bodies:
    """Reads bodies before the application does, which is then given the whole of one in a message.

    Of all bodies together no more than `max_bodies` bytes are held.
    """

    def __init__(self, settings: Settings, origins: Origins) -> None:
        self._settings = settings
        self._origins = origins
        self._held = 0

    def check(self, head: Head) -> Response | None:
        """Return a refusal of a body for what its head says, before a byte of it is read."""
        if not head.has_body:
            return None
        length = head.get(b"content-length")
        most = self._most(head)
        if length is not None and (len(length) > 18 or int(length) > most):
            return _too_large(most)
        return self._type(head)

    async def read(self, head: Head, receive: Receive) -> "Body | Response":
        """Return the whole body, or a refusal."""
        body = Body(self, receive, self._most(head))
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                refused = await body.fill()
        except TimeoutError:
            refused = _too_slow(self._settings.body_seconds)
        except BaseException:
            body.let_go()
            raise
        if refused is None and _is_json(head):
            refused = self._too_much(bytes(body.data))
        if refused is not None:
            body.let_go()
        return refused or body

    def take(self, size: int) -> Response | None:
        """Hold so many bytes more; return a refusal if they are too many."""
        if self._held + size > self._settings.max_bodies:
            text = "the requests of others fill the memory for them; come back later"
            return problem(503, "busy", "Busy", text, headers={"retry-after": "1"})
        self._held += size
        return None

    def let_go(self, size: int) -> None:
        """Count bytes that are held no more."""
        self._held -= size

    def _most(self, head: Head) -> int:
        """How long a body may be: less of it where nobody had to say who he is."""
        settings = self._settings
        return min(settings.max_body, settings.max_open_body) if is_open(head.path) else settings.max_body

    def _type(self, head: Head) -> Response | None:
        media, _, parameters = (head.get(b"content-type") or "").partition(";")
        media = media.strip().lower()
        if len(head.all(b"content-type")) > 1 or not _is_utf8(parameters):
            return _unsupported("send one Content-Type; the charset of JSON is utf-8")
        if _is_json_type(media):
            return None
        # A page of another site can send a form without being asked, but not JSON.
        if media in _FORMS and self._origins.is_of_own_page(head):
            return None
        return _unsupported(
            f"the body is {media or 'of no type'}; send it as `Content-Type: application/json`"
        )

    def _too_much(self, text: bytes) -> Response | None:
        depth, values = self._settings.max_depth, self._settings.max_values
        if has_more(text, values):
            return problem(413, "too-many-values", "Too many values", f"the body may have {values} values")
        if is_deeper(text, depth):
            why = f"arrays and objects may nest {depth} deep"
            return problem(400, "body-too-deep", "Body too deep", why)
        return None


class Body:
    """A body in memory. Called, it is the `receive` of an application."""

    def __init__(self, held: Bodies, receive: Receive, most: int) -> None:
        self.data = bytearray()
        self._held = held
        self._most = most
        self._receive = receive
        self._is_given = False

    async def fill(self) -> Response | None:
        """Read to the end; return a refusal if there is too much, or nobody any more who sends it."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return problem(400, "cut-off", "Cut off", "the body ended before its end")
            piece = message.get("body", b"")
            too_large = len(self.data) + len(piece) > self._most
            refused = _too_large(self._most) if too_large else self._held.take(len(piece))
            if refused is not None:
                return refused
            self.data += piece
            if not message.get("more_body", False):
                return None

    async def __call__(self) -> Message:
        """Return the body as one message, and then what follows."""
        if self._is_given:
            return await self._receive()
        self._is_given = True
        return {"type": "http.request", "body": bytes(self.data), "more_body": False}

    def let_go(self) -> None:
        """Give the memory back."""
        self._held.let_go(len(self.data))
        self.data = bytearray()


def _is_json_type(media: str) -> bool:
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def _is_json(head: Head) -> bool:
    return _is_json_type((head.get(b"content-type") or "").partition(";")[0].strip().lower())


def _is_utf8(parameters: str) -> bool:
    charsets = [
        part.partition("=")[2].strip(' "') for part in parameters.lower().split(";") if "charset" in part
    ]
    return all(charset in ("utf-8", "utf8", "us-ascii") for charset in charsets)


def _too_large(most: int) -> Response:
    text = f"the body may have {most} bytes here; the server's --max-body bounds it where a token is needed"
    return problem(413, "body-too-large", "Body too large", text)


def _unsupported(detail: str) -> Response:
    return problem(
        415, "unsupported-type", "Unsupported type", detail, headers={"accept": "application/json"}
    )


def _too_slow(seconds: float) -> Response:
    return problem(408, "too-slow", "Too slow", f"the body did not arrive within {seconds:g} s")
