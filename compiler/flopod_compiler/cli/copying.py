"""`flopod runs fork|export|import|replay`: a run with the past of another, in a file, against a build."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from flopod_compiler.cli.base import backend_option, json_option, next_step, print_json, source_argument

if TYPE_CHECKING:
    from msgspec import Raw

    from flopod.backends.base import Backend


@click.command()
@click.argument("run_id")
@click.argument("new_run_id")
@click.argument("src", type=click.Path(path_type=Path), required=False)
@click.option("--from", "at", metavar="PATH", help="Do this operation, and all after it, anew.")
@click.option("--input", metavar="JSON|@FILE|-", help="Another input for the fork; needs SRC.")
@backend_option
def fork(
    run_id: str, new_run_id: str, src: Path | None, at: str | None, input: str | None, backend: str | None
) -> None:
    """Begin the run NEW_RUN_ID with the past of RUN_ID up to a path.

    Without --from it has all of the past but its end. What another input asks for otherwise than recorded
    stops the fork as diverged. SRC is where its workflow is, whose types say how the input is read.
    """
    from flopod.backends.choose import choose
    from flopod.engine import copies

    if input is not None and src is None:
        raise click.UsageError("an --input is read by the types of the workflow: give its source as SRC")
    with choose(backend, os.environ) as store:
        given = None if input is None or src is None else _input_of(store, run_id, src, input)
        copies.fork(store, run_id, new_run_id, at, given)
    click.echo(new_run_id)
    next_step(f"flopod run {src or 'SRC'} --run-id {new_run_id}", backend)


def _input_of(store: Backend, run_id: str, src: Path, input: str) -> Raw:
    """The input for the workflow of a run. Raises UnknownRun, UsageError, BadInput."""
    from flopod.engine.waits import first_event, unknown_run
    from flopod_compiler.cli.called import called

    recorded = first_event(store, run_id)
    if recorded is None:
        raise unknown_run(store, run_id)
    return called(src, recorded.workflow, input).input


@click.command("export")
@click.argument("run_id")
@click.option(
    "-o", "--output", type=click.File("wb"), default="-", help="The file; standard output if left out."
)
@backend_option
def export_run(run_id: str, output: IO[bytes], backend: str | None) -> None:
    """Write a run to a file, one record a line."""
    from flopod.backends.choose import choose
    from flopod.engine.copies import exported

    with choose(backend, os.environ) as store:
        for line in exported(store, run_id):
            output.write(line + b"\n")
    next_step(f"flopod runs import {getattr(output, 'name', '-')} --run-id COPY", backend)


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--run-id", metavar="ID", help="Another id for the run.")
@backend_option
def import_run(file: IO[bytes], run_id: str | None, backend: str | None) -> None:
    """Put a run that was exported into a backend, to look at it or to go on with it."""
    from flopod.backends.choose import choose
    from flopod.engine.copies import imported

    with choose(backend, os.environ) as store:
        found = imported(store, (line.rstrip(b"\n") for line in file), run_id)
    click.echo(found)
    next_step(f"flopod runs show {found}", backend)


@click.command()
@click.argument("run_id")
@source_argument
@backend_option
@json_option
def replay(run_id: str, src: Path, backend: str | None, as_json: bool) -> None:
    """Replay the log of RUN_ID with a build of SRC, without calling or writing anything.

    Says where the run stands with that build, or where the two disagree; then the status is 5.
    """
    from flopod.engine import seed

    seed.settle()
    from flopod_compiler.cli.compiling import compiled
    from flopod_compiler.cli.moving import replayed

    found, manifest = compiled(src)
    verdict = replayed(found, manifest, backend, run_id)
    if as_json:
        print_json(verdict)
    else:
        at = ", ".join(verdict["at"])
        click.echo(
            f"{run_id} {verdict['verdict']}"
            + (f" at {at}" if at else "")
            + (f": {verdict['why']}" * bool(verdict["why"]))
        )
    next_step(f"flopod runs show {run_id}", backend)
    if verdict["verdict"] != "fits":
        sys.exit(5)
