"""The application of a control plane: routes made of the table of operations, and what goes on beside."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from flopod.backends.base import now_ms
from flopod.errors import FlopodError
from flopod.server.api.links import forget_used
from flopod.server.context import Context, Webhooks, context_of
from flopod.server.host import Host
from flopod.server.openapi import document
from flopod.server.operations import OPERATIONS, Handler
from flopod.server.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Kind, Refused, answer
from flopod.server.settings import Settings

_LOGGER = logging.getLogger("flopod.server")
_HOUR = 3600.0

MoreRoutes = Callable[[Context], Sequence[BaseRoute]]


def create_app(
    host: Host,
    settings: Settings,
    *,
    pages: Any = None,
    extra_routes: MoreRoutes = lambda _: (),
    webhooks: Webhooks | None = None,
    stopping: asyncio.Event | None = None,
) -> Starlette:
    """Return the application for a host, which is open as long as it serves.

    `pages` are kept for those whom `extra_routes` routes to. Streams end when `stopping` is set: a server
    waits for them before it closes.
    """
    context = Context.of(host, settings, pages, webhooks)
    app = Starlette(
        routes=[*api_routes(), *extra_routes(context)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=lambda _: _beside(context, stopping or asyncio.Event()),
    )
    app.router.redirect_slashes = False
    app.state.context = context
    app.state.describe = Description(context)
    return app


def api_routes() -> list[Route]:
    """Return the routes of the API, one an address."""
    by_path = groupby(sorted(OPERATIONS, key=lambda each: each.path), key=lambda each: each.path)
    found = {path: {each.method: each.handler for each in group} for path, group in by_path}
    return [Route(path, Resource(found[path])) for path in dict.fromkeys(each.path for each in OPERATIONS)]


class Resource:
    """What is at an address: a handler for each method. Errors are answered as problems."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        heads = {"HEAD": handlers["GET"]} if "GET" in handlers else {}
        self._all = {**handlers, **heads}
        self._allow = ", ".join(sorted([*self._all, "OPTIONS"]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._answered(request)
        if scope["method"] == "HEAD":
            response = await _without_body(response)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        handler = self._all.get(request.method)
        try:
            if handler is not None:
                return await handler(request)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": self._allow})
            raise Refused(
                METHOD_NOT_ALLOWED, f"this address takes {self._allow}", headers={"Allow": self._allow}
            )
        except Exception as error:
            return _answer(request, error)


def _answer(request: Request, error: Exception) -> Response:
    """An error as a page for people who look at one, else as a problem."""
    pages = context_of(request).pages
    if pages is not None and "text/html" in request.headers.get("accept", ""):
        found: Response = pages.refusal(error)
        return found
    return answer(error, request.url.path)


async def _without_body(response: Response) -> Response:
    """The head of a response alone; one that would go on for ever is let go of."""
    bare = Response(status_code=response.status_code)
    bare.raw_headers = list(response.raw_headers)
    closing = getattr(getattr(response, "body_iterator", None), "aclose", None)
    if closing is not None:
        await closing()
    return bare


async def _refused(request: Request, error: Exception) -> Response:
    """What the router refuses: an address that there is not."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    kind = NOT_FOUND if status == 404 else Kind(status, "refused", "The request is refused")
    detail = f"there is nothing at {request.url.path!r}; GET /openapi.json says what there is"
    headers = getattr(error, "headers", None)
    return _answer(request, Refused(kind, detail if status == 404 else str(error), headers=headers))


async def _failed(request: Request, error: Exception) -> Response:
    return _answer(request, error)


class Description:
    """The OpenAPI document as bytes, made anew when there is another build."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made: tuple[str, bytes] | None = None

    def __call__(self) -> bytes:
        """Return the document of now."""
        host = self._context.host
        manifest = host.build.manifest
        if self._made is None or self._made[0] != manifest.build:
            found = document(
                host.workflows(),
                title=manifest.name or "flopod",
                version=manifest.build[:12] or "0",
                token=self._context.settings.token is not None,
            )
            self._made = manifest.build, msgspec.json.encode(found)
        return self._made[1]


@contextlib.asynccontextmanager
async def _beside(context: Context, stopping: asyncio.Event) -> AsyncIterator[None]:
    """What goes on while an application serves."""
    tasks = [
        asyncio.create_task(_close_in_time(context, stopping), name="flopod closes streams"),
        asyncio.create_task(_tidy(context), name="flopod tidies"),
    ]
    if context.webhooks is not None:
        tasks.append(asyncio.create_task(context.webhooks.serve(context.live), name="flopod webhooks"))
    try:
        yield
    finally:
        context.live.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close_in_time(context: Context, stopping: asyncio.Event) -> None:
    await stopping.wait()
    context.live.close()


async def _tidy(context: Context) -> None:
    """Forget what is too old to matter, now and once an hour."""
    while True:
        try:
            now = now_ms()
            await asyncio.to_thread(context.idempotency.forget_old, now)
            await asyncio.to_thread(forget_used, context.host.backend, now)
        except FlopodError:
            _LOGGER.warning("what is too old could not be forgotten", exc_info=True)
        await asyncio.sleep(_HOUR)
