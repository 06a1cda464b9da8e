"""Visits to pages: a host with a store in memory, and a client without a network."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

from httpx2 import ASGITransport, AsyncClient, Response

from flopod.backends import MemoryBackend
from flopod.backends.base import Backend
from flopod.server.app import create_app
from flopod.server.guard import guarded
from flopod.server.pages import Pages, page_routes
from flopod.server.settings import Settings
from flopod_compiler.testing.source import Source
from flopod_templates import dashboard_files
from tests.server.pages.world import World, world

VOID = {
    "meta",
    "link",
    "input",
    "img",
    "br",
    "rect",
    "line",
    "path",
    "circle",
    "col",
    "polyline",
    "use",
    "hr",
}


SETTINGS = Settings(secret=b"a secret of this test alone")


class Visit:
    """A client of the pages of a world."""

    def __init__(self, world: World, client: AsyncClient) -> None:
        self.world = world
        self.client = client

    @property
    def backend(self) -> Backend:
        return self.world.backend

    async def get(self, url: str, status: int = 200) -> str:
        """Return a page that is well-formed and has nothing that the content policy forbids."""
        answer = await self.client.get(url)
        assert answer.status_code == status, answer.text[:500]
        check_html(answer.text)
        return answer.text

    async def post(self, url: str, **fields: Any) -> Response:
        """Send a form."""
        named = {name.replace("__", "/"): value for name, value in fields.items()}
        return await self.client.post(url, data=named)


def visit(
    source: Source,
    scenario: Callable[[Visit], Awaitable[None]],
    backend: Backend | None = None,
    settings: Settings = SETTINGS,
) -> None:
    """Let a scenario visit the pages of a host, which is gone after."""

    async def main() -> None:
        async with world(source, backend or MemoryBackend()) as host:
            app = create_app(host, settings, pages=Pages(dashboard_files()), extra_routes=page_routes)
            transport = ASGITransport(app=guarded(app, settings))
            origin = "http://127.0.0.1:8080"
            async with AsyncClient(
                transport=transport, base_url=origin, headers={"Origin": origin}
            ) as client:
                await asyncio.wait_for(scenario(Visit(host, client)), 60)

    asyncio.run(main())


class _Checker(HTMLParser):
    """Complains of tags that are not closed in order, and of what a strict content policy blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert "style" not in names, f"<{tag}> has an inline style"
        assert not [name for name in names if name.startswith("on")], f"<{tag}> has an inline handler"
        assert tag != "style", "a style sheet stands in the page"
        assert tag != "script" or "src" in names, "a script stands in the page"
        given = dict(attrs).get("id")
        assert given is None or given not in self.ids, f"the id {given} is there twice"
        self.ids |= {given} if given else set()
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"</{tag}> ends nothing"
            found = self.open.pop()
            assert found == tag, f"</{tag}> ends <{found}>"


def check_html(text: str) -> None:
    """Check that a page is well-formed, and that a browser with a strict policy shows all of it."""
    checker = _Checker()
    checker.feed(text)
    assert not checker.open


def words(html: str) -> str:
    """The text of a page, without tags, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
