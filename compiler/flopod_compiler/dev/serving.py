"""Serves the pages of `flopod dev` from this process, while a worker process runs the runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal as signals
from pathlib import Path

from flopod.backends.base import Backend
from flopod.backends.choose import choose
from flopod.server.observed import observed
from flopod.server.pages import Pages
from flopod.server.serving import serve_app
from flopod.server.settings import Settings
from flopod.server.wire import listen
from flopod_compiler.dev.host import DevHost
from flopod_compiler.dev.pages import Bar, dev_routes, with_bar
from flopod_compiler.dev.saying import Terminal
from flopod_compiler.dev.session import Session
from flopod_compiler.project import source_files
from flopod_templates import dashboard_files, dev_files


def develop(src: Path, settings: Settings) -> int:
    """Serve `src` until interrupted, and return the exit status. Raises UsageError, BadInput."""
    source_files(src)
    with choose(settings.backend, os.environ) as backend:
        return asyncio.run(_serve(src, settings, observed(backend)))


async def _serve(src: Path, settings: Settings, backend: Backend) -> int:
    logging.getLogger("flopod.access").setLevel(logging.WARNING)
    listening = listen(settings)
    bar, terminal = Bar(), Terminal()
    session = Session(src, backend, settings.backend, bar.changed, terminal)
    host = DevHost(backend, session)
    pages = with_bar(Pages({**dashboard_files(), **dev_files()}), session)
    facts = [
        ("source", str(src)),
        ("runs", backend.describe()),
        ("to end it", "Ctrl-C; runs go on at the next start"),
    ]
    following: list[asyncio.Task[None]] = []

    def on_ready(url: str) -> None:
        terminal.greet(url, facts)
        following.append(asyncio.create_task(session.follow(), name="flopod dev"))

    try:
        signal = await serve_app(host, settings, listening, pages, dev_routes(session, bar, pages), on_ready)
    finally:
        _end_once()
        for task in following:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await session.close()
    return 128 + signal if signal else 0


def _end_once() -> None:
    """Let a second Ctrl-C not break off what the first one has begun, which takes seconds at most."""
    loop = asyncio.get_running_loop()
    for number in (signals.SIGINT, signals.SIGTERM):
        loop.add_signal_handler(number, lambda: None)
