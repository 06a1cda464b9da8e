"""Errors as RFC 9457 problems: one table says what status, slug and title each error of flopod has."""

import logging
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from starlette.responses import Response

from flopod import errors as e
from flopod.durations import BadDuration
from flopod.engine.scheduling import ScheduleExists, UnknownSchedule
from flopod.engine.waits import RunEnded
from flopod.server.host import NotRunning
from flopod.server.problem import problem
from flopod.server.signing import BadSignature, Expired

_LOGGER = logging.getLogger("flopod.server")
_PLACE = re.compile(r" - at `\$\.?(.*)`$|(?<=unknown field )`([^`]*)`|(?<=required field )`([^`]*)`")


class Problem(Struct, omit_defaults=True, kw_only=True):
    """What went wrong, as RFC 9457 says it: `type` names the kind of the problem and never changes.

    `field` is the part of the request that is wrong, `near` are names that may have been meant.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""
    field: str = ""
    near: list[str] = []


class Kind(NamedTuple):
    """A kind of problem. Of one that is not `told` the detail stays in the log of the server."""

    status: int
    slug: str
    title: str
    told: bool = True


class Refused(Exception):
    """A request that cannot be answered as it is, for a reason of HTTP; `headers` go with the answer."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        field: str = "",
        near: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.field = field
        self.near = list(near)
        self.headers = dict(headers or {})


BAD_REQUEST = Kind(400, "bad-request", "The request cannot be understood")
NOT_FOUND = Kind(404, "not-found", "There is nothing at this address")
METHOD_NOT_ALLOWED = Kind(405, "method-not-allowed", "This address does not take that method")
NOT_ACCEPTABLE = Kind(406, "not-acceptable", "There is no answer in a form that you accept")
UNSUPPORTED_MEDIA_TYPE = Kind(415, "unsupported-media-type", "The body is not in a form that can be read")
KEY_REUSED = Kind(409, "idempotency-key-reused", "The Idempotency-Key belongs to another request")
LINK_USED = Kind(409, "link-used", "The link was used before")
NOT_READY = Kind(503, "not-ready", "The server cannot take runs now")
UNEXPECTED = Kind(500, "internal-error", "Something went wrong in the server", told=False)

KINDS: dict[type[Exception], Kind] = {
    e.UnknownRun: Kind(404, "unknown-run", "There is no such run"),
    e.UnknownPath: Kind(404, "unknown-path", "The run has no such path"),
    e.UnknownEvent: Kind(404, "unknown-event", "The run does not wait for that event there"),
    e.UnknownWorkflow: Kind(404, "unknown-workflow", "There is no such workflow"),
    NotRunning: NOT_READY,
    UnknownSchedule: Kind(404, "unknown-schedule", "There is no such schedule"),
    BadSignature: Kind(404, "unknown-link", "There is no such link"),
    Expired: Kind(410, "link-expired", "The link is not valid any more"),
    e.UsageError: BAD_REQUEST,
    e.InvalidRunId: Kind(400, "invalid-id", "This cannot be an id"),
    e.BadInput: Kind(422, "bad-input", "A value does not fit"),
    BadDuration: Kind(422, "bad-duration", "This is no duration and no point in time"),
    e.InputChanged: Kind(409, "input-changed", "A run of this id exists with other arguments"),
    ScheduleExists: Kind(409, "schedule-exists", "A schedule of this name exists"),
    RunEnded: Kind(409, "run-ended", "The run is over"),
    e.Conflict: Kind(409, "conflict", "The run is in no state for this"),
    e.RunPaused: Kind(409, "run-paused", "The run is paused"),
    e.Cancelled: Kind(409, "run-cancelled", "The run is cancelled"),
    e.RunHeld: Kind(409, "run-held", "Another process has the run"),
    e.DivergenceError: Kind(409, "diverged", "The history of the run does not fit the code"),
    e.BuildMismatch: Kind(409, "build-mismatch", "The run belongs to another build"),
    e.MigrationError: Kind(409, "migration", "A recorded value does not fit the code"),
    e.StoppedByHook: Kind(403, "stopped-by-hook", "A hook does not let the run start"),
    e.ValueTooLarge: Kind(413, "value-too-large", "A value is too large to be recorded"),
    e.SerializableError: Kind(422, "not-serializable", "A value cannot be recorded"),
    e.Unsupported: Kind(501, "unsupported", "This server does not have that"),
    e.HiddenValue: Kind(503, "hidden-value", "A value cannot be read by this server"),
    e.StorageFull: Kind(507, "storage-full", "The store is full", told=False),
    e.StorageError: Kind(503, "storage-error", "The store is in trouble", told=False),
    e.DamagedLog: Kind(500, "damaged-log", "A log is damaged", told=False),
    e.FlopodError: Kind(500, "error", "That did not work"),
}
"""The kind of each error, those of its base for one that is not here."""


def kind_of(error: Exception) -> Kind:
    """Return the kind of an error, UNEXPECTED for one that nobody has raised on purpose."""
    if isinstance(error, Refused):
        return error.kind
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), UNEXPECTED)


def answer(error: Exception, instance: str = "") -> Response:
    """Return an error as a response. What is not for the client is logged, under an id that it is told."""
    kind = kind_of(error)
    headers = error.headers if isinstance(error, Refused) else {}
    if kind.status == 503:
        headers = {"Retry-After": "5", **headers}
    near, field = _near(error), getattr(error, "field", "")
    more = {"instance": instance, "field": field, "near": near}
    detail = detail_of(error)
    given = {name: value for name, value in more.items() if value}
    return problem(kind.status, kind.slug, kind.title, detail, headers=headers, **given)


def detail_of(error: Exception) -> str:
    """Return what a client is told of an error; what it is not told is logged, under an id that is told."""
    kind = kind_of(error)
    return _detail(error) if kind.told else _logged(error, kind)


def wrong_json(error: Exception) -> Refused:
    """Return what msgspec has to say about a body, with the field that it means."""
    text = str(error)
    if isinstance(error, RecursionError):
        return Refused(BAD_REQUEST, "the body is nested too deeply")
    if not isinstance(error, msgspec.ValidationError):
        return Refused(BAD_REQUEST, f"the body is no JSON document: {text}")
    return Refused(BAD_REQUEST, text, field=place_in(text))


def place_in(text: str) -> str:
    """Return the place that an error of msgspec names: `input.lines[0]` for `$.input.lines[0]`."""
    found = [next(filter(None, match.groups()), "") for match in _PLACE.finditer(text)]
    return ".".join(filter(None, reversed(found)))


def _detail(error: Exception) -> str:
    """What is wrong, in the words of HTTP, not in those of a command line."""
    if isinstance(error, e.InputChanged):
        return (
            f"the run {error.run_id!r} exists with another {error.what}: recorded {error.recorded}, given "
            f"{error.given}; give another run_id to start another run"
        )
    if isinstance(error, e.BuildMismatch):
        return f"the run {error.run_id!r} needs the build {error.needs}, this is {error.this}"
    if type(error) is e.UnknownRun:
        return str(e.UnknownRun(error.run_id, "", error.near))
    return str(error)


def _near(error: Exception) -> list[str]:
    if isinstance(error, e.UnknownWorkflow):
        import difflib

        return difflib.get_close_matches(error.name, error.known)
    near: Any = getattr(error, "near", ())
    return list(near)


def _logged(error: Exception, kind: Kind) -> str:
    """What a client is told of an error that may name files and addresses: where to find it."""
    id = secrets.token_hex(6)
    unexpected = kind is UNEXPECTED
    _LOGGER.error("%s [error %s]", kind.title if unexpected else error, id, exc_info=unexpected and error)
    return f"the log of the server has it as error {id}"
