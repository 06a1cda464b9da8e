"""The wire: uvicorn with deadlines that no byte puts off, bounded connections, and an end without noise."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import struct
from collections.abc import Callable, Generator
from typing import Any, ClassVar

import h11
import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from flopod.errors import BadInput
from flopod.server.guard.guard import App
from flopod.server.settings import Settings, is_wildcard
from flopod.server.transport import Transport
from flopod.server.unread import Unread

_LOGGER = logging.getLogger("flopod.server")
_BACKLOG = 2048
_FILES = 512
"""Descriptors beside those of connections."""

_FEW_CHUNKS = 1000
_SMALL_CHUNK = 64
"""Bytes that the chunks beyond the first have on average, at least."""

_NOT_AT_ALL = struct.pack("ii", 1, 0)

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s"
)
_FULL = b'{"type":"/problems/too-many-connections","title":"Too many connections","status":503}'


class Frugal(h11.Connection):
    """HTTP/1.1 whose bodies do not come in crumbs: each chunk costs more than hundreds of its bytes."""

    _chunks = 0
    _bytes = 0

    def next_event(self) -> Any:
        """Return what comes next. Raises RemoteProtocolError, also for many chunks of next to nothing."""
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._chunks += event.chunk_start
            self._bytes += len(event.data)
            if self._chunks > _FEW_CHUNKS + self._bytes // _SMALL_CHUNK:
                raise h11.RemoteProtocolError(f"{self._chunks} chunks of {self._bytes} bytes")
        elif isinstance(event, h11.Request):
            self._chunks = self._bytes = 0
        return event


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 whose request heads have to be whole by a fixed time after their first byte.

    So must what is written be read, in the end. One more connection than there may be is told so and closed.
    """

    settings: ClassVar[Settings] = Settings()
    unread: ClassVar[Unread] = Unread(Settings().max_unread)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = Frugal(h11.SERVER, self.settings.max_head)
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        if len(self.connections) >= self.settings.max_connections:
            self._is_refused = True
            transport.write(_BUSY % (len(_FULL), _FULL))
            transport.close()
            return
        super().connection_made(self._guarded(transport))  # type: ignore[arg-type]
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._forget_timers()
        self.unread.drop(self)
        if not self._is_refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what a client has sent."""
        if self._is_refused:
            return
        # The first byte of a head sets its deadline, and the others do not.
        if self._head_timer is None and self._is_between_requests():
            self._expect_head()
        super().data_received(data)
        if self._head_timer is not None and not self._is_between_requests():
            self._head_timer.cancel()
            self._head_timer = None

    def pause_writing(self) -> None:
        """Wait for a client that reads too slowly, but not for ever."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(self.settings.write_seconds, self.abort)
        self.unread.add(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on writing."""
        super().resume_writing()
        self.unread.drop(self)
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP. Where an answer has begun already there is none."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            return super().send_400_response(msg)
        return self.transport.close()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """There are no web sockets here."""
        raise NotImplementedError

    def _should_upgrade(self) -> bool:
        return False

    def _guarded(self, transport: asyncio.Transport) -> Transport:
        return Transport(transport, self._has_unread_body, self._expect_end)

    def _expect_end(self) -> None:
        """Wait until the client has read the rest, but not for ever."""
        if self.transport.get_write_buffer_size():
            self._end_timer = self.loop.call_later(self.settings.write_seconds, self.abort)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.settings.header_seconds, self._head_is_late)

    def _is_between_requests(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _has_unread_body(self) -> bool:
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _head_is_late(self) -> None:
        self._head_timer = None
        self.transport.close()

    def abort(self) -> None:
        """Close at once. What was not read is forgotten, else the system would keep it for the client."""
        sock = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOT_AT_ALL)
        self.transport.abort()

    def _forget_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer, self._end_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._write_timer = self._end_timer = None


class _Server(uvicorn.Server):
    """A server that closes its streams first, and leaves the signal it was ended by to its caller."""

    def __init__(self, config: Config, stopping: asyncio.Event, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.signal = 0
        self._stopping = stopping
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def main_loop(self) -> None:
        # One that is told to stop from inside ends like one that gets a signal.
        ticking = asyncio.create_task(super().main_loop())
        told = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((ticking, told), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.should_exit = True
            told.cancel()
            await ticking

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await asyncio.sleep(0)
        await super().shutdown(sockets)
        if self.force_exit:  # by a second signal: what goes on beside is still told, and ends at once
            await self.lifespan.shutdown()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
        except (ValueError, RuntimeError):  # not the main thread: the caller sets `stopping`
            yield
            return
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.signal = self.signal or sig
        super().handle_exit(sig, frame)


def listen(settings: Settings) -> socket.socket:
    """Return a socket that is bound to the address of the settings. Raises BadInput."""
    try:
        found = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        raise BadInput(_why_not(settings, error), field="--port") from None
    sock.setblocking(False)
    return sock


def _why_not(settings: Settings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return f"something listens at {where} already; use another --port, or --port 0 for any that is free"
    return f"cannot listen at {where}: {error.strerror}"


def url_of(settings: Settings, sock: socket.socket) -> str:
    """Return the URL that people on this machine reach the server by, with the real port."""
    host = "127.0.0.1" if is_wildcard(settings.host) else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"


async def serve(
    app: App,
    settings: Settings,
    sock: socket.socket,
    *,
    stopping: asyncio.Event | None = None,
    on_ready: Callable[[str], None] = lambda _: None,
) -> int:
    """Serve `app` until a signal comes or `stopping` is set; return the number of the signal, 0 without one.

    `stopping` is set before connections are closed, so that streams end by themselves. `on_ready` is called
    with the URL once requests are answered.
    """
    _raise_limit(settings.max_connections + _FILES)
    stopping = asyncio.Event() if stopping is None else stopping
    url = url_of(settings, sock)
    server = _Server(_config(app, settings), stopping, lambda: on_ready(url))
    await server.serve(sockets=[sock])
    return server.signal


def _config(app: App, settings: Settings) -> Config:
    own = {"settings": settings, "unread": Unread(settings.max_unread)}
    protocol = type("DeadlineProtocol", (DeadlineProtocol,), own)
    return Config(
        app,
        http=protocol,
        ws="none",
        loop="none",
        lifespan="auto",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=settings.idle_seconds,  # type: ignore[arg-type]
        timeout_graceful_shutdown=settings.shutdown_seconds,  # type: ignore[arg-type]
    )


def _raise_limit(files: int) -> None:
    """Let this process have that many open files, as far as it may."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
