"""What every handler and page has at hand: `context_of(request)`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from starlette.requests import HTTPConnection

from flopod.server.host import Host
from flopod.server.idempotency import Idempotency
from flopod.server.live import Live
from flopod.server.sse import HEARTBEAT
from flopod.server.streams import Streams

if TYPE_CHECKING:
    from flopod.server.settings import Settings


class Webhooks(Protocol):
    """Tells others that runs have ended."""

    def check(self, url: str) -> None:
        """Raise BadInput, with the field `webhook`, if nothing may be sent there."""
        ...

    def expecting(self, run_id: str, url: str) -> AbstractAsyncContextManager[None]:
        """Note durably that the end of a run is to be told, before the block starts it."""
        ...

    async def serve(self, live: Live) -> None:
        """Tell them, until it is cancelled."""
        ...


class Context(NamedTuple):
    """One control plane: its runs, who listens to them, and how it was set up."""

    host: Host
    live: Live
    settings: Settings
    streams: Streams
    idempotency: Idempotency
    pages: Any = None
    webhooks: Webhooks | None = None

    @classmethod
    def of(
        cls, host: Host, settings: Settings, pages: Any = None, webhooks: Webhooks | None = None
    ) -> Context:
        """Return the context of a new control plane."""
        live = Live(host.backend)
        streams = Streams(host.backend, live, HEARTBEAT)
        return cls(host, live, settings, streams, Idempotency(host.backend), pages, webhooks)


def context_of(connection: HTTPConnection) -> Context:
    """Return the context of the application that a request came to."""
    context: Context = connection.app.state.context
    return context
