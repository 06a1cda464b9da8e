"""What handlers answer with: JSON of the types in `types.py`, and times as text."""

from datetime import UTC, datetime
from typing import Any, overload
from urllib.parse import quote

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode

_LAST = 253_402_300_799_000


class Json(Response):
    """A value as JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encode(content)


def created(value: Any, url: str, status: int = 201) -> Json:
    """Return what was made, with its address."""
    return Json(value, status, {"Location": url})


def run_url(run_id: str) -> str:
    """Return the address of a run: its id needs no quoting."""
    return f"/runs/{run_id}"


def schedule_url(name: str) -> str:
    """Return the address of a schedule."""
    return f"/schedules/{name}"


def workflow_url(name: str) -> str:
    """Return the address of a workflow."""
    return f"/workflows/{quote(name, safe='')}"


@overload
def time_text(at: int) -> str: ...
@overload
def time_text(at: int | None) -> str | None: ...
def time_text(at: int | None) -> str | None:
    """Return milliseconds since the epoch as RFC 3339 in UTC, which ends with the year 9999."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(min(at, _LAST) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
