"""`flopod check`: the diagnostics of a source, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.answer import as_json, json_option, next_step, note, quoted
from flopod_compiler.cli.base import example, source_argument

FORMATS = ("text", "json", "sarif", "github")


@example("flopod check src", "flopod check src --format sarif > flopod.sarif")
@click.command()
@source_argument
@click.option(
    "--format", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print them."
)
@json_option
@click.option("--strict", is_flag=True, help="Treat warnings about ids as errors.")
@click.option("--all-functions", is_flag=True, hidden=True, help="Take every function as a workflow; count.")
def check(src: Path, format: str, strict: bool, all_functions: bool) -> None:
    """Report everything in SRC that cannot be compiled, with the place and a rewrite.

    If a build would change flopod.lock, its plan is printed on standard error. SRC is the source folder or a
    single file. Ends with status 1 if there are errors. --json is short for --format json.
    """
    if all_functions:
        _census(src)
        return
    if as_json():
        format = "json"
    from flopod_compiler.build import compile_project
    from flopod_compiler.cli.compiling import SourceErrors, rendered
    from flopod_compiler.cli.locking import show_plan
    from flopod_compiler.stored import cache_folder

    found = compile_project(src, strict=strict, caching=cache_folder())
    if found.diagnostics or format != "text":
        click.echo(rendered(found, found.diagnostics, format, in_color=True).rstrip("\n"))
    if not found.ok:
        raise SourceErrors(found, found.diagnostics, printed=True)
    show_plan(found)
    names = ", ".join(found.manifest.workflows) if found.manifest else ""
    count = len(found.project.modules)
    modules = f"{count} module{'s' if count != 1 else ''}"
    note(f"no errors in {modules}; workflows: {names}")
    next_step(f"flopod build {quoted(src)}")


def _census(src: Path) -> None:
    """What becomes of every function, by rule; a fault of the compiler is the only failure."""
    from flopod_compiler.cli.census import totals
    from flopod_compiler.survey import survey

    found = survey(src)
    click.echo(totals(found))
    for fault in found.faults:
        click.echo(f"fault: {fault}", err=True)
    if found.faults:
        raise click.exceptions.Exit(1)
