"""What happens in runs: the events of one, as a list or as they come, and that any has changed."""

import asyncio
from itertools import islice

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from flopod.backends.base import Backend
from flopod.engine.waits import summary_of
from flopod.events import FINAL, encode_record
from flopod.server import types as t
from flopod.server.context import context_of
from flopod.server.problems import BAD_REQUEST, Refused
from flopod.server.reading import JSON, SSE, check_accepts, id_of, query_of
from flopod.server.replying import Json
from flopod.server.sse import EventStream

_LONGEST = 16


async def run_events(request: Request) -> Response:
    context, run_id = context_of(request), id_of(request)
    query = query_of(request, t.EventQuery)
    last = _last_event_id(request)
    if check_accepts(request, JSON, SSE) == JSON:
        return Json(await asyncio.to_thread(_page, context.host.backend, run_id, query))
    after = last or query.after
    summary = await asyncio.to_thread(summary_of, context.host.backend, run_id)
    if summary.status in FINAL and summary.seq <= after:
        return Response(status_code=204)  # tells an EventSource to ask no more
    return EventStream(context.streams.run(run_id, after))


def _page(backend: Backend, run_id: str, query: t.EventQuery) -> t.EventPage:
    summary_of(backend, run_id)
    found = list(islice(backend.scan(run_id, query.after), query.limit + 1))
    shown = [Raw(encode_record(seq, event)) for seq, event in found[: query.limit]]
    return t.EventPage(events=shown, next=found[query.limit - 1].seq if len(found) > query.limit else None)


def _last_event_id(request: Request) -> int:
    """The sequence number that a client has seen last, 0 for one that begins."""
    text = request.headers.get("last-event-id", "").strip()
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) < _LONGEST:
        return int(text)
    raise Refused(BAD_REQUEST, "Last-Event-ID is the id of an event of this stream", field="Last-Event-ID")


async def all_events(request: Request) -> Response:
    check_accepts(request, SSE)
    query_of(request, t.NoQuery)
    return EventStream(context_of(request).streams.all())
