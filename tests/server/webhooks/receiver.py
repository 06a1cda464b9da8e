"""A receiver of webhooks: a real HTTP server in a thread, which checks signatures by itself."""

import base64
import hmac
import http.server
import json
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, TypeAlias


class Got(NamedTuple):
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Whether it verifies as the specification says, written here a second time."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        wanted = "v1," + base64.b64encode(hmac.new(key, content, sha256).digest()).decode()
        return wanted in self.headers["webhook-signature"].split(" ")


Answer: TypeAlias = int | Callable[[http.server.BaseHTTPRequestHandler], None]


class Receiver:
    """`answers` are given one after the other, the last one again and again: a status, or what to do."""

    def __init__(self, *answers: Answer) -> None:
        self.got: list[Got] = []
        self.answers: Sequence[Answer] = answers or (204,)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append(Got(self.path, headers, body))
                answer, *later = receiver.answers
                receiver.answers = later or [answer]
                if callable(answer):
                    return answer(self)
                self.send_response(answer)
                self.send_header("content-length", "0")
                return self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?a=1"

    def wait(self, count: int = 1, seconds: float = 20) -> list[Got]:
        """Return what has come once it is so many."""
        end = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} of {count} came"
            time.sleep(0.02)
        return self.got

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
