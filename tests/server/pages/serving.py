"""Serves the travel agency with its dashboard: `python -m tests.server.pages.serving STORE PACE`.

It prints its URL once it serves. PACE is how long a call of a service takes, in seconds.
"""

import asyncio
import sys
from pathlib import Path

from flopod.backends import SqliteBackend
from flopod.server.app import create_app
from flopod.server.guard import guarded
from flopod.server.pages import Pages, page_routes
from flopod.server.settings import Settings
from flopod.server.wire import listen, serve
from flopod_compiler.testing.source import Source
from flopod_templates import dashboard_files
from tests.server.pages.world import TRAVEL, world


async def main(store: Path, pace: float) -> None:
    """Serve until a signal comes."""
    settings = Settings(port=0, secret=b"a secret of this test alone")
    source = Source(TRAVEL)
    source.import_module("travel.services").pace[0] = pace
    stopping = asyncio.Event()
    async with world(source, SqliteBackend(store)) as host:
        app = create_app(
            host, settings, pages=Pages(dashboard_files()), extra_routes=page_routes, stopping=stopping
        )
        said = lambda url: print(url, flush=True)  # noqa: E731
        await serve(guarded(app, settings), settings, listen(settings), stopping=stopping, on_ready=said)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
