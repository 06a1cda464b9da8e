"""How much one request may be: its head, its streams, and how deep its JSON nests."""

import contextlib
import re
from array import array
from collections.abc import Iterator
from itertools import accumulate

from starlette.responses import Response

from flopod.server.guard.head import Head
from flopod.server.problem import problem
from flopod.server.settings import Settings

STREAM = "text/event-stream"

# An end that is missing is as good as one at the end of the text: nothing is looked at twice.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_REST = bytes(set(range(256)) - set(b"[{]}"))


class HeadLimits:
    """Bounds the head of a request, and refuses one whose end two readers could see in two places."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, head: Head) -> Response | None:
        """Return a refusal, None if the head is small and sound."""
        headers = head.scope["headers"]
        size = sum(len(name) + len(value) + 4 for name, value in headers)
        if len(headers) > self._settings.max_headers or size > self._settings.max_head:
            return problem(431, "headers-too-large", "Headers too large", self._say_headers())
        if len(head.scope["query_string"]) > self._settings.max_query:
            text = f"the query may have {self._settings.max_query} bytes"
            return problem(414, "query-too-long", "Query too long", text)
        if not head.path.startswith("/") or len(head.path) > self._settings.max_query:
            return problem(400, "bad-target", "Bad target", "ask for a path, which begins with a slash")
        return _framing(head)

    def _say_headers(self) -> str:
        settings = self._settings
        return f"there may be {settings.max_headers} headers of {settings.max_head} bytes together"


def _framing(head: Head) -> Response | None:
    lengths, encodings = head.all(b"content-length"), head.all(b"transfer-encoding")
    if len(lengths) > 1 or (lengths and encodings):
        text = "send one Content-Length, or `Transfer-Encoding: chunked`, but not both"
        return problem(400, "ambiguous-length", "Ambiguous length", text)
    if lengths and not lengths[0].isdigit():
        return problem(400, "ambiguous-length", "Ambiguous length", "the Content-Length is no number")
    if encodings and [value.lower() for value in encodings] != [b"chunked"]:
        return problem(400, "ambiguous-length", "Ambiguous length", "the one Transfer-Encoding is chunked")
    return None


class Streams:
    """Counts the requests that are answered by a stream of events, and bounds them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.open = 0

    def __call__(self, head: Head) -> Response | None:
        """Return a refusal if this would be one stream too many."""
        if self.open < self._most or not is_stream(head):
            return None
        return problem(
            503,
            "too-many-streams",
            "Too many streams",
            f"{self._most} clients are following events already; come back later",
            headers={"retry-after": "5"},
        )

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a stream while the block runs."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


def is_stream(head: Head) -> bool:
    """Whether a client asks for a stream of events; what is at `/events` is one for whoever asks."""
    named = head.accepts(STREAM) or head.accepts("text/*")
    return head.method == "GET" and (named or head.path == "/events")


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether the arrays and objects of a JSON text nest deeper than `depth`; costs what reading it does."""
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    steps = array("b", _STRINGS.sub(b"", text).translate(_STEPS, _REST))
    return max(accumulate(steps), default=0) > depth


def has_more(text: bytes, values: int) -> bool:
    """Whether a JSON text has more values than so many: short ones take far longer to read than long ones."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") <= values:
        return False
    bare = _STRINGS.sub(b"", text)
    return bare.count(b",") + bare.count(b"[") + bare.count(b"{") > values
