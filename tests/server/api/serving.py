"""A real server, in a thread of the test or in a process of its own: guard, wire and all.

`python -m tests.server.api.serving FOLDER [--port N]` serves the shop on a SQLite store in FOLDER.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.server import wire
from flopod.server.app import create_app
from flopod.server.context import Context
from flopod.server.enginehost import EngineHost
from flopod.server.guard import guarded
from flopod.server.settings import Settings
from tests.server.api.world import SECRET, shop


class Serving:
    """A server in a thread: where it is, and its context."""

    def __init__(self) -> None:
        self.url = ""
        self.context: Context | None = None
        self.host: EngineHost | None = None
        self._ready = threading.Event()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main(self, backend: Backend, settings: Settings) -> None:
        """Serve until it is stopped."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        source = shop()
        async with EngineHost(backend, source.manifest, source.import_module) as host:
            app = create_app(host, settings, stopping=self._stopping)
            self.context, self.host = app.state.context, host
            await wire.serve(
                guarded(app, settings),
                settings,
                wire.listen(settings),
                stopping=self._stopping,
                on_ready=self._on_ready,
            )

    def _on_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()

    def wait(self) -> None:
        """Wait until it answers."""
        assert self._ready.wait(20), "the server did not start"

    def stop(self) -> None:
        """Tell it to stop."""
        assert self._loop is not None and self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)


@contextmanager
def serving(backend: Backend | None = None, **more: Any) -> Iterator[Serving]:
    """Serve the shop in a thread of this process."""
    settings = Settings(**{"port": 0, "secret": SECRET, "shutdown_seconds": 5.0, **more})
    served = Serving()
    store = MemoryBackend() if backend is None else backend
    with shop().installed(), store:
        thread = threading.Thread(target=lambda: asyncio.run(served.main(store, settings)), daemon=True)
        thread.start()
        try:
            served.wait()
            yield served
        finally:
            served.stop()
            thread.join(20)
            assert not thread.is_alive(), "the server does not stop"


class Process:
    """A server in a process of its own, on a store in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> "Process":
        """Start it, and wait until it answers."""
        root = Path(__file__).parents[3]
        paths = [root / name for name in ("runtime", "compiler", "templates")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, [*paths, root])),
            "PYTHONHASHSEED": "0",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.api.serving", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=(self.folder / "stderr").open("a"),
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, (self.folder / "stderr").read_text()
        return self

    def client(self) -> httpx2.Client:
        """Return a client of it."""
        return httpx2.Client(base_url=self.url, timeout=20)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; return the status that it ends with."""
        assert self._process is not None
        self._process.send_signal(number)
        status = self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status

    def close(self) -> None:
        """End it if it runs still."""
        if self._process is not None and self._process.poll() is None:
            self.end(signal.SIGKILL)


def main(argv: list[str], say: Callable[[str], None] = print) -> None:
    """Serve the shop until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(argv).folder
    served = Serving()
    settings = Settings(port=0, secret=SECRET, shutdown_seconds=5)

    def on_ready() -> None:
        served.wait()
        say(served.url)
        sys.stdout.flush()

    threading.Thread(target=on_ready, daemon=True).start()
    with shop().installed(), SqliteBackend(folder / "flopod.db") as backend:
        asyncio.run(served.main(backend, settings))


if __name__ == "__main__":
    main(sys.argv[1:])
