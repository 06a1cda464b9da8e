"""Server-sent events: how they are written, and a response that sends them as they come."""

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

HEARTBEAT = 15.0
"""After so many seconds without an event a comment is sent, so that nobody between takes us for dead."""

BEAT = b": still here\n\n"
_RETRY = b"retry: 2000\n\n"


def frame(data: bytes, *, event: str = "", id: int | None = None) -> bytes:
    """Return an event as it is sent; `data` is one line."""
    head = b"" if id is None else b"id: %d\n" % id
    if event:
        head += b"event: %s\n" % event.encode()
    return b"%sdata: %s\n\n" % (head, data)


class EventStream(StreamingResponse):
    """Sends the frames that `frames` yields."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        super().__init__(
            _with_retry(frames), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )


async def _with_retry(frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield _RETRY
    async for each in frames:
        yield each
