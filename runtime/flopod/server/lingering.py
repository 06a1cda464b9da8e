"""A transport that is closed without the client losing the answer it has not read yet."""

import asyncio
from collections.abc import Callable
from typing import Any

_SECONDS = 2.0
_BYTES = 16 << 20


class Lingering:
    """A transport; where a request is not read to its end, `close` says so and goes on reading for a while.

    To close while bytes come in makes the system reset the connection, and the client lose what was sent.
    """

    def __init__(self, transport: asyncio.Transport, is_cut: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_cut = is_cut
        self._closing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, unless it is closed."""
        if not self._closing:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when the rest has come in."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """Close, at once or once the client has stopped."""
        if self._closing:
            return
        self._closing = True
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
