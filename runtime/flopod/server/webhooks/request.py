"""One post of a webhook: to the one address that was looked at, within a fixed time, following nothing."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple

import h11

from flopod.backends.base import now_ms
from flopod.server.webhooks.addresses import Ip, Refused, Target, resolve

SECONDS = 15.0
_READ = 1024
_LISTENS = 1.0
_PIECE = 4096
_LARGEST_HEAD = 16384


class Answer(NamedTuple):
    """What came of a post. `status` is 0 where nobody answered, `wait` the ms that a Retry-After asks for."""

    status: int
    reason: str = ""
    wait: int = 0

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300

    @property
    def is_unwanted(self) -> bool:
        """Whether the receiver wants no more of it."""
        return self.status == 410


async def post(
    target: Target, headers: Mapping[str, str], body: bytes, *, private: bool, seconds: float = SECONDS
) -> Answer:
    """Post once, and wait for an answer no longer than `seconds`, whatever comes meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(target, await resolve(target, private=private), headers, body)
    except TimeoutError:
        return Answer(0, f"no answer within {seconds:g} s")
    except Refused as refused:
        return Answer(0, str(refused))
    except (OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")


async def _exchange(target: Target, address: Ip, headers: Mapping[str, str], body: bytes) -> Answer:
    secure = target.scheme == "https"
    reader, writer = await asyncio.open_connection(
        str(address),
        target.port,
        ssl=_tls() if secure else None,
        server_hostname=target.host.rstrip(".") if secure else None,
        limit=_LARGEST_HEAD,
    )
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        writer.write(_request(connection, target, headers, body))
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.transport.abort()


def _request(connection: h11.Connection, target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    said = {"host": target.authority, **headers, "content-length": str(len(body)), "connection": "close"}
    request = h11.Request(method="POST", target=target.path, headers=list(said.items()))
    parts = (request, h11.Data(data=body), h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    while not isinstance(event := await _next(connection, reader), h11.Response):
        if not isinstance(event, h11.InformationalResponse):
            return Answer(0, "no answer")
    # Some receivers take it ill if nobody listens; what they say then does not matter.
    with contextlib.suppress(OSError, h11.RemoteProtocolError):
        async with asyncio.timeout(_LISTENS):
            read = 0
            while read < _READ and isinstance(said := await _next(connection, reader), h11.Data):
                read += len(said.data)
    return _answer_of(event)


async def _next(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_PIECE))
    return event


def _answer_of(response: h11.Response) -> Answer:
    said = {name.decode(): value.decode("latin-1") for name, value in response.headers}
    reason = f"{response.status_code} {bytes(response.reason).decode('latin-1')}".strip()[:200]
    if 300 <= response.status_code < 400:
        reason += ": redirects are not followed"
    return Answer(response.status_code, reason, _wait(said.get("retry-after", "")))


def _wait(given: str) -> int:
    if given.isascii() and given.isdigit() and len(given) < 10:
        return int(given) * 1000
    try:
        return max(0, int(parsedate_to_datetime(given).timestamp() * 1000) - now_ms())
    except (TypeError, ValueError, OverflowError):
        return 0


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
