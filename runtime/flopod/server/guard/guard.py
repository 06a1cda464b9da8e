"""Puts the checks together, in their order, around an application."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.responses import Response

from flopod.server.guard.auth import Auth
from flopod.server.guard.bodies import Bodies, Body, Message, Receive
from flopod.server.guard.head import Head, Scope
from flopod.server.guard.headers import secured
from flopod.server.guard.hosts import Hosts
from flopod.server.guard.limits import HeadLimits, Streams, is_stream
from flopod.server.guard.origins import Origins
from flopod.server.settings import Settings

Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


class Guard:
    """An ASGI application that hands on what passes every check, and answers the rest with problems."""

    def __init__(self, app: App, settings: Settings) -> None:
        origins = Origins(settings)
        self.streams = Streams(settings.max_streams)
        self._app = app
        self._origins = origins
        self._bodies = Bodies(settings, origins)
        self._checks = (
            HeadLimits(settings),
            Hosts(settings),
            origins,
            Auth(settings, origins),
            self.streams,
            self._bodies.check,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send) if scope["type"] == "lifespan" else None
        head = Head(scope)
        send = self._secured(head, send)
        refused = self._first_refusal(head)
        if refused is not None:
            return await _refuse(refused, head, receive, send, is_read=not head.has_body)
        if head.has_body:
            return await self._with_body(head, receive, send)
        return await self._serve(head, receive, send)

    def _first_refusal(self, head: Head) -> Response | None:
        for check in self._checks:
            refused = check(head)
            if refused is not None:
                return refused
        return None

    def _secured(self, head: Head, send: Send) -> Send:
        more = self._origins.headers_for(head)

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = secured(dict(message), more)
            await send(message)

        return send_secured

    async def _serve(self, head: Head, receive: Receive, send: Send) -> None:
        if not is_stream(head):
            return await self._app(head.scope, receive, send)
        with self.streams.one_more():
            await self._app(head.scope, receive, send)
        return None

    async def _with_body(self, head: Head, receive: Receive, send: Send) -> None:
        body = await self._bodies.read(head, receive)
        if not isinstance(body, Body):
            return await _refuse(body, head, receive, send, is_read=False)
        try:
            await self._serve(head, body, send)
        finally:
            body.let_go()


async def _refuse(refused: Response, head: Head, receive: Receive, send: Send, *, is_read: bool) -> None:
    # What is left of a body cannot be told from the next request without reading all of it.
    if not is_read:
        refused.headers["connection"] = "close"
    await refused(head.scope, receive, send)
