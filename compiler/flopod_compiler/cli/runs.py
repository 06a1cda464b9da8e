"""`flopod runs`: look at runs, start them, operate them, on any backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flopod_compiler.cli.answer import answer, json_option, listing, next_step, note, quoted
from flopod_compiler.cli.base import Group, backend_option, example, source_argument, workflow_argument
from flopod_compiler.cli.copying import export_run, fork, import_run, replay
from flopod_compiler.cli.deliver import deliver
from flopod_compiler.cli.filtering import filter_options, is_given, wanted
from flopod_compiler.cli.operating import cancel, pause, prune, resume, retry
from flopod_compiler.cli.show import events, show


@click.group(cls=Group)
def runs() -> None:
    """Operate runs on any backend."""


@example("flopod runs list --status waiting --started-after 2h", "flopod runs list --json")
@runs.command("list")
@backend_option
@filter_options
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the youngest."
)
@click.option("--cursor", metavar="CURSOR", help="Go on after the place that a listing ended with.")
@json_option
def list_runs(backend: str | None, limit: int, cursor: str | None, **given: Any) -> None:
    """List runs, the youngest first."""
    from flopod_compiler.cli.listing import listed, place_after, run_table

    found = listed(backend, wanted(given), limit, cursor)
    listing(found, lambda: run_table(found), nothing="no runs")
    if len(found) == limit:
        place = place_after(found[-1])
        note(f"more: repeat this with --cursor {place}", {"more": {"cursor": place}})
    if found:
        next_step(f"flopod runs show {found[0]['run_id']}", backend)
    else:
        next_step("flopod runs list" if is_given(given) else "flopod run SRC", backend)


@example("""flopod runs start src --input '{"name": "Ada"}' --run-id ada-1""")
@runs.command()
@source_argument
@workflow_argument
@click.option("--input", metavar="JSON|@FILE|-", help="Its arguments: a JSON object or array.")
@click.option("--run-id", metavar="ID", help="The id of the run; FLOPOD_RUN_ID or main-run by default.")
@backend_option
@json_option
def start(
    src: Path, workflow: str | None, input: str | None, run_id: str | None, backend: str | None
) -> None:
    """Record a run of SRC's WORKFLOW without executing it, and print its id.

    Doing it twice is doing it once; with another input it is an error.
    """
    from flopod_compiler.cli.starting import record_start

    started = record_start(src, workflow, input, run_id, backend)
    answer(
        {"run_id": started},
        started,
        following=f"flopod run {quoted(src)} --run-id {started}",
        backend=backend,
    )


for _command in (
    show,
    events,
    deliver,
    cancel,
    pause,
    resume,
    retry,
    fork,
    replay,
    export_run,
    import_run,
    prune,
):
    runs.add_command(_command)
