"""`flopod schedules`: what starts runs by the clock, in the store that an engine or a server watches."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flopod_compiler.cli.answer import answer, json_option, listing, note
from flopod_compiler.cli.base import Group, backend_option, example, source_argument, table, workflow_argument
from flopod_compiler.cli.values import schedule_names, zones

if TYPE_CHECKING:
    from flopod.engine.scheduling import Schedules

_name_argument = click.argument("name", shell_complete=schedule_names)
OVERLAPS = ("skip", "queue", "allow", "cancel")


@click.group(cls=Group)
def schedules() -> None:
    """Start runs by the clock: by a cron expression, at intervals, or once."""


@example("flopod schedules list --json")
@schedules.command("list")
@backend_option
@json_option
def list_schedules(backend: str | None) -> None:
    """List schedules, with the time at which each is due next."""
    from flopod_compiler.cli.timing import HEADINGS, described, row

    with _opened(backend) as known:
        found = [described(each) for each in known.all()]
    first = found[0]["name"] if found else None
    listing(
        found,
        lambda: table(HEADINGS, [row(each) for each in found]),
        nothing="no schedules",
        following=f"flopod schedules next {first}" if first else "flopod schedules add NAME SRC --every 1h",
        backend=backend,
    )


@example("flopod schedules add nightly src --cron '0 3 * * *' --timezone Europe/Berlin")
@schedules.command()
@click.argument("name")
@source_argument
@workflow_argument
@click.option("--cron", default="", metavar="EXPR", help='Five fields, or six with seconds: "0 8 * * 1-5".')
@click.option("--every", default="", metavar="DURATION", help="At intervals, from now on: 15m, 1h30m, 2d.")
@click.option("--once", default="", metavar="TIME", help="At 2026-05-01T12:00 in the time zone, or after 2h.")
@click.option("--input", metavar="JSON|@FILE|-", help="The arguments of each run: a JSON object or array.")
@click.option(
    "--timezone",
    "zone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    shell_complete=zones,
    help="Like Europe/Berlin.",
)
@click.option(
    "--overlap",
    type=click.Choice(OVERLAPS),
    default="skip",
    show_default=True,
    help="If the run before is open: skip the new one, queue it, allow both, or cancel the old one.",
)
@click.option(
    "--catch-up",
    default="1m",
    show_default=True,
    metavar="DURATION",
    help="Make up for what was due no longer ago, while nobody was there.",
)
@click.option("--until", metavar="TIME", help="The end of it.")
@click.option("--queue", default="", help="The queue of the runs.")
@click.option("--priority", type=int, default=0, help="Their priority in it.")
@click.option(
    "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="What they can be found by."
)
@click.option("--paused", is_flag=True, help="Keep it, and start nothing until it is resumed.")
@click.option("--replace", is_flag=True, help="Take the place of the schedule of this name.")
@backend_option
@json_option
def add(name: str, src: Path, workflow: str | None, backend: str | None, **given: Any) -> None:
    """Keep the schedule NAME, which starts runs of SRC's WORKFLOW.

    Its input is checked now, against the types of the workflow. An engine or a server on the same backend
    starts the runs; the id of each is NAME and the time at which it was due.
    """
    from flopod_compiler.cli.timing import described, keep

    added = keep(name, src, workflow, backend, given)
    answer(
        {"schedule": described(added)},
        added.name,
        following=f"flopod schedules next {added.name}",
        backend=backend,
    )


@example("flopod schedules next nightly --count 10")
@schedules.command("next")
@click.argument("name", required=False, shell_complete=schedule_names)
@click.option("--count", type=click.IntRange(1), default=5, show_default=True, help="How many times.")
@backend_option
@json_option
def next_times(name: str | None, count: int, backend: str | None) -> None:
    """Show when schedules are due next: that of NAME, or all that are not paused."""
    from flopod_compiler.cli.timing import coming

    with _opened(backend) as known:
        found = coming(known, name, count)
    first = found[0]["name"] if found else None
    listing(
        found,
        lambda: table(
            ("DUE", "SCHEDULE", "RUN"), [[one["due"], one["name"], one["run_id"]] for one in found]
        ),
        nothing="nothing is due any more",
        following=f"flopod runs list --attribute schedule={first}" if first else "flopod schedules list",
        backend=backend,
    )


@example("flopod schedules pause nightly")
@schedules.command()
@_name_argument
@backend_option
@json_option
def pause(name: str, backend: str | None) -> None:
    """Start nothing for NAME until it is resumed."""
    _change(name, backend, lambda known: known.pause(name), "paused", "is paused")


@example("flopod schedules resume nightly")
@schedules.command()
@_name_argument
@backend_option
@json_option
def resume(name: str, backend: str | None) -> None:
    """Let NAME go on; what was due while it was paused is made up for as --catch-up says."""
    _change(name, backend, lambda known: known.pause(name, False), "resumed", "goes on")


@example("flopod schedules remove nightly")
@schedules.command()
@_name_argument
@backend_option
@json_option
def remove(name: str, backend: str | None) -> None:
    """Forget NAME; the runs that it has started stay."""
    _change(name, backend, lambda known: known.remove(name), "removed", "is removed")


def _change(
    name: str, backend: str | None, change: Callable[[Schedules], None], done: str, said: str
) -> None:
    with _opened(backend) as known:
        change(known)
    note(f"{name} {said}")
    answer({"name": name, "done": done}, following="flopod schedules list", backend=backend)


def _opened(backend: str | None) -> Any:
    from flopod_compiler.cli.timing import opened

    return opened(backend, os.environ)
