"""The dashboard: pages that are made here and work without a script; with one they follow the runs."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from flopod.server.api.links import Permission
from flopod.server.context import Context
from flopod.server.pages import person
from flopod.server.pages.login import LoginPages
from flopod.server.pages.orders import OrderPages
from flopod.server.pages.run import RunPage
from flopod.server.pages.runs import RunPages
from flopod.server.pages.schedules import SchedulePages
from flopod.server.pages.site import Site, Templates, static_response
from flopod.server.pages.workflows import WorkflowPages
from flopod.server.problems import NOT_FOUND, Refused

__all__ = ["Pages", "page_routes"]

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class Pages(Templates):
    """The dashboard's templates, and the pages for people who were sent a link."""

    async def asked(self, request: Request, permission: Permission) -> Response:
        """Answer with what is asked at a link, and a form."""
        return await _safely(self, partial(person.asked, self, permission=permission), request)

    async def answered(self, request: Request, permission: Permission) -> Response:
        """Deliver what the form of a link says."""
        return await _safely(self, partial(person.answered, self, permission=permission), request)


def page_routes(context: Context) -> list[Route]:
    """Return the routes of the dashboard, `/` and all below `/ui/`; none without `context.pages`."""
    pages = context.pages
    if not isinstance(pages, Templates):
        return []
    if context.settings.token is not None:
        pages.offer_logout()
    site = Site(context.host, pages)
    run = RunPage(site)
    runs, orders = RunPages(site), OrderPages(site, run)
    workflows, schedules = WorkflowPages(site), SchedulePages(site)
    login = LoginPages(site, context.settings)
    get: list[tuple[str, Endpoint]] = [
        ("/", runs.index),
        ("/ui/runs/{run_id}", run.page),
        ("/ui/runs/{run_id}/live", run.live),
        ("/ui/runs/{run_id}/operation", run.operation),
        ("/ui/runs/{run_id}/events/{seq}", run.event),
        ("/ui/runs/{run_id}/events/{seq}/{field}", run.raw),
        ("/ui/workflows", workflows.index),
        ("/ui/workflows/{name:path}", workflows.page),
        ("/ui/schedules", schedules.index),
        ("/ui/login", login.page),
        ("/ui/static/{file}", lambda request: static_response(pages, request)),
        ("/ui", lambda _: RedirectResponse("/", 303)),
        ("/ui/{rest:path}", _nothing_there),
    ]
    post: list[tuple[str, Endpoint]] = [
        ("/ui/bulk", runs.bulk),
        ("/ui/login", login.log_in),
        ("/ui/logout", login.log_out),
        ("/ui/runs/{run_id}/fork", orders.fork),
        ("/ui/runs/{run_id}/deliver", orders.deliver),
        ("/ui/runs/{run_id}/{order}", orders.order),
        ("/ui/workflows/{name:path}", workflows.start),
        ("/ui/schedules/{name}/{order}", schedules.order),
    ]
    return [
        *(Route(path, _guarded(pages, endpoint), methods=["GET"]) for path, endpoint in get),
        *(Route(path, _guarded(pages, endpoint), methods=["POST"]) for path, endpoint in post),
    ]


def _nothing_there(request: Request) -> Response:
    raise Refused(NOT_FOUND, f"There is no page at {request.url.path}.")


def _guarded(pages: Templates, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await _safely(pages, endpoint, request)

    return answer


async def _safely(pages: Templates, endpoint: Any, request: Request) -> Response:
    """What an endpoint answers, its errors as pages; one that is no coroutine runs in a thread: it reads."""
    try:
        if inspect.iscoroutinefunction(endpoint):
            return cast(Response, await endpoint(request))
        return cast(Response, await run_in_threadpool(endpoint, request))
    except Exception as error:
        return pages.refusal(error)
