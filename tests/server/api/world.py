"""A control plane in the process of a test: a compiled source, an engine, and a client without a wire."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from httpx2 import Response

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.server.app import create_app
from flopod.server.context import Context
from flopod.server.enginehost import EngineHost
from flopod.server.settings import Settings
from flopod_compiler.testing.source import Source

SHOP = Path(__file__).parent / "project" / "src"
SECRET = b"a secret of tests, long enough"


@cache
def shop() -> Source:
    """The source of the tests, compiled once."""
    return Source(SHOP)


class World:
    """A server, and who asks it. Answers are looked at by status first: `await world.post(202, ...)`."""

    def __init__(self, client: httpx2.AsyncClient, host: EngineHost, app: Any) -> None:
        self.client = client
        self.host = host
        self.app = app
        self.context: Context = app.state.context

    async def ask(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Response:
        """Send a request; the answer has to have this status."""
        given = {} if body is None else {"json": body}
        response = await self.client.request(method, path, **given, **more)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response

    async def get(self, status: int, path: str, **more: Any) -> Any:
        """Return the JSON that is got."""
        return (await self.ask(status, "GET", path, **more)).json()

    async def post(self, status: int, path: str, body: Any = None, **more: Any) -> Any:
        """Return the JSON of the answer."""
        return (await self.ask(status, "POST", path, body, **more)).json()

    async def start(self, workflow: str, run_id: str | None = None, **input: Any) -> str:
        """Start a run; return its id."""
        body = {"workflow": workflow, "input": input, **({"run_id": run_id} if run_id else {})}
        started: str = (await self.post(202, "/runs", body))["run_id"]
        return started

    async def until(self, run_id: str, *statuses: str) -> Any:
        """Wait until a run has one of these statuses; return what is known of it."""
        end, found = time.monotonic() + 20, None
        while time.monotonic() < end:
            found = await self.get(200, f"/runs/{run_id}")
            if found["run"]["status"] in statuses:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"{run_id} is {found}, not {statuses}")


@asynccontextmanager
async def opened(backend: Backend, *, settings: Settings | None = None, **more: Any) -> AsyncIterator[World]:
    """Open a server on a store."""
    source = shop()
    settings = settings or Settings(secret=SECRET)
    with source.installed():
        async with EngineHost(backend, source.manifest, source.import_module) as host:
            app = create_app(host, settings, **more)
            transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client,
            ):
                yield World(client, host, app)


def within(
    use: Callable[[World], Coroutine[Any, Any, Any]], backend: Backend | None = None, **more: Any
) -> Any:
    """Open a server, use it, and leave it."""

    async def main() -> Any:
        store = MemoryBackend() if backend is None else backend
        with store:
            async with opened(store, **more) as world:
                return await asyncio.wait_for(use(world), 60)

    return asyncio.run(main())
