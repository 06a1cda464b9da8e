"""Schedules: what starts runs by the clock."""

import asyncio
from typing import Any

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from flopod.backends.base import now_ms
from flopod.engine import schedule as s
from flopod.engine.inspecting import shown
from flopod.engine.scheduling import Schedules
from flopod.errors import BadInput
from flopod.server import types as t
from flopod.server.context import Context, context_of
from flopod.server.reading import JSON, at_field, body_of, check_accepts, id_of, query_of
from flopod.server.replying import Json, created, schedule_url, time_text


async def list_schedules(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    found = await asyncio.to_thread(_known(request).all)
    return Json(t.Schedules(schedules=[_view(one) for one in found]))


async def show_schedule(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    return Json(_view(await asyncio.to_thread(_known(request).get, id_of(request, "name"))))


async def add_schedule(request: Request) -> Response:
    check_accepts(request, JSON)
    body, context = await body_of(request, t.NewSchedule), context_of(request)
    made = await _made(context, body, body.name)
    await asyncio.to_thread(_known(request).add, made)
    context.host.look()
    return created(_view(made), schedule_url(made.name))


async def put_schedule(request: Request) -> Response:
    check_accepts(request, JSON)
    name, context = id_of(request, "name"), context_of(request)
    made = await _made(context, await body_of(request, t.SetSchedule), name)
    await asyncio.to_thread(_known(request).put, made)
    context.host.look()
    return Json(_view(made))


async def _made(context: Context, body: t.SetSchedule, name: str) -> s.Schedule:
    given = {field: getattr(body, field) for field in body.__struct_fields__ if field not in _OWN}
    given["priority"] = int(body.priority)
    return s.made(now_ms(), name=name, input=await _input(context, body), **given)


_OWN = ("name", "input")


async def _input(context: Context, body: t.SetSchedule) -> Raw:
    try:
        return await context.host.bound(body.workflow, body.input)
    except BadInput as error:
        raise at_field(error, "input") from None


async def remove_schedule(request: Request) -> Response:
    await asyncio.to_thread(_known(request).remove, id_of(request, "name"))
    context_of(request).host.look()
    return Response(status_code=204)


async def pause_schedule(request: Request) -> Response:
    return await _paused(request, True)


async def resume_schedule(request: Request) -> Response:
    return await _paused(request, False)


async def _paused(request: Request, paused: bool) -> Response:
    check_accepts(request, JSON)
    name, known = id_of(request, "name"), _known(request)
    await body_of(request, t.Nothing, optional=True)
    await asyncio.to_thread(known.pause, name, paused)
    context_of(request).host.look()
    return Json(_view(await asyncio.to_thread(known.get, name)))


def _known(request: Request) -> Schedules:
    return Schedules(context_of(request).host.backend)


def _view(one: s.Schedule) -> t.Schedule:
    times = one.times(max(now_ms(), one.last or 0))
    same: dict[str, Any] = {name: getattr(one, name) for name in _SAME}
    return t.Schedule(
        **same,
        url=schedule_url(one.name),
        input=shown(one.input),
        since=time_text(one.since),
        until=time_text(one.until),
        last=time_text(one.last),
        next=None if one.paused else time_text(next(times, None)),
    )


_SAME = tuple(
    name
    for name in t.Schedule.__struct_fields__
    if name not in ("url", "input", "since", "until", "last", "next")
)
