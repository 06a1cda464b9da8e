"""A client of server-sent events, as strict as the format."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx2
import msgspec

SSE = {"Accept": "text/event-stream"}


class Message(NamedTuple):
    """An event as it came; the `comment` of one that is none."""

    id: str
    event: str
    data: Any
    comment: str = ""


@asynccontextmanager
async def followed(
    client: httpx2.AsyncClient, path: str, **headers: str
) -> AsyncIterator[AsyncIterator[Message]]:
    """Follow what an address tells."""
    async with client.stream("GET", path, headers={**SSE, **headers}) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield _messages(response)


async def _messages(response: httpx2.Response) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line.startswith(":"):
            yield Message("", "", None, line[1:].strip())
        elif line:
            name, _, value = line.partition(": ")
            assert name in ("id", "event", "data", "retry") and name not in fields, line
            fields[name] = value
        elif "data" in fields:
            yield Message(fields.get("id", ""), fields.get("event", ""), msgspec.json.decode(fields["data"]))
            fields = {}
        else:
            fields = {}


async def rest(messages: AsyncIterator[Message]) -> list[Message]:
    """Return what comes until the end."""
    return [one async for one in messages]
