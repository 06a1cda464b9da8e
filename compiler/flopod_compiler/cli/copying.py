"""`flopod runs fork|export|import|replay`: a run with the past of another, in a file, against a build."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from flopod_compiler.cli.answer import answer, json_option, next_step, quoted
from flopod_compiler.cli.base import backend_option, example, run_argument, source_argument

if TYPE_CHECKING:
    from msgspec import Raw

    from flopod.backends.base import Backend


@example("flopod runs fork main-run second-try --from 'lines[2]/price'")
@click.command()
@run_argument()
@click.argument("new_run_id")
@click.argument("src", type=click.Path(path_type=Path), required=False)
@click.option("--from", "at", metavar="PATH", help="Do this operation, and all after it, anew.")
@click.option("--input", metavar="JSON|@FILE|-", help="Another input for the fork; needs SRC.")
@backend_option
@json_option
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
    answer(
        {"run_id": new_run_id, "of": run_id, "from": at},
        new_run_id,
        following=f"flopod run {quoted(src) if src else 'SRC'} --run-id {new_run_id}",
        backend=backend,
    )


def _input_of(store: Backend, run_id: str, src: Path, input: str) -> Raw:
    """The input for the workflow of a run. Raises UnknownRun, UsageError, BadInput."""
    from flopod.engine.waits import first_event, unknown_run
    from flopod_compiler.cli.called import called

    recorded = first_event(store, run_id)
    if recorded is None:
        raise unknown_run(store, run_id)
    return called(src, recorded.workflow, input).input


@example("flopod runs export main-run -o main-run.jsonl")
@click.command("export")
@run_argument()
@click.option(
    "-o", "--output", type=click.File("wb"), default="-", help="The file; standard output if left out."
)
@backend_option
@json_option
def export_run(run_id: str, output: IO[bytes], backend: str | None) -> None:
    """Write a run to a file, one record a line.

    On standard output that is JSON lines, with and without --json.
    """
    from flopod.backends.choose import choose
    from flopod.engine.copies import exported

    count = 0
    with choose(backend, os.environ) as store:
        for line in exported(store, run_id):
            output.write(line + b"\n")
            count += 1
    file = str(getattr(output, "name", "-"))
    following = f"flopod runs import {quoted(file)} --run-id COPY"
    if file in ("-", "<stdout>"):
        next_step(following, backend)
    else:
        answer({"run_id": run_id, "file": file, "records": count}, following=following, backend=backend)


@example("flopod runs import main-run.jsonl --run-id copy")
@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--run-id", metavar="ID", help="Another id for the run.")
@backend_option
@json_option
def import_run(file: IO[bytes], run_id: str | None, backend: str | None) -> None:
    """Put a run that was exported into a backend, to look at it or to go on with it."""
    from flopod.backends.choose import choose
    from flopod.engine.copies import imported

    with choose(backend, os.environ) as store:
        found = imported(store, (line.rstrip(b"\n") for line in file), run_id)
    answer({"run_id": found}, found, following=f"flopod runs show {found}", backend=backend)


@example("flopod runs replay main-run src")
@click.command()
@run_argument()
@source_argument
@backend_option
@json_option
def replay(run_id: str, src: Path, backend: str | None) -> None:
    """Replay the log of RUN_ID with a build of SRC, without calling or writing anything.

    Says where the run stands with that build, or where the two disagree; then the status is 5.
    """
    from flopod.engine import seed

    seed.settle()
    from flopod_compiler.cli.compiling import compiled
    from flopod_compiler.cli.moving import replayed

    found, manifest = compiled(src)
    verdict = replayed(found, manifest, backend, run_id)
    at, why = ", ".join(verdict["at"]), verdict["why"]
    text = f"{run_id} {verdict['verdict']}" + (f" at {at}" if at else "") + (f": {why}" if why else "")
    answer(verdict, text, following=f"flopod runs show {run_id}", backend=backend)
    if verdict["verdict"] != "fits":
        sys.exit(5)
