"""One request to an ASGI application, with nothing between that would put its headers right."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flopod.server.guard import guarded
from flopod.server.settings import Settings

SECRET = b"s" * 32
TOKEN = "t0ken-of-sixteen-and-more"


class Answer(NamedTuple):
    """What came back; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def slug(self) -> str:
        """The kind of problem."""
        return str(json.loads(self.body)["type"]).rpartition("/")[2] if self.body else ""


Piece = bytes | float
"""A part of a body, or seconds to wait before the next one."""


class App:
    """Remembers what reached it, and answers with the body it was given."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached.append(scope["path"])
        body = (await receive()).get("body", b"") if scope["method"] != "GET" else b"{}"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"server", b"x")]})
        await send({"type": "http.response.body", "body": body})


def ask(
    settings: Settings,
    method: str = "GET",
    path: str = "/runs",
    headers: Sequence[tuple[str, str]] = (),
    body: Sequence[Piece] = (),
    *,
    host: str | None = "localhost:8080",
    query: bytes = b"",
    app: Callable[..., Any] | None = None,
    guard: Callable[..., Any] | None = None,
) -> Answer:
    """Send a request through a guard, a new one if none is given; a body without a length is chunked."""
    given = [("host", host)] if host is not None else []
    names = {name for name, _ in headers}
    if body and not names & {"content-length", "transfer-encoding"}:
        given.append(("transfer-encoding", "chunked"))
    raw = [(name.encode(), value.encode("latin-1")) for name, value in [*given, *headers]]
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": raw}
    return asyncio.run(_ask(guard or guarded(app or App(), settings), scope, list(body)))


def post_json(settings: Settings, text: bytes, *more: tuple[str, str], **options: Any) -> Answer:
    """Send JSON."""
    return ask(
        settings, "POST", headers=[("content-type", "application/json"), *more], body=[text], **options
    )


async def _ask(app: Any, scope: dict[str, Any], body: list[Piece]) -> Answer:
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        while body and isinstance(body[0], float):
            await asyncio.sleep(float(body.pop(0)))
        piece = body.pop(0) if body else b""
        return {"type": "http.request", "body": piece, "more_body": bool(body)}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start = messages[0]
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(each.get("body", b"") for each in messages[1:]))
