"""`flopod runs show` and `flopod runs events`: one run, in short and event by event."""

from __future__ import annotations

import click

from flopod_compiler.cli.base import backend_option, json_option, next_step, print_json


@click.command()
@click.argument("run_id", metavar="RUN_ID")
@backend_option
@json_option
def show(run_id: str, backend: str | None, as_json: bool) -> None:
    """Show a run: status, input, result, what it waits for, variables, the last error."""
    from flopod_compiler.cli.inspecting import described, details

    found = details(run_id, backend)
    if as_json:
        print_json(found)
        return
    click.echo(described(found))
    commands = [wait["deliver"] for wait in found["waits"]]
    if commands:
        next_step(commands[0])
    else:
        next_step(f"flopod runs events {run_id}", backend)


@click.command()
@click.argument("run_id", metavar="RUN_ID")
@backend_option
@click.option("--follow", is_flag=True, help="Go on with what happens, until the run has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def events(run_id: str, backend: str | None, follow: bool, as_json: bool) -> None:
    """Print the events of a run in their order, one a line."""
    from flopod_compiler.cli.inspecting import event_lines

    for line in event_lines(run_id, backend, follow, as_json):
        click.echo(line)
