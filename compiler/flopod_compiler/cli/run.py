"""`flopod run`: compile in memory and run, with the options and the behaviour of a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.base import example, source_argument, workflow_argument
from flopod_compiler.cli.values import backends, run_ids

LEVELS = ("debug", "info", "warning", "error", "critical")


@example("""flopod run src --input '{"name": "Ada"}'""", "flopod run src --run-id ada-1")
@click.command()
@source_argument
@workflow_argument
@click.option("--input", metavar="JSON|@FILE|-", help="Its arguments: a JSON object or array.")
@click.option(
    "--run-id", metavar="ID", shell_complete=run_ids, help="The run to start or resume; main-run by default."
)
@click.option(
    "--backend",
    metavar="BACKEND",
    shell_complete=backends,
    help="Where runs are kept: sqlite (default), file, memory, sqlite:PATH, file:DIR or postgresql://ADDRESS.",
)
@click.option("--exit-when-waiting", is_flag=True, help="End with status 3 when nothing but waits is left.")
@click.option("--resume", is_flag=True, help="Go on with a run that is paused.")
@click.option("--strict", is_flag=True, help="Treat warnings about ids as errors.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("-v", "--verbose", is_flag=True, help="Say when each step starts and ends.")
@click.option("--log-level", type=click.Choice(LEVELS), help="Show the program's own log from this level on.")
def run(src: Path, workflow: str | None, strict: bool, **options: object) -> None:
    """Compile SRC in memory and start its WORKFLOW, or resume it where it was.

    The result is JSON on standard output. The exit status is that of a bundle: 0 completed, 1 failed,
    2 bad input, 3 waiting, 4 no such run, 5 diverged, 6 storage, 7 held elsewhere, 8 cancelled.
    """
    from flopod.engine import seed

    seed.settle()

    from flopod.engine import job
    from flopod_compiler.bundle.inplace import install
    from flopod_compiler.cli.compiling import compiled

    found, manifest = compiled(src, strict=strict)
    install(found)
    program = ("flopod", "run", str(src))
    job.main(
        job_arguments(workflow, options),
        manifest,
        program=program,
        delivers=False,
        shown_by=("flopod", "runs", "show"),
    )


def job_arguments(workflow: str | None, options: dict[str, object]) -> list[str]:
    """The options as the command line of a job."""
    arguments = [workflow] if workflow else []
    for name, value in options.items():
        switch = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(switch)
        elif isinstance(value, str):
            arguments.append(f"{switch}={value}")
    return arguments
