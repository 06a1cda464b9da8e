"""A bare HTTP client for load: keep-alive connections over asyncio streams, in a process of its own.

    python loadclient.py rate HOST PORT PATH BODY RATE SECONDS CONNECTIONS
    python loadclient.py most HOST PORT PATH BODY COUNT CONNECTIONS
    python loadclient.py listen HOST PORT PATH COUNT SECONDS

`rate` sends at a fixed rate whether or not answers come: a stall shows as the time of all that waited. `most`
sends as fast as answers come. `listen` opens event streams and waits for an event on each. {n} in a path or
body is a number of its own in each request. Prints one JSON document.
"""

import asyncio
import gc
import json
import sys
import time


def _request(host: str, port: int, path: str, body: str, number: int) -> bytes:
    path, content = path.replace("{n}", str(number)), body.replace("{n}", str(number)).encode()
    method = b"POST" if content else b"GET"
    head = b"%s %s HTTP/1.1\r\nHost: %s:%d\r\n" % (method, path.encode(), host.encode(), port)
    if content:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(content)
    return head + b"\r\n" + content


class Connection(asyncio.Protocol):
    """One request at a time; the answer's status is what a call gets."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def call(self, request: bytes) -> int:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        place = head.find(b"content-length:")
        length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._buffer) >= end + 4 + length and self._answer is not None:
            status = int(self._buffer[9:12])
            self._buffer = self._buffer[end + 4 + length :]
            answer, self._answer = self._answer, None
            answer.set_result(status)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)


async def _connections(host: str, port: int, count: int) -> list[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]


async def rate(
    host: str, port: int, path: str, body: str, per_second: float, seconds: float, count: int
) -> None:
    """Send at a fixed rate; a request whose connection is busy waits, and that is part of its time."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for each in await _connections(host, port, count):
        free.put_nowait(each)
    taken: list[float] = []
    statuses: dict[int, int] = {}

    async def one(number: int, due: float) -> None:
        connection = await free.get()
        status = await connection.call(_request(host, port, path, body, number))
        free.put_nowait(connection)
        taken.append(time.perf_counter() - due)
        statuses[status] = statuses.get(status, 0) + 1

    began = time.perf_counter()
    tasks = []
    for number in range(int(per_second * seconds)):
        due = began + number / per_second
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    _show(taken, statuses, time.perf_counter() - began)


async def most(host: str, port: int, path: str, body: str, total: int, count: int) -> None:
    """Send as fast as answers come, on all connections."""
    numbers = iter(range(total))
    taken: list[float] = []
    statuses: dict[int, int] = {}

    async def one(connection: Connection) -> None:
        for number in numbers:
            began = time.perf_counter()
            status = await connection.call(_request(host, port, path, body, number))
            taken.append(time.perf_counter() - began)
            statuses[status] = statuses.get(status, 0) + 1

    connections = await _connections(host, port, count)
    began = time.perf_counter()
    await asyncio.gather(*map(one, connections))
    _show(taken, statuses, time.perf_counter() - began)


async def listen(host: str, port: int, path: str, count: int, seconds: float) -> None:
    """Open event streams, say so on standard output, and wait for a line from standard input.

    From then on the time of the next event on each is taken.
    """
    came: list[float] = []
    loop = asyncio.get_running_loop()
    all_came = asyncio.Event()
    watching = False

    class Stream(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            head = f"GET {path.replace('{n}', str(next(numbers)))} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            transport.write((head + "Accept: text/event-stream\r\n\r\n").encode())
            self.came = False

        def data_received(self, data: bytes) -> None:
            if watching and not self.came and b"data:" in data:
                self.came = True
                came.append(time.time())
                if len(came) == count:
                    all_came.set()

    numbers = iter(range(count))
    for _ in range(count):
        await loop.create_connection(Stream, host, port)
    await asyncio.sleep(1)
    watching = True
    print(json.dumps({"open": count}), flush=True)
    try:
        async with asyncio.timeout(seconds):
            await all_came.wait()
    except TimeoutError:
        pass
    print(json.dumps({"came": len(came), "first": min(came, default=0), "last": max(came, default=0)}))


def _show(taken: list[float], statuses: dict[int, int], seconds: float) -> None:
    taken.sort()
    shares = {f"p{share}": taken[min(len(taken) * share // 100, len(taken) - 1)] for share in (50, 95, 99)}
    print(json.dumps({"per_second": len(taken) / seconds, "statuses": statuses, "max": taken[-1], **shares}))


def main() -> None:
    """Do what the arguments say."""
    gc.disable()
    kind, host, port, path, *rest = sys.argv[1:]
    match kind:
        case "rate":
            asyncio.run(rate(host, int(port), path, rest[0], float(rest[1]), float(rest[2]), int(rest[3])))
        case "most":
            asyncio.run(most(host, int(port), path, rest[0], int(rest[1]), int(rest[2])))
        case _:
            asyncio.run(listen(host, int(port), path, int(rest[0]), float(rest[1])))


if __name__ == "__main__":
    main()
