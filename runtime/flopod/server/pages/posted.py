"""What a form has sent."""

import asyncio
from urllib.parse import parse_qs

from starlette.requests import Request

from flopod.errors import BadInput

_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 2000

Posted = dict[str, list[str]]


async def posted(request: Request) -> Posted:
    """Return the fields of a form by name. Raises BadInput if it is none, or has too many."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and kind != _TYPE:
        raise BadInput(f"a form is sent as {_TYPE}, not as {kind or 'nothing'}")
    try:
        # A field of megabytes takes seconds, in which others are to be answered.
        return await asyncio.to_thread(_fields, body)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadInput(f"the form cannot be read: {error}") from None


def _fields(body: bytes) -> Posted:
    return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)


def one(fields: Posted, name: str) -> str:
    """Return a field, "" if it was not sent."""
    return fields.get(name, [""])[0]
