"""The dashboard: pages that are made here and work without a script; with one they follow the runs."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from flopod.errors import Conflict, FlopodError, StorageError, UnknownRun, UnknownWorkflow, UsageError
from flopod.server.pages.orders import OrderPages
from flopod.server.pages.run import RunPage
from flopod.server.pages.runs import RunPages
from flopod.server.pages.schedules import SchedulePages
from flopod.server.pages.site import Context, Pages, Site, static_response
from flopod.server.pages.workflows import WorkflowPages

__all__ = ["Pages", "Site", "page_routes"]

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]

_STATUS: tuple[tuple[type[FlopodError], int, str], ...] = (
    (Conflict, 409, "Not now"),
    (UnknownRun, 404, "Not found"),
    (UnknownWorkflow, 404, "Not found"),
    (UsageError, 400, "Bad request"),
    (StorageError, 503, "The store is in trouble"),
)


def page_routes(context: Context) -> list[Route]:
    """Return the routes of the dashboard, `/` and all below `/ui/`; none without templates."""
    if context.pages is None:
        return []
    site = Site(context.host, context.pages)
    run = RunPage(site)
    runs, orders = RunPages(site), OrderPages(site, run)
    workflows, schedules = WorkflowPages(site), SchedulePages(site)
    get: list[tuple[str, Endpoint]] = [
        ("/", runs.list),
        ("/ui/runs/{run_id}", run.page),
        ("/ui/runs/{run_id}/live", run.live),
        ("/ui/runs/{run_id}/operation", run.operation),
        ("/ui/runs/{run_id}/events/{seq:int}", run.event),
        ("/ui/runs/{run_id}/events/{seq:int}/{field}", run.raw),
        ("/ui/workflows", workflows.list),
        ("/ui/workflows/{name}", workflows.page),
        ("/ui/schedules", schedules.list),
        ("/ui/static/{file}", lambda request: _static(site, request)),
    ]
    post: list[tuple[str, Endpoint]] = [
        ("/ui/bulk", runs.bulk),
        ("/ui/runs/{run_id}/fork", orders.fork),
        ("/ui/runs/{run_id}/deliver", orders.deliver),
        ("/ui/runs/{run_id}/{order}", orders.order),
        ("/ui/workflows/{name}", workflows.start),
        ("/ui/schedules/{name}/{order}", schedules.order),
    ]
    return [
        *(Route(path, _guarded(site, endpoint), methods=["GET"]) for path, endpoint in get),
        *(Route(path, _guarded(site, endpoint), methods=["POST"]) for path, endpoint in post),
    ]


def _static(site: Site, request: Request) -> Response:
    file = site.pages.static.get(request.path_params["file"])
    if file is None:
        return site.pages.problem(404, "Not found", "There is no such file.")
    return static_response(file, request)


def _guarded(site: Site, endpoint: Any) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose errors are pages; one that is no coroutine runs in a thread: it reads the store."""
    is_async = inspect.iscoroutinefunction(endpoint)

    async def answer(request: Request) -> Response:
        try:
            if is_async:
                return cast(Response, await endpoint(request))
            return cast(Response, await run_in_threadpool(endpoint, request))
        except FlopodError as error:
            return _refusal(site, error)

    return answer


def _refusal(site: Site, error: FlopodError) -> Response:
    for kind, status, title in _STATUS:
        if isinstance(error, kind):
            return site.pages.problem(status, title, str(error))
    return site.pages.problem(500, "That did not work", str(error))
