"""What is wrong, as a response: the problem documents of RFC 9457."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"
TYPES = "/problems/"
"""Where the types of problems are, relative to the server."""


def problem(
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem as a response.

    `slug` names the kind of problem for programs, `title` for people; `detail` says what is wrong here and
    what to do. `more` are members beside these, such as `field` and `near`.
    """
    document = {"type": TYPES + slug, "title": title, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(document), status, headers, PROBLEM_TYPE)
