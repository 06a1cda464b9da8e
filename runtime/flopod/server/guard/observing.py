"""Sees every request: gives it an id, notes it in the log and the metrics, and answers what went wrong."""

import logging
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from flopod.server.guard.bodies import Message, Receive
from flopod.server.guard.guard import App, Send
from flopod.server.guard.head import Scope
from flopod.server.guard.headers import secured
from flopod.server.guard.limits import STREAM
from flopod.server.logs import shown_path
from flopod.server.metrics import REQUESTS, Requests
from flopod.server.problem import problem

HEADER = b"x-request-id"

_LOGGER = logging.getLogger("flopod.access")
_SHAPE = re.compile(rb"[A-Za-z0-9_.:-]{1,64}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def observed(app: App, requests: Requests = REQUESTS) -> App:
    """Return `app` such that its requests are logged and counted, and their errors answered."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        return await _Request(scope, requests).serve(app, receive, send)

    return serve


class _Request:
    """One request under way. `scope["flopod.request_id"]` has its id."""

    def __init__(self, scope: Scope, requests: Requests) -> None:
        self._scope = scope
        self._requests = requests
        self._began = time.perf_counter()
        self._status = 0
        self._is_stream = False
        self._id = _request_id(scope)
        scope["flopod.request_id"] = self._id.decode()

    async def serve(self, app: App, receive: Receive, send: Send) -> None:
        async def noted(message: Message) -> None:
            await send(self._started(message) if message["type"] == "http.response.start" else message)

        try:
            await app(self._scope, receive, noted)
        except Exception:
            _LOGGER.exception("a request failed", extra=self._extra())
            if not self._status:
                await self._answer_trouble(receive, noted)
        finally:
            self._end()

    def _started(self, message: Message) -> Message:
        self._status = message["status"]
        headers = list(message.get("headers", ()))
        self._is_stream = any(
            name == b"content-type" and value.startswith(STREAM.encode()) for name, value in headers
        )
        self._requests.streams += self._is_stream
        return {**message, "headers": [*headers, (HEADER, self._id)]}

    async def _answer_trouble(self, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            await send(secured(dict(message), ()) if message["type"] == "http.response.start" else message)

        text = f"this is a mistake of the server; its log has it under the request id {self._id.decode()}"
        answer = problem(500, "internal", "Internal error", text, headers={"connection": "close"})
        await answer(self._scope, receive, send_secured)

    def _end(self) -> None:
        self._requests.streams -= self._is_stream
        seconds = time.perf_counter() - self._began
        method = self._scope["method"]
        self._requests.note(route_of(self._scope), method, self._status, None if self._is_stream else seconds)
        level = logging.DEBUG if self._scope["path"] in _QUIET and self._status < 400 else logging.INFO
        if _LOGGER.isEnabledFor(level):
            extra = self._extra(seconds)
            _LOGGER.log(level, "%s %s %s", method, extra["path"], self._status or "cut off", extra=extra)

    def _extra(self, seconds: float | None = None) -> Mapping[str, Any]:
        return {
            "request_id": self._id.decode(),
            "method": self._scope["method"],
            "path": shown_path(self._scope["path"]),
            "status": self._status or None,
            "ms": None if seconds is None else round(seconds * 1000, 2),
            "run_id": self._scope.get("path_params", {}).get("run_id"),
        }


def route_of(scope: Scope) -> str:
    """Return the template of the route that took a request, "none" if none did: `/runs/{run_id}`."""
    found = scope.get("flopod.route") or getattr(scope.get("route"), "path", None)
    return str(found) if found else "none"


def _request_id(scope: Scope) -> bytes:
    """The id that the client gives, if it is one; else a new one."""
    given = [value for name, value in scope["headers"] if name == HEADER]
    if len(given) == 1 and _SHAPE.fullmatch(given[0]):
        return bytes(given[0])
    return secrets.token_hex(8).encode()
