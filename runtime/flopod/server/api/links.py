"""Links: addresses at which a person can deliver one event, once. Their signature is their permission."""

import asyncio
import secrets
import threading
from typing import Protocol, runtime_checkable

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from flopod.backends.base import Backend, now_ms
from flopod.durations import BadDuration, seconds
from flopod.engine.waits import Delivered, RunEnded, check_wait, deliver, summary_of
from flopod.errors import BadInput
from flopod.events import WaitCompleted, WaitPoint
from flopod.server import types as t
from flopod.server.api.runs import schema_view
from flopod.server.context import Context, context_of
from flopod.server.problems import BAD_REQUEST, LINK_USED, Refused
from flopod.server.reading import HTML, JSON, at_field, body_of, check_accepts, id_of, media_type, query_of
from flopod.server.replying import Json, created, time_text
from flopod.server.signing import BadSignature, sign, verify

_PURPOSE = "deliver"
_KIND = "links"
_LONGEST = 366 * 24 * 3600 * 1000
_FORM = "application/x-www-form-urlencoded"

_delivering = threading.Lock()


class Permission(Struct, frozen=True, array_like=True):
    """What a link lets its holder do, until `expires` (ms since the epoch); `nonce` tells it from others."""

    run_id: str
    path: str
    event: str
    expires: int
    nonce: str


@runtime_checkable
class LinkPages(Protocol):
    """Pages for people who have a link."""

    async def asked(self, request: Request, permission: Permission) -> Response:
        """Answer with the page of a link: what is asked, with a form, or why nothing is any more."""
        ...

    async def answered(self, request: Request, permission: Permission) -> Response:
        """Deliver what the form says by `deliver_once`, and answer with a page."""
        ...


async def make_link(request: Request) -> Response:
    check_accepts(request, JSON)
    run_id, body, context = id_of(request), await body_of(request, t.NewLink), context_of(request)
    await asyncio.to_thread(check_wait, context.host.backend, run_id, body.path, body.event)
    expires = now_ms() + _lasting(body.expires_in)
    permission = Permission(run_id, body.path, body.event, expires, secrets.token_urlsafe(9))
    token = sign(context.settings.secret, _PURPOSE, msgspec.json.encode(permission), expires)
    url = f"{context.settings.public_url or str(request.base_url).rstrip('/')}/deliver/{token}"
    return created(t.Link(url=url, expires_at=time_text(expires)), url)


def _lasting(text: str) -> int:
    """How long a link lasts, in milliseconds."""
    try:
        lasts = round(seconds(text) * 1000)
    except (BadDuration, OverflowError) as error:
        raise Refused(BAD_REQUEST, str(error), field="expires_in") from None
    if not 0 < lasts <= _LONGEST:
        raise Refused(BAD_REQUEST, "a link lasts for a moment at least, a year at most", field="expires_in")
    return lasts


async def show_link(request: Request) -> Response:
    form = check_accepts(request, JSON, HTML)
    query_of(request, t.NoQuery)
    context = context_of(request)
    permission = permission_of(context, request.path_params["token"])
    if form == HTML and isinstance(context.pages, LinkPages):
        return await context.pages.asked(request, permission)
    return Json(await asyncio.to_thread(asked, context.host.backend, permission))


async def use_link(request: Request) -> Response:
    context = context_of(request)
    permission = permission_of(context, request.path_params["token"])
    if media_type(request) == _FORM and isinstance(context.pages, LinkPages):
        return await context.pages.answered(request, permission)
    check_accepts(request, JSON)
    body = await body_of(request, t.Answer)
    payload = msgspec.json.encode(body.payload).decode()
    done = await asyncio.to_thread(deliver_once, context.host.backend, permission, payload)
    return Json(t.Delivered(run_id=done.run_id, path=done.path, event=done.event, number=done.number), 202)


def permission_of(context: Context, token: str) -> Permission:
    """Return what a link lets its holder do. Raises BadSignature, Expired."""
    payload = verify(context.settings.secret, _PURPOSE, token)
    try:
        return msgspec.json.decode(payload, type=Permission)
    except msgspec.MsgspecError:
        raise BadSignature from None


def asked(backend: Backend, permission: Permission) -> t.Asked:
    """Return what is asked at a link. Raises Refused if it was answered, UnknownRun, RunEnded."""
    point = _open(backend, permission)
    return t.Asked(
        run_id=permission.run_id,
        workflow=summary_of(backend, permission.run_id).workflow,
        path=permission.path,
        event=permission.event,
        schema=schema_view(point.schema if point is not None else None),
        expires_at=time_text(permission.expires),
    )


def deliver_once(backend: Backend, permission: Permission, payload: str) -> Delivered:
    """Deliver JSON text with a link, which then is used.

    Raises Refused if it was used before, or its wait was answered otherwise; BadInput for the payload.
    """
    with _delivering:
        _open(backend, permission)
        try:
            done = deliver(backend, permission.run_id, permission.path, permission.event, payload)
        except BadInput as error:
            raise at_field(error, "payload") from None
        backend.keep(_KIND, permission.nonce, b"%d" % permission.expires)
    return done


def _open(backend: Backend, permission: Permission) -> WaitPoint | None:
    """The wait that a link is for, if it is not answered."""
    if backend.kept(_KIND, permission.nonce) is not None:
        raise Refused(LINK_USED, f"{permission.event!r} was delivered with this link before")
    try:
        point = check_wait(backend, permission.run_id, permission.path, permission.event)
    except RunEnded as error:
        raise Refused(LINK_USED, f"{error}; the wait is over") from None
    if permission.path not in summary_of(backend, permission.run_id).waits and _is_over(backend, permission):
        raise Refused(LINK_USED, f"the run does not wait for {permission.event!r} any more")
    return point


def _is_over(backend: Backend, permission: Permission) -> bool:
    """Whether the run has waited there."""
    return any(
        isinstance(event, WaitCompleted) and event.path == permission.path
        for _, event in backend.scan(permission.run_id)
    )


def forget_used(backend: Backend, now: int) -> int:
    """Forget which links were used that are not valid any more; return how many."""
    old = [nonce for nonce, expires in backend.all_kept(_KIND).items() if int(expires) < now]
    for nonce in old:
        backend.drop(_KIND, nonce)
    return len(old)
