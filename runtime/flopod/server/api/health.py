"""Whether the server is there, whether it takes runs, what it counts, and what it can be asked."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from flopod.backends.base import Backend
from flopod.errors import FlopodError
from flopod.server import types as t
from flopod.server.context import Context, context_of
from flopod.server.metrics import CONTENT_TYPE, render
from flopod.server.problems import NOT_READY, Refused
from flopod.server.reading import JSON, check_accepts, query_of
from flopod.server.replying import Json

_PATIENCE = 2.0
_KIND, _NAME = "health", "ready"
_TEXT = "text/plain"


async def healthz(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    return Json(t.Health())


async def readyz(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    trouble = await trouble_of(context_of(request))
    if trouble:
        raise Refused(NOT_READY, trouble)
    return Json(t.Health())


async def trouble_of(context: Context) -> str:
    """Return why no run could be taken now, "" if all is well: the host is asked, and the store written."""
    trouble = context.host.trouble()
    if trouble:
        return trouble
    try:
        async with asyncio.timeout(_PATIENCE):
            await asyncio.to_thread(_write, context.host.backend)
    except TimeoutError:
        return f"the store has not answered for {_PATIENCE:g} s"
    except FlopodError as error:
        return f"the store cannot be written: {type(error).__name__}"
    return ""


def _write(backend: Backend) -> None:
    backend.keep(_KIND, _NAME, b"%d" % time.time())


async def metrics(request: Request) -> Response:
    check_accepts(request, _TEXT)
    query_of(request, t.NoQuery)
    text = await asyncio.to_thread(render, context_of(request))
    return Response(text, media_type=CONTENT_TYPE)


async def openapi(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    return Response(request.app.state.describe(), media_type=JSON)
