"""The bar of `flopod dev` on every page: how the source and its worker are, and what to do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from flopod.server.context import Context
from flopod.server.live import Live
from flopod.server.pages import Pages
from flopod.server.sse import BEAT, HEARTBEAT, EventStream, frame
from flopod_compiler.dev.session import Session

_CHANNEL = "flopod.dev"


class Bar:
    """Tells open pages that the session has changed."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def follow(self, live: Live) -> None:
        """Tell those who listen there."""
        self._live = live

    def changed(self) -> None:
        """Tell that the session has changed."""
        if self._live is not None:
            self._live.tell(_CHANNEL)


def with_bar(pages: Pages, session: Session) -> Pages:
    """Return the pages with the bar of a session on each."""
    pages.bar = lambda: _bar(pages, session)
    return pages


def dev_routes(session: Session, bar: Bar, pages: Pages) -> Callable[[Context], Sequence[BaseRoute]]:
    """Return what makes the routes of the bar, and of its buttons."""
    runner = session.runner
    orders: dict[str, Callable[[], object]] = {
        "crash": runner.crash,
        "step": lambda: runner.step_mode(True),
        "run": lambda: runner.step_mode(False),
    }

    async def show(_: Request) -> Response:
        return HTMLResponse(_bar(pages, session))

    async def order(request: Request) -> Response:
        wanted = orders.get(request.path_params["order"])
        if wanted is None:
            return Response("there is no such button", 404)
        wanted()
        return _back(request)

    async def go(request: Request) -> Response:
        runner.go(request.path_params["run_id"], on=request.path_params["how"] == "go-on")
        return _back(request)

    def routes(context: Context) -> Sequence[BaseRoute]:
        bar.follow(context.live)

        async def events(_: Request) -> Response:
            return EventStream(_changes(context.live))

        return [
            Route("/ui/dev/bar", show),
            Route("/ui/dev/events", events),
            Route("/ui/dev/{how:str}/{run_id}", go, methods=["POST"]),
            Route("/ui/dev/{order}", order, methods=["POST"]),
        ]

    return routes


def _back(request: Request) -> Response:
    """To the page where a button was pressed, which is one of ours."""
    page, ours = request.headers.get("referer", ""), str(request.base_url)
    return RedirectResponse(page if page.startswith(ours) else "/", 303)


def _bar(pages: Pages, session: Session) -> Markup:
    return Markup(
        pages.text(
            "_dev.html",
            compiled=session.compiled,
            is_compiling=session.is_compiling,
            runner=session.runner.state,
            build="" if session.build is None else session.build.manifest.build,
        )
    )


async def _changes(live: Live) -> AsyncIterator[bytes]:
    async with live.watch(_CHANNEL) as changes:
        yield frame(b"{}")
        while not changes.has_ended:
            if await changes.within(HEARTBEAT) is not None:
                yield frame(b"{}")
            elif not changes.has_ended:
                yield BEAT
