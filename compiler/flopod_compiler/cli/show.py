"""`flopod runs show` and `flopod runs events`: one run, in short and event by event."""

from __future__ import annotations

import sys

import click

from flopod.terminal import is_terminal
from flopod_compiler.cli.answer import answer, as_json, json_option, next_step
from flopod_compiler.cli.base import backend_option, example, run_argument


@example("flopod runs show main-run")
@click.command()
@run_argument()
@backend_option
@json_option
def show(run_id: str, backend: str | None) -> None:
    """Show a run: status, input, result, what it waits for, variables, the last error."""
    from flopod_compiler.cli.inspecting import described, details

    found = details(run_id, backend)
    commands = [wait["deliver"] for wait in found["waits"]]
    if commands:
        answer(found, described(found), following=commands[0])
    else:
        answer(found, described(found), following=f"flopod runs events {run_id}", backend=backend)


@example("flopod runs events main-run --follow --json")
@click.command()
@run_argument()
@backend_option
@click.option("--follow", is_flag=True, help="Go on with what happens, until the run has ended.")
@json_option
def events(run_id: str, backend: str | None, follow: bool) -> None:
    """Print the events of a run in their order, one a line: with --json an object each."""
    from flopod_compiler.cli.inspecting import event_lines

    for line in event_lines(run_id, backend, follow, as_json()):
        click.echo(line)
    # What follows it in a pipe shows what it will, and when.
    if is_terminal(sys.stdout):
        next_step(f"flopod runs show {run_id}", backend)
