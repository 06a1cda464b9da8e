"""Serves the runs of one build: the engine and the application in one process, older builds in others."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Mapping
from types import ModuleType

from msgspec.structs import replace

from flopod.backends.base import Backend
from flopod.detach.flush import flush_all_detached
from flopod.engine.console import Console
from flopod.errors import StorageError
from flopod.server.app import MoreRoutes, create_app
from flopod.server.blocking import Blocking
from flopod.server.builds import NOTED, KeptBuilds
from flopod.server.enginehost import EngineHost
from flopod.server.guard import guarded
from flopod.server.host import Build, Host
from flopod.server.logs import configure
from flopod.server.older import OlderBuilds
from flopod.server.pages import Pages, page_routes
from flopod.server.settings import Settings
from flopod.server.signing import secret
from flopod.server.webhooks import Webhooks
from flopod.server.wire import listen, serve

_LOGGER = logging.getLogger("flopod.server")


class ServerHost(EngineHost):
    """The host of a server: runs that do not fit its build go on with their own."""

    def __init__(
        self,
        backend: Backend,
        build: Build,
        import_module: Callable[[str], ModuleType],
        kept: KeptBuilds,
        older: OlderBuilds,
        *,
        concurrency: int,
    ) -> None:
        super().__init__(
            backend,
            build.manifest,
            import_module,
            sources=build.sources,
            emitted=build.emitted,
            concurrency=concurrency,
            on_misfit=older.take,
        )
        self._kept = kept
        self._older = older

    def build_of(self, build: str) -> Build | None:
        return super().build_of(build) or self._kept.get(build)

    def notice(self, run_id: str) -> str:
        return self._older.why_not(run_id)


async def serve_build(
    build: Build,
    import_module: Callable[[str], ModuleType],
    backend: Backend,
    settings: Settings,
    pages: Mapping[str, str],
    artifact: bytes,
) -> int:
    """Serve until told to stop, and return the exit status; `artifact` is the file that runs the build."""
    listening = listen(settings)
    Console().error(f"runs in {backend.describe()}")
    kept = KeptBuilds(backend)
    older = OlderBuilds(backend, kept, settings.backend)
    host = ServerHost(backend, build, import_module, kept, older, concurrency=settings.concurrency)
    name = build.manifest.build
    await asyncio.to_thread(kept.note_served, name)  # before another server can drop what is kept
    await asyncio.to_thread(kept.keep, build, artifact)
    async with host:
        noting = asyncio.create_task(_note_served(kept, name), name="flopod builds")
        tidying = asyncio.create_task(asyncio.to_thread(kept.drop_unused, name))
        watching = asyncio.create_task(Blocking(build.sources, _say_blocked).watch())
        signal = await serve_app(host, settings, listening, Pages(pages) if settings.dashboard else None)
        watching.cancel()
        await flush_all_detached(settings.shutdown_seconds)
        await older.close()
        noting.cancel()
        await tidying
    return 128 + signal if signal else 0


async def _note_served(kept: KeptBuilds, name: str) -> None:
    while True:
        await asyncio.sleep(NOTED)
        with contextlib.suppress(StorageError):
            await asyncio.to_thread(kept.note_served, name)


async def serve_app(
    host: Host,
    settings: Settings,
    listening: socket.socket,
    pages: Pages | None,
    more: MoreRoutes = lambda _: (),
    on_ready: Callable[[str], None] = lambda url: Console().error(f"serving at {url}"),
) -> int:
    """Serve a host over HTTP until told to stop; return the signal that told so, 0 without one.

    `more` makes routes beside those of the API and the pages; `on_ready` is called with the URL.
    """
    configure(settings.log_format, hidden=[settings.token] if settings.token else ())
    settings = replace(settings, secret=await asyncio.to_thread(secret, host.backend, os.environ))
    stopping = asyncio.Event()
    if pages is not None:
        asyncio.get_running_loop().run_in_executor(None, pages.load)  # while the first client comes
    app = create_app(
        host,
        settings,
        pages=pages,
        extra_routes=lambda context: [*more(context), *page_routes(context)],
        webhooks=Webhooks(host.backend, settings),
        stopping=stopping,
    )
    return await serve(guarded(app, settings), settings, listening, stopping=stopping, on_ready=on_ready)


def _say_blocked(place: str) -> None:
    if place:
        _LOGGER.warning("nothing else goes on here while %s runs: await in it, or make it a plain def", place)
