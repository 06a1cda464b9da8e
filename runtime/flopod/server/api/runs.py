"""Runs: started, listed, looked at."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Raw, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from flopod.backends.base import Backend, Filter, cursor_after
from flopod.engine.inputs import read_attribute
from flopod.engine.inspecting import Inspection, inspect
from flopod.errors import BadInput, StoppedByHook, UsageError
from flopod.events import RunSummary
from flopod.runid import check_run_id, is_run_id, new_run_id
from flopod.server import types as t
from flopod.server.context import Context, context_of
from flopod.server.host import Start
from flopod.server.problems import BAD_REQUEST, Refused
from flopod.server.reading import JSON, at_field, body_of, check_accepts, id_of, query_of
from flopod.server.replying import Json, created, run_url, time_text


async def start_run(request: Request) -> Response:
    check_accepts(request, JSON)
    body = await body_of(request, t.StartRun)
    context = context_of(request)
    key = request.headers.get("idempotency-key")
    if body.run_id is not None:
        check_run_id(body.run_id)
    if key is None:
        run_id = body.run_id or new_run_id()
        await _start(context, body, run_id, fresh=body.run_id is None)
    else:
        run_id = await _start_once(context, body, key)
    return created(t.Started(run_id=run_id, status="pending", url=run_url(run_id)), run_url(run_id), 202)


async def _start_once(context: Context, body: t.StartRun, key: str) -> str:
    """Start what the key stands for, unless it is started; return its run id."""
    keys = context.idempotency
    claim = await keys.claim(key, body, body.run_id)
    try:
        await _start(context, body, claim.run_id, fresh=False)
    except (UsageError, StoppedByHook, Refused):
        await keys.give_up(claim)
        raise
    return claim.run_id


async def _start(context: Context, body: t.StartRun, run_id: str, *, fresh: bool) -> None:
    start = Start(
        workflow=body.workflow,
        input=body.input,
        run_id=run_id,
        queue=body.queue,
        key=body.key,
        priority=int(body.priority),
        attributes=body.attributes,
        fresh=fresh,
    )
    async with _told(context, body.webhook, run_id):
        try:
            await context.host.start(start)
        except BadInput as error:
            raise at_field(error, "input") from None


def _told(context: Context, url: str | None, run_id: str) -> AbstractAsyncContextManager[None]:
    """What has the end of a run told, which the block starts, where somebody asks for it."""
    if url is None:
        return nullcontext()
    if context.webhooks is None:
        raise BadInput("this server sends no webhooks", field="webhook")
    context.webhooks.check(url)
    return context.webhooks.expecting(run_id, url)


async def list_runs(request: Request) -> Response:
    check_accepts(request, JSON)
    query = query_of(request, t.RunQuery)
    _check_cursor(_given(query.cursor))
    found = await asyncio.to_thread(_find, context_of(request).host.backend, query)
    after = cursor_after(found[query.limit - 1]) if len(found) > query.limit else None
    return Json(t.RunPage(runs=[run_view(one) for one in found[: query.limit]], next=after))


def _find(backend: Backend, query: t.RunQuery) -> list[RunSummary]:
    """One more than asked for, so that it is known whether there are more."""
    wanted = Filter(
        status=query.status,
        workflow=_given(query.workflow),
        queue=_given(query.queue),
        attributes=dict(map(read_attribute, query.attribute)),
        started_after=_ms(query.started_after),
        started_before=_ms(query.started_before),
        text=query.q,
    )
    return backend.find(wanted, query.limit + 1, _given(query.cursor))


_T = TypeVar("_T")


def _given(value: _T | UnsetType) -> _T | None:
    return None if isinstance(value, UnsetType) else value


def _check_cursor(cursor: str | None) -> None:
    at, _, run_id = ("0:x" if cursor is None else cursor).partition(":")
    if not (at.isascii() and at.isdigit() and len(at) < 16 and is_run_id(run_id)):
        raise Refused(BAD_REQUEST, "take the cursor from `next` of the page before", field="cursor")


def _ms(moment: datetime | UnsetType) -> int | None:
    return None if isinstance(moment, UnsetType) else round(moment.timestamp() * 1000)


async def show_run(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    found = await asyncio.to_thread(inspect, context_of(request).host.backend, id_of(request))
    return Json(_details(found))


def schema_view(schema: Raw | None) -> t.Document | None:
    """Return a schema as it goes into an answer."""
    found: t.Document | None = None if schema is None else msgspec.json.decode(schema)
    return found


def run_view(summary: RunSummary) -> t.Run:
    """Return a run as the API shows it in listings."""
    return t.Run(
        run_id=summary.run_id,
        url=run_url(summary.run_id),
        workflow=summary.workflow,
        status=summary.status,
        build=summary.build,
        build_name=summary.build_name,
        parent=summary.parent,
        detached=summary.detached,
        started_at=time_text(summary.started_at),
        updated_at=time_text(summary.updated_at),
        ended_at=time_text(summary.ended_at),
        seq=summary.seq,
        steps_started=summary.activities_started,
        steps_done=summary.activities_done,
        steps_failed=summary.activities_failed,
        retries=summary.retries,
        crashes=summary.crashes,
        result_size=summary.result_size,
        error=summary.error,
        cancelling=summary.cancelling,
        running=summary.running,
        retrying={path: time_text(due) for path, due in summary.retrying.items()},
        sleeps={path: time_text(due) for path, due in summary.sleeps.items()},
        waits=[
            t.Wait(path=path, event=wait.event, due=time_text(wait.due))
            for path, wait in summary.waits.items()
        ],
        children=summary.children,
        queue=summary.queue,
        key=summary.key,
        priority=summary.priority,
        attributes=summary.attributes,
    )


def _details(found: Inspection) -> t.RunDetails:
    summary, told = found.summary, found.told
    return t.RunDetails(
        run=run_view(summary),
        input=found.input,
        result=told.result,
        traceback=told.traceback,
        variables=told.variables,
        progress=found.progress,
        work_errors=[t.WorkError(**one) for one in told.work_errors],
        waits=[
            t.OpenWait(
                path=path,
                event=wait.event,
                due=time_text(wait.due),
                schema=schema_view(found.schema(path, wait.event)),
            )
            for path, wait in summary.waits.items()
        ],
    )
