"""What requests say, as values of the types in `types.py`: bodies, queries, and what they accept."""

import json
import re
from collections import Counter
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec.inspect import IntType, ListType, StructType, type_info
from starlette.requests import Request

from flopod.errors import FlopodError
from flopod.runid import check_run_id
from flopod.server.problems import (
    BAD_REQUEST,
    NOT_ACCEPTABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Refused,
    place_in,
    wrong_json,
)

T = TypeVar("T")

JSON = "application/json"
_INTEGER = re.compile(r"-?[0-9]{1,18}")

HTML = "text/html"
SSE = "text/event-stream"


async def body_of(request: Request, kind: type[T], *, optional: bool = False) -> T:
    """Return the JSON body of a request; without an `optional` one, all defaults. Raises Refused."""
    text = await request.body()
    if optional and not text:
        return kind()
    check_json(request)
    return decoded(text, kind)


def check_json(request: Request) -> None:
    """Refuse a body that does not say that it is JSON, or that is packed. Raises Refused with 415."""
    content = media_type(request)
    if content != JSON:
        given = f"it is {content!r}" if content else "it says nothing"
        raise Refused(UNSUPPORTED_MEDIA_TYPE, f"the Content-Type has to be {JSON}, {given}")
    packed = request.headers.get("content-encoding", "identity")
    if packed.strip().lower() not in ("", "identity"):
        raise Refused(UNSUPPORTED_MEDIA_TYPE, f"send the body as it is, not in the encoding {packed!r}")


def media_type(request: Request) -> str:
    """Return the type of the body without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def decoded(text: bytes, kind: type[T]) -> T:
    """Return a JSON document as a value of a type. Raises Refused for what is wrong, with its field."""
    try:
        value: T = _decoder(kind).decode(text)
        json.loads(text, object_pairs_hook=_object)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise wrong_json(error) from None
    return value


def _decoder(kind: type[T]) -> "msgspec.json.Decoder[T]":
    found = _decoders.get(kind)
    if found is None:
        found = _decoders[kind] = msgspec.json.Decoder(kind)
    return found


_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object: msgspec takes the last of two fields of one name, and a value would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Refused(BAD_REQUEST, f"an object has the field {twice!r} twice", field=twice)
    return found


def query_of(request: Request, kind: type[T]) -> T:
    """Return the query of a request; a field that is a list may be given several times. Raises Refused."""
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict"
        )
        return msgspec.convert(_query(pairs, kind), kind)
    except msgspec.ValidationError as error:
        raise Refused(BAD_REQUEST, f"the query: {error}", field=place_in(str(error))) from None
    except ValueError as error:
        raise Refused(BAD_REQUEST, f"the query cannot be read: {error}") from None


def _query(pairs: list[tuple[str, str]], kind: Any) -> dict[str, Any]:
    fields, found = _fields(kind), dict[str, Any]()
    for name, value in pairs:
        if fields.get(name) is ListType:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Refused(BAD_REQUEST, f"the query has {name!r} twice; give it once", field=name)
        else:
            found[name] = int(value) if fields.get(name) is IntType and _INTEGER.fullmatch(value) else value
    return found


@lru_cache(64)
def _fields(kind: Any) -> dict[str, type[Any]]:
    """The kinds of the fields of a type, by their names in a query."""
    info = type_info(kind)
    assert isinstance(info, StructType)
    return {field.encode_name: type(field.type) for field in info.fields}


def id_of(request: Request, name: str = "run_id") -> str:
    """Return the id in the path of a request. Raises InvalidRunId."""
    return check_run_id(request.path_params[name])


def at_field(error: FlopodError, place: str) -> FlopodError:
    """Return an error about a part of the body as one about the body, where that part is at `place`."""
    field = getattr(error, "field", "")
    error.field = f"{place}.{field}" if field else place  # type: ignore[attr-defined]
    return error


# -- what is accepted ----------------------------------------------------------------------------


def check_accepts(request: Request, *kinds: str) -> str:
    """Return which of these forms the client likes best, the first of equals. Raises Refused with 406."""
    header = request.headers.get("accept", "*/*")
    if header in ("*/*", kinds[0]):
        return kinds[0]
    best = max(kinds, key=lambda kind: accepts(header, kind))
    if not accepts(header, best):
        offered = " or ".join(kinds)
        raise Refused(NOT_ACCEPTABLE, f"the answer would be {offered}, and Accept is {header[:200]!r}")
    return best


def accepts(header: str, kind: str) -> float:
    """Return how much an Accept header likes a media type, 0 for not at all: RFC 9110, 12.5.1."""
    found, best = 0.0, -1
    for part in header.split(","):
        name, _, rest = part.partition(";")
        rank = _rank(name.strip().lower(), kind)
        if rank > best:
            found, best = _quality(rest), rank
    return found


def _rank(pattern: str, kind: str) -> int:
    """How exactly a media range means a type, -1 for not."""
    if pattern == kind:
        return 2
    if pattern == kind.partition("/")[0] + "/*":
        return 1
    return 0 if pattern == "*/*" else -1


def _quality(parameters: str) -> float:
    for each in parameters.split(";"):
        name, _, value = each.partition("=")
        if name.strip().lower() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
