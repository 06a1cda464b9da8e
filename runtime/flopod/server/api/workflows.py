"""Workflows: what can be started, and how it looks."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from flopod.errors import UnknownWorkflow
from flopod.graph import draw
from flopod.server import types as t
from flopod.server.context import Context, context_of
from flopod.server.host import WorkflowInfo
from flopod.server.reading import JSON, check_accepts, query_of
from flopod.server.replying import Json, workflow_url

TYPES = {
    "svg": "image/svg+xml",
    "mermaid": "text/vnd.mermaid",
    "dot": "text/vnd.graphviz",
    "json": JSON,
}


async def list_workflows(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    host = context_of(request).host
    build = host.build.manifest.build
    return Json(t.Workflows(workflows=[_view(info, build) for info in host.workflows()]))


async def show_workflow(request: Request) -> Response:
    check_accepts(request, JSON)
    query_of(request, t.NoQuery)
    context = context_of(request)
    info = _named(context, request.path_params["name"])
    return Json(_view(info, context.host.build.manifest.build))


def _named(context: Context, name: str) -> WorkflowInfo:
    known = {info.entry.name: info for info in context.host.workflows()}
    if name not in known:
        raise UnknownWorkflow(name, known)
    return known[name]


def _view(info: WorkflowInfo, build: str) -> t.Workflow:
    entry = info.entry
    return t.Workflow(
        name=entry.name,
        description=info.description,
        version=entry.version,
        queue=entry.queue,
        build=build,
        input_schema=dict(info.schema),
        waits=[t.WaitPlace(path=each.path, event=each.event) for each in entry.waits],
        url=workflow_url(entry.name),
    )


async def draw_workflow(request: Request) -> Response:
    context, name = context_of(request), request.path_params["name"]
    query = query_of(request, t.GraphQuery)
    check_accepts(request, TYPES[query.format])
    _named(context, name)
    text = await asyncio.to_thread(_drawn, context, name, query.format)
    return Response(text, media_type=TYPES[query.format])


def _drawn(context: Context, workflow: str, format: str) -> str:
    return draw(context.host.build.manifest, workflow, format)
