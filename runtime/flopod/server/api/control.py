"""What is done to a run from outside: deliver, cancel, pause, resume, retry, fork."""

import asyncio

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response

from flopod.engine import control
from flopod.engine.control import Done
from flopod.engine.copies import fork
from flopod.engine.waits import deliver, summary_of
from flopod.errors import BadInput
from flopod.runid import check_run_id, new_run_id
from flopod.server import types as t
from flopod.server.context import Context, context_of
from flopod.server.reading import JSON, at_field, body_of, check_accepts, id_of
from flopod.server.replying import Json, created, run_url

_AT_ONCE = (Done.NOW, Done.ALREADY)


async def deliver_event(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body = id_of(request), await body_of(request, t.Deliver)
    backend = context_of(request).host.backend
    payload = msgspec.json.encode(body.payload).decode()
    try:
        done = await asyncio.to_thread(deliver, backend, run_id, body.path, body.event, payload)
    except BadInput as error:
        raise at_field(error, "payload") from None
    view = t.Delivered(run_id=done.run_id, path=done.path, event=done.event, number=done.number)
    return Json(view, 202)


async def cancel_run(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body = id_of(request), await body_of(request, t.Cancel, optional=True)
    backend = context_of(request).host.backend
    return _ordered(
        run_id, await asyncio.to_thread(control.cancel, backend, run_id, body.reason, force=body.force)
    )


async def pause_run(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body = id_of(request), await body_of(request, t.Because, optional=True)
    backend = context_of(request).host.backend
    return _ordered(run_id, await asyncio.to_thread(control.pause, backend, run_id, body.reason))


async def resume_run(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id = id_of(request)
    await body_of(request, t.Nothing, optional=True)
    return _ordered(run_id, await asyncio.to_thread(control.resume, context_of(request).host.backend, run_id))


async def retry_run(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body = id_of(request), await body_of(request, t.Because, optional=True)
    backend = context_of(request).host.backend
    return _ordered(run_id, await asyncio.to_thread(control.retry, backend, run_id, body.reason))


def _ordered(run_id: str, done: Done) -> Json:
    status = 200 if done in _AT_ONCE else 202
    return Json(t.Ordered(run_id=run_id, done=done.value), status)


async def fork_run(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body = id_of(request), await body_of(request, t.Fork, optional=True)
    context = context_of(request)
    new_id = new_run_id() if body.run_id is None else check_run_id(body.run_id)
    given = await _input(context, run_id, body)
    await asyncio.to_thread(fork, context.host.backend, run_id, new_id, body.at, given)
    return created(t.Started(run_id=new_id, status="pending", url=run_url(new_id)), run_url(new_id))


async def _input(context: Context, run_id: str, body: t.Fork) -> Raw | None:
    """The input of the fork, by the types of the workflow that the run is of."""
    if body.input is None:
        return None
    workflow = await asyncio.to_thread(_workflow, context, run_id)
    try:
        return await context.host.bound(workflow, body.input)
    except BadInput as error:
        raise at_field(error, "input") from None


def _workflow(context: Context, run_id: str) -> str:
    backend = context.host.backend
    return summary_of(backend, run_id).workflow
