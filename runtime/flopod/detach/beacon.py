"""The driver that posts a payload to a URL, whatever becomes of the process that detached it."""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from secrets import token_hex
from time import time
from typing import Any
from urllib.parse import quote, urlsplit

from flopod.backends.choose import data_directory
from flopod.detach.driver import Capabilities, Child
from flopod.detach.handle import DetachHandle, create_handle, mark_done, mark_failed
from flopod.detach.outbox import Outbox
from flopod.detach.payload import as_json
from flopod.durations import Duration, seconds
from flopod.retry import Retry

FOLDER = "beacon"
KEY = "Idempotency-Key"
DEFAULT_RETRY = Retry(max_attempts=None, max_delay="5m", deadline="3d")

_Serialize = Callable[[Any], str | bytes]


class _Beacon:
    """Keeps the input of a child in an outbox; the child itself is not run."""

    name = "beacon"
    capabilities = Capabilities(in_process=False, survives_exit=True)

    def __init__(self, url: str, outbox: Outbox, serialize: _Serialize, head: dict[str, Any]) -> None:
        self._url = url
        self._outbox = outbox
        self._serialize = serialize
        self._head = head

    def schedule(self, child: Child, input: Any, ref_id: str) -> DetachHandle:  # noqa: ARG002
        handle = create_handle(ref_id)
        try:
            self._outbox.put(self._head_of(ref_id), _bytes(self._serialize(input)))
        except Exception as error:
            mark_failed(handle, error)
        else:
            self._outbox.ensure_posted()
            mark_done(handle, {"accepted": True, "url": self._url})
        return handle

    def _head_of(self, ref_id: str) -> dict[str, Any]:
        headers = {KEY: f"{quote(ref_id)}-{token_hex(8)}", **self._head["headers"]}
        return {**self._head, "id": ref_id, "created": time(), "headers": headers}

    def __repr__(self) -> str:
        return f"<driver {self.name} {self._url}>"


def create_beacon_driver(
    url: str,
    *,
    folder: str | PathLike[str] | None = None,
    serialize: _Serialize | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: Duration = 10,
    retry: Retry = DEFAULT_RETRY,
) -> _Beacon:
    """A driver that posts the input, as JSON or as what `serialize` gives, to `url`; the child is not run.

    The handle is done when the input is in the outbox `folder`, on disk: a process of its own posts it,
    until it is taken, refused, or given up by `retry`, whose deadline counts from the detach. A post may
    come twice, with the same Idempotency-Key. What an earlier process left is posted when the driver is made.
    Raises TypeError and ValueError for what cannot be a URL, headers or a policy.
    """
    outbox = Outbox(Path(folder) if folder is not None else data_directory() / FOLDER)
    head = {
        "url": _checked_url(url),
        "headers": _checked_headers(headers or {}, serialize is None),
        "timeout": _checked_timeout(timeout),
        "retry": _policy(retry),
    }
    if not outbox.is_empty():
        outbox.ensure_posted()
    return _Beacon(url, outbox, serialize or as_json, head)


def _checked_url(url: object) -> str:
    if not isinstance(url, str):
        raise TypeError(f"create_beacon_driver(url={url!r}): give the URL to post to, as text")
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(
            f"create_beacon_driver(url={url!r}): give an http or https URL, such as "
            "https://example.com/events, with other characters than ASCII percent-encoded"
        )
    if "@" in urlsplit(url).netloc:
        raise ValueError("create_beacon_driver(url=...): put user and password into headers=, not the URL")
    return url


def _checked_headers(headers: Mapping[str, str], is_json: bool) -> dict[str, str]:
    if not isinstance(headers, Mapping):
        raise TypeError(f"create_beacon_driver(headers={headers!r}): give a mapping of names to texts")
    for name, value in headers.items():
        if not _fits_header(name) or not _fits_header(value) or not name or ":" in name:
            raise ValueError(f"create_beacon_driver(headers=...): {name!r} is no header of ASCII on one line")
    given = {name.title(): value for name, value in headers.items()}
    return {"Content-Type": "application/json" if is_json else "application/octet-stream", **given}


def _fits_header(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()


def _checked_timeout(timeout: Duration) -> float:
    if seconds(timeout) <= 0:
        raise ValueError(f"create_beacon_driver(timeout={timeout!r}): give more than nothing")
    return seconds(timeout)


def _policy(retry: Retry) -> dict[str, Any]:
    """What the helper needs of a policy: it sees answers, no errors of Python."""
    if not isinstance(retry, Retry):
        raise TypeError(f"create_beacon_driver(retry={retry!r}): give a flopod.Retry")
    if retry.retry_on != DEFAULT_RETRY.retry_on or retry.give_up_on:
        raise ValueError(
            "create_beacon_driver(retry=...): leave out retry_on and give_up_on; what is posted again is "
            "what got no answer, a 408, 425, 429 or 5xx"
        )
    return {
        "max_attempts": retry.max_attempts,
        "backoff": retry.backoff,
        "delay": seconds(retry.delay),
        "max_delay": seconds(retry.max_delay),
        "jitter": retry.jitter,
        "deadline": None if retry.deadline is None else seconds(retry.deadline),
    }


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    raise TypeError(f"serialize= of a beacon returned {type(body).__name__}; return str or bytes")
