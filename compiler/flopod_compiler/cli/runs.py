"""`flopod runs`: look at runs, start them, deliver events to them, on any backend."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.base import (
    Group,
    backend_option,
    json_option,
    next_step,
    print_json,
    source_argument,
)
from flopod_compiler.cli.deliver import deliver
from flopod_compiler.cli.show import events, show

STATUSES = (
    "pending",
    "running",
    "waiting",
    "paused",
    "completed",
    "failed",
    "cancelled",
    "diverged",
    "storage_error",
)


@click.group(cls=Group)
def runs() -> None:
    """Operate runs on any backend."""


@runs.command("list")
@backend_option
@click.option("--status", type=click.Choice(STATUSES), help="Only runs of this status.")
@click.option("--workflow", help="Only runs of this workflow.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the youngest."
)
@json_option
def list_runs(
    backend: str | None, status: str | None, workflow: str | None, limit: int, as_json: bool
) -> None:
    """List runs, the youngest first."""
    from flopod_compiler.cli.listing import listed, run_table

    found = listed(backend, status, workflow, limit)
    if as_json:
        print_json(found)
    elif found:
        click.echo(run_table(found))
        next_step(f"flopod runs show {found[0]['run_id']}" + (f" --backend {backend}" if backend else ""))
    else:
        click.echo("no runs", err=True)


@runs.command()
@source_argument
@click.argument("workflow", required=False)
@click.option("--input", metavar="JSON|@FILE|-", help="Its arguments: a JSON object or array.")
@click.option("--run-id", metavar="ID", help="The id of the run; FLOPOD_RUN_ID or main-run by default.")
@backend_option
def start(
    src: Path, workflow: str | None, input: str | None, run_id: str | None, backend: str | None
) -> None:
    """Record a run of SRC's WORKFLOW without executing it, and print its id.

    Doing it twice is doing it once; with another input it is an error.
    """
    from flopod_compiler.cli.starting import record_start

    started = record_start(src, workflow, input, run_id, backend)
    click.echo(started)
    place = f" --backend {backend}" if backend else ""
    next_step(f"flopod run {src} --run-id {started}{place}")


for _command in (show, events, deliver):
    runs.add_command(_command)
