"""Which runs a command means: options that all listings and all operations on many runs have."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from flopod.status import Status

if TYPE_CHECKING:
    from flopod.backends.base import Filter

_Command = TypeVar("_Command", bound=Callable[..., Any])


def filter_options(command: _Command) -> _Command:
    """Options that `wanted` makes a filter of."""
    statuses = click.Choice(get_args(Status))
    options = (
        click.option("--status", type=statuses, multiple=True, help="Runs of this status."),
        click.option("--workflow", help="Runs of this workflow."),
        click.option("--queue", help="Runs of this queue."),
        click.option(
            "--attribute", "attributes", metavar="NAME=VALUE", multiple=True, help="Runs with this attribute."
        ),
        click.option("--started-after", metavar="TIME", help="ISO 8601, or a duration ago: 2h, 30d."),
        click.option("--started-before", metavar="TIME", help="ISO 8601, or a duration ago."),
        click.option("--ended-before", metavar="TIME", help="ISO 8601, or a duration ago."),
        click.option(
            "-q", "text", metavar="TEXT", default="", help="Runs with TEXT in id, error, attributes."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def wanted(given: dict[str, Any]) -> Filter:
    """The filter that the options of a command give."""
    from flopod.backends.base import Filter

    return Filter(
        status=given["status"],
        workflow=given["workflow"],
        queue=given["queue"],
        attributes=dict(map(attribute, given["attributes"])),
        started_after=_time(given["started_after"]),
        started_before=_time(given["started_before"]),
        ended_before=_time(given["ended_before"]),
        text=given["text"],
    )


def is_given(given: dict[str, Any]) -> bool:
    """Whether any of the options says which runs are meant."""
    return any(given.values())


def attribute(text: str) -> tuple[str, Any]:
    """Read `NAME=VALUE`, where the value may be a number, true or false. Raises BadParameter."""
    from flopod.engine.inputs import read_attribute
    from flopod.errors import BadInput

    try:
        return read_attribute(text)
    except BadInput as error:
        raise click.BadParameter(str(error), param_hint="--attribute") from None


def _time(text: str | None) -> int | None:
    """Milliseconds since the epoch of a time, or of so long ago."""
    if text is None:
        return None
    from flopod.backends.base import now_ms
    from flopod.durations import seconds
    from flopod.errors import FlopodError

    try:
        return now_ms() - round(seconds(text) * 1000)
    except (FlopodError, ValueError):
        pass
    try:
        return round(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no time like 2026-05-01T12:00 and no duration like 2h"
        ) from None
