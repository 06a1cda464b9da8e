"""A server process, and raw sockets to it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGE = 20_000_000
"""Bytes of an answer that no system keeps for a client."""

ASK = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """A running server."""

    def __init__(self, **limits: Any) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - a pipe that nobody reads would stop it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.server.guard.program", json.dumps(limits)],
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, self.end()[1]
        self.port = int(self.url.rpartition(":")[2])

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def descriptors(self) -> int:
        """Return how many files and connections it has open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def seconds(self) -> float:
        """Return how long it has been busy."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, request: bytes = ASK) -> bytes:
        """Send bytes and return all that comes back until the server closes or stops."""
        with self.connect() as sock:
            sock.sendall(request)
            return read(sock)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it; return its status and what it has written to standard error."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.communicate(timeout=30)
        self._log.seek(0)
        return self._process.returncode, self._log.read()


@contextlib.contextmanager
def served(**limits: Any) -> Iterator[Served]:
    """Run a server while the block does; its log has no traceback at the end."""
    server = Served(**limits)
    try:
        yield server
    finally:
        status, log = server.end()
    assert status == 128 + signal.SIGTERM, log
    assert "Traceback" not in log, log


def read(sock: socket.socket) -> bytes:
    """Return what comes until the other side closes, or a whole answer has come."""
    found = b""
    while not is_whole(found):
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        found += piece
    return found


def is_whole(found: bytes) -> bool:
    """Whether that is a response with a length and the whole of its body."""
    head, end, body = found.partition(b"\r\n\r\n")
    lengths = [line[16:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
    return bool(end) and bool(lengths) and len(body) >= int(lengths[0])


def status_of(answer: bytes) -> int:
    """Return the status, 0 where there is no answer."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def closed_after(sock: socket.socket, drip: bytes, pause: float, limit: float) -> float:
    """Send a byte after each pause, for ever; return how long it took the server to close."""
    began = time.monotonic()
    sock.settimeout(pause)
    while time.monotonic() - began < limit:
        try:
            sock.sendall(drip)
            if not sock.recv(1):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began
