"""A web server in a thread for tests of the beacon driver: what it was sent, and what it answers."""

import contextlib
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Post(NamedTuple):
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


Answer = Callable[[Post, int], tuple[int, dict[str, str], bytes]]


def ok(_post: Post, _number: int) -> tuple[int, dict[str, str], bytes]:
    """The answer of a server that takes everything."""
    return 204, {}, b""


class Web:
    """A server on a port of its own; `answer(post, number)` is asked for each post, numbered from 1."""

    def __init__(self, answer: Answer = ok, port: int = 0) -> None:
        self.posts: list[Post] = []
        self.answer = answer
        self._lock = threading.Lock()
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                web._serve(self)

            def do_GET(self) -> None:
                web._serve(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def bodies(self) -> list[bytes]:
        return [post.body for post in self.posts]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.posts.append(post := Post(request.path, headers, body))
            number = len(self.posts)
        status, told, text = self.answer(post, number)
        with contextlib.suppress(ConnectionError):  # who asked may have been killed
            _send(request, status, told, text)


def _send(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], text: bytes) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)
