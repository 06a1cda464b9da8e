"""A transport that sends what belongs together at once, and is closed without the client losing any of it."""

import asyncio
from collections.abc import Callable
from typing import Any

_SECONDS = 2.0
_BYTES = 16 << 20


class Transport:
    """Stands before the transport of a connection. `is_cut` says whether a request is not read to its end.

    The first piece of an answer, its head, waits for the second one, or until the loop comes round. Where a
    request is cut, `close` says so to the client and goes on reading for a while: to close while bytes come
    in makes the system reset the connection, and the client lose what was sent. What was written goes out
    before it is closed, which may be never: `on_close` sees to that.
    """

    def __init__(
        self, transport: asyncio.Transport, is_cut: Callable[[], bool], on_close: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._is_cut = is_cut
        self._on_close = on_close
        self._closing = False
        self._held = b""
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, unless it is closed."""
        if self._closing or not data:
            return
        if self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        else:
            self._held = data
            self._loop.call_soon(self._flush)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when the rest has come in."""
        return self._closing or self._transport.is_closing()

    def abort(self) -> None:
        """Close at once."""
        self._held = b""
        self._transport.abort()

    def close(self) -> None:
        """Close when all is written, and, where a request is cut, the client has stopped."""
        if self._closing:
            return
        self._flush()
        self._closing = True
        self._on_close()
        if not self._is_cut() or self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the client is gone already
            self._transport.close()
            return
        self._transport.set_protocol(_Rest(self._transport, self._transport.get_protocol()))
        self._transport.resume_reading()

    def _flush(self) -> None:
        if self._held:
            data, self._held = self._held, b""
            self._transport.write(data)


class _Rest(asyncio.Protocol):
    """Reads what nobody wants any more, and then closes."""

    def __init__(self, transport: asyncio.Transport, before: asyncio.BaseProtocol) -> None:
        self._transport = transport
        self._before = before
        self._left = _BYTES
        self._timer = asyncio.get_running_loop().call_later(_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()

    def eof_received(self) -> None:
        """Close, now that nothing comes any more."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._before.connection_lost(exc)
