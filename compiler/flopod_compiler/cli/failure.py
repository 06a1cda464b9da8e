"""How a command ends with an error: as text, or with --json as an object; and what to type then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

from flopod.errors import FlopodError
from flopod.terminal import painted
from flopod_compiler.cli.answer import as_json, backend_of, say_json, say_next, with_backend

_NEXT = {
    "UnknownPath": "flopod runs show {run_id}",
    "UnknownEvent": "flopod runs show {run_id}",
    "UnknownRun": "flopod runs list",
    "UnknownSchedule": "flopod schedules list",
    "ScheduleExists": "flopod schedules list",
    "RunEnded": "flopod runs show {run_id}",
    "Conflict": "flopod runs show {run_id}",
    "RunHeld": "flopod runs show {run_id}",
}
"""What shows more, by the name of an error's class or of the nearest one above it."""


class Failure(click.ClickException):
    """An error of the command itself. `following` is what to type next, `data` is there with --json only."""

    def __init__(self, message: str, *, following: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.following = following
        self.data = data or {}

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002
        show(self.message)


def report(error: FlopodError | click.ClickException, ctx: click.Context, given: Sequence[str]) -> None:
    """Say on standard error what is wrong, and what to type next. `given` are the command's arguments.

    With --json that is one object: error, kind, exit_code and, where they are known, field, near and next.
    """
    following = _following(error, ctx)
    # Arguments that cannot be read leave nobody who has read --json.
    if as_json(ctx) or (isinstance(error, click.UsageError) and asks_json(given)):
        say_json({**described(error), "next": following} if following else described(error))
        return
    if isinstance(error, click.ClickException):
        error.show()
    else:
        show(str(error))
    if following:
        say_next(following)


def show(message: str) -> None:
    """Say that something is wrong."""
    click.echo(f"{painted('error:', 'bad')} {message}", err=True)


def asks_json(given: Sequence[str]) -> bool:
    """Whether --json is among arguments, of which it is not known what they mean."""
    options = given[: given.index("--")] if "--" in given else given
    return "--json" in options


def described(error: FlopodError | click.ClickException) -> dict[str, Any]:
    """An error as JSON data: error, kind, exit_code, and where they are known field and near."""
    found: dict[str, Any] = {
        "error": error.format_message() if isinstance(error, click.ClickException) else str(error),
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
    }
    field = _field(error)
    near = getattr(error, "near", None) or getattr(error, "possibilities", None)
    more = error.data if isinstance(error, Failure) else {}
    return {**found, **({"field": field} if field else {}), **({"near": list(near)} if near else {}), **more}


def _field(error: FlopodError | click.ClickException) -> str:
    """The place in an input, or the argument or option, that is wrong."""
    if isinstance(error, click.BadParameter):
        return error.param.name or "" if error.param is not None else str(error.param_hint or "")
    return str(getattr(error, "field", "") or getattr(error, "option_name", ""))


def _following(error: FlopodError | click.ClickException, ctx: click.Context) -> str:
    if isinstance(error, Failure):
        return error.following
    for above in type(error).__mro__:
        if above.__name__ in _NEXT and isinstance(error, FlopodError):
            return with_backend(_NEXT[above.__name__].format_map(vars(error)), backend_of(ctx))
    return ""
