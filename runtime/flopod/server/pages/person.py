"""The page at a link: what a run asks a person, a form to answer it, and that it was answered."""

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flopod import codec
from flopod.errors import BadInput
from flopod.server.api.links import Permission, deliver_once
from flopod.server.api.links import asked as what_is_asked
from flopod.server.context import context_of
from flopod.server.pages.posted import Posted, posted
from flopod.server.pages.site import Templates
from flopod.server.views.forms import Field, blame, form_of, read


async def asked(pages: Templates, request: Request, permission: Permission) -> Response:
    """Show what is asked, with a form. Raises Refused if it was answered, UnknownRun, RunEnded."""
    return await run_in_threadpool(_asked, pages, request, permission)


def _asked(pages: Templates, request: Request, permission: Permission) -> Response:
    found = what_is_asked(context_of(request).host.backend, permission)
    return _page(pages, permission, found.workflow, form_of(found.schema, permission.event))


async def answered(pages: Templates, request: Request, permission: Permission) -> Response:
    """Deliver what the form says, and thank for it; or show the form again with what is wrong."""
    fields = await posted(request)
    return await run_in_threadpool(_answered, pages, request, permission, fields)


def _answered(pages: Templates, request: Request, permission: Permission, fields: Posted) -> Response:
    backend = context_of(request).host.backend
    found = what_is_asked(backend, permission)
    form = form_of(found.schema, permission.event)
    try:
        data = read(form, fields)
        if found.schema is not None:
            codec.check_schema(found.schema, data)
    except BadInput as error:
        return _page(pages, permission, found.workflow, form, blame(form, error), 422)
    deliver_once(backend, permission, json.dumps(data))
    return pages.page("answered.html", permission=permission, workflow=found.workflow)


def _page(
    pages: Templates, permission: Permission, workflow: str, form: Field, error: str = "", status: int = 200
) -> Response:
    return pages.page("asked.html", status, permission=permission, workflow=workflow, form=form, error=error)
