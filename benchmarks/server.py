"""What a server does under load: starts a second, event streams, the run list, and what waiting runs weigh.

A real server process on SQLite, and a bare client in a process of its own; the client's ceiling, against a
socket that answers at once, is measured in the same run. Sizes are those of the goals; --share makes them
smaller. Times say something about this machine only.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table import Row, parser, show

HERE = Path(__file__).parent
CLIENT = HERE / "loadclient.py"
_START = '{"workflow":"one_step","input":[{n}]}'
_WAIT = '{"workflow":"waiting","input":[{n}]}'
_CONNECTIONS = 64


class Server:
    """The linked server as a process, on the SQLite file `database`."""

    def __init__(self, script: Path, database: Path) -> None:
        began = time.perf_counter()
        command = [sys.executable, str(script), "--port", "0", "--backend", f"sqlite:{database}"]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.port = self._port()
        threading.Thread(target=self._drain, daemon=True).start()
        self.wait_until_ready()
        self.started_in = time.perf_counter() - began

    def _port(self) -> int:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                return int(found[1])
        raise SystemExit("the server did not start")

    def _drain(self) -> None:
        for _ in self._process.stderr or ():
            pass

    def wait_until_ready(self) -> None:
        while True:
            try:
                self.get("/readyz")
            except OSError:
                time.sleep(0.01)
            else:
                return

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            body: bytes = answer.read()
            return body

    def seconds(self, path: str, times: int = 20) -> float:
        """The median time of a GET."""
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            self.get(path)
            taken.append(time.perf_counter() - began)
        return sorted(taken)[times // 2]

    def megabytes(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None
        return int(found[1]) / 1024

    def counts(self) -> dict[str, int]:
        text = self.get("/metrics").decode()
        return {name: int(float(n)) for name, n in re.findall(r'flopod_runs\{status="(\w+)"\} (\S+)', text)}

    def wait_for(self, status: str, count: int) -> None:
        while self.counts().get(status, 0) < count:
            time.sleep(0.2)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        self._process.wait()


def client(*arguments: object) -> dict[str, Any]:
    """Run the client to its end."""
    command = [sys.executable, str(CLIENT), *map(str, arguments)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def ceiling(count: int) -> float:
    """Requests a second of the client against a socket that answers at once."""
    answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self._transport = transport

        def data_received(self, _data: bytes) -> None:
            self._transport.write(answer)

    async def serve(listening: socket.socket) -> None:
        await (await asyncio.get_running_loop().create_server(Answering, sock=listening)).serve_forever()

    listening = socket.create_server(("127.0.0.1", 0))
    process = os.fork()
    if not process:
        asyncio.run(serve(listening))
    try:
        port = listening.getsockname()[1]
        return float(client("most", "127.0.0.1", port, "/runs", _START, count, _CONNECTIONS)["per_second"])
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def starts(server: Server, seconds: float) -> Iterator[Row]:
    """`POST /runs` of one-step runs as fast as can be, and at a fixed rate; they are executed meanwhile."""
    where = "127.0.0.1", server.port, "/runs", _START
    most = client("most", *where, int(1000 * seconds), _CONNECTIONS)
    yield Row(
        "POST /runs, as fast as can be",
        "sqlite",
        most["per_second"],
        "/s",
        ">= 1,000/s",
        (floor := ceiling(20_000)),
        most["per_second"] / floor,
    )
    fixed = client("rate", *where, 1000, seconds, _CONNECTIONS)
    assert set(most["statuses"]) == set(fixed["statuses"]) == {"202"}, (most, fixed)
    yield Row("POST /runs at 1,000/s, sustained", "sqlite", fixed["per_second"], "/s", ">= 990/s")
    yield Row("  its p50", "sqlite", fixed["p50"] * 1000, "ms")
    yield Row("  its p99", "sqlite", fixed["p99"] * 1000, "ms", "< 100 ms")


def streams(server: Server, count: int) -> Iterator[Row]:
    """So many event streams of one run: how long until an event is on all of them."""
    started = json.loads(_post(server, "/runs", '{"workflow":"waiting","input":[1]}'))
    run_id = started["run_id"]
    command = ["listen", "127.0.0.1", server.port, f"/runs/{run_id}/events", count, 30]
    listener = subprocess.Popen(
        [sys.executable, str(CLIENT), *map(str, command)], stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    listener.stdout.readline()
    began = time.time()
    _post(server, f"/runs/{run_id}/deliver", '{"path":"answer","event":"answer","payload":1}')
    found = json.loads(listener.stdout.readline())
    listener.wait()
    yield Row(f"{count:,} event streams: that got it", "sqlite", found["came"], "", f"{count:,}")
    yield Row("  until the last one had it", "sqlite", (found["last"] - began) * 1000, "ms")


def _post(server: Server, path: str, body: str) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content


def memory(server: Server, few: int, many: int) -> Iterator[Row]:
    """What the process weighs after many runs, against what it weighed after few."""
    done = server.counts().get("completed", 0)
    sizes = []
    for total in (few, many):
        if total > done:
            client("most", "127.0.0.1", server.port, "/runs", _START, total - done, _CONNECTIONS)
            server.wait_for("completed", total)
            done = total
        time.sleep(1)
        sizes.append(server.megabytes())
    yield Row(
        f"memory after {many:,} runs", "sqlite", sizes[1], "MB", "<= 1.1x", sizes[0], sizes[1] / sizes[0]
    )


def waiting(script: Path, database: Path, count: int) -> Iterator[Row]:
    """So many runs that wait for an event: what they weigh, the run list, and a restart with them."""
    server = Server(script, database)
    client("most", "127.0.0.1", server.port, "/runs", _WAIT, count, _CONNECTIONS)
    server.wait_for("waiting", count)
    yield Row(f"memory with {count:,} waiting runs", "sqlite", server.megabytes(), "MB", "< 300 MB")
    yield Row("first page of the dashboard", "sqlite", server.seconds("/") * 1000, "ms", "< 50 ms")
    yield Row("GET /runs", "sqlite", server.seconds("/runs") * 1000, "ms", "< 50 ms")
    server.stop(signal.SIGKILL)
    server = Server(script, database)
    yield Row(
        "restart after SIGKILL, until it is ready", "sqlite", server.started_in * 1000, "ms", "< 3,000 ms"
    )
    yield Row("  memory then", "sqlite", server.megabytes(), "MB", "< 300 MB")
    server.stop()


def measured(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    flopod = Path(sys.executable).with_name("flopod")
    source = str(HERE / "load" / "src")
    subprocess.run([flopod, "serve", source, "-o", str(folder)], check=True, capture_output=True)
    share = options.share
    server = Server(folder / "server.py", folder / "runs.db")
    yield from starts(server, max(30 * share, 3))
    yield from streams(server, int(1000 * share))
    yield from memory(server, int(20_000 * share), int(200_000 * share))
    server.stop()
    yield from waiting(folder / "server.py", folder / "waiting.db", int(100_000 * share))


def main() -> int:
    """Measure, and print the table."""
    made = parser(__doc__)
    made.add_argument("--share", type=float, default=1.0, help="of the sizes of the goals")
    options = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return show(measured(options, Path(folder)), options.json)


if __name__ == "__main__":
    sys.exit(main())
