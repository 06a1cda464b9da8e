"""A server for the tests of the wire: `python -m tests.server.guard.program OPTIONS`; prints its URL."""

import asyncio
import json
import sys
from typing import Any

from msgspec.structs import replace

from flopod.server import logs
from flopod.server.guard import guarded
from flopod.server.settings import Settings
from flopod.server.wire import listen, serve
from tests.server.guard.wired import LARGE

LIMITS = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}


class App:
    """Echoes bodies; streams until it is told to stop, or for ever."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path = scope["path"]
        if path == "/stream":
            await self._stream(send, self.stopping)
        elif path == "/deaf":
            await self._stream(send, asyncio.Event())
        elif path == "/flood":
            await self._flood(send)
        elif path == "/page":
            await self._answer(send, b"x" * 50_000)
        elif path == "/large":
            await self._answer(send, b"x" * LARGE)
        elif path == "/broken":
            raise ValueError("internals")
        else:
            body = (await receive())["body"]
            await self._answer(send, body or b"ok")

    async def _answer(self, send: Any, body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})

    async def _stream(self, send: Any, until: asyncio.Event) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        await until.wait()
        await send({"type": "http.response.body", "body": b"data: bye\n\n"})

    async def _flood(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(2000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def main() -> int:
    """Serve until a signal comes."""
    settings = replace(Settings(port=0), **LIMITS)
    logs.configure("json")
    app = App()
    return await serve(
        guarded(app, settings),
        settings,
        listen(settings),
        stopping=app.stopping,
        on_ready=lambda url: print(url, flush=True),
    )


if __name__ == "__main__":
    number = asyncio.run(main())
    sys.exit(128 + number if number else 0)
