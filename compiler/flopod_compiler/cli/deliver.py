"""`flopod runs deliver` and `flopod-run deliver`: give an event to a run that waits for it."""

from __future__ import annotations

import click

from flopod_compiler.cli.answer import answer, json_option, note
from flopod_compiler.cli.base import SETTINGS, Group, backend_option, example, run_argument
from flopod_compiler.cli.values import events, paths


@example("""flopod-run deliver main-run approved approved '{"by": "Ada"}'""")
@click.command()
@run_argument()
@click.argument("path", shell_complete=paths)
@click.argument("event", shell_complete=events)
@click.argument("payload", metavar="JSON")
@backend_option
@json_option
def deliver(run_id: str, path: str, event: str, payload: str, backend: str | None) -> None:
    """Deliver EVENT with the payload JSON to the wait at PATH of the run RUN_ID.

    An event that comes before its wait is kept for it. A run takes no event at a path where it cannot
    wait, nor a payload that does not fit.
    """
    import os

    from flopod.backends.choose import choose
    from flopod.engine.waits import deliver as deliver_to

    with choose(backend, os.environ) as store:
        done = deliver_to(store, run_id, path, event, payload)
    note(f"delivered {event!r} to {path!r} of the run {run_id} (number {done.number})")
    answer(
        {"run_id": done.run_id, "path": path, "event": event, "number": done.number},
        following=f"flopod runs show {done.run_id}",
        backend=backend,
    )


@click.group(cls=Group, context_settings=SETTINGS)
def flopod_run() -> None:
    """Talk to a run from outside: what a running workflow tells you to type."""


flopod_run.add_command(deliver)


def main() -> None:
    """Run the `flopod-run` command with the arguments of this process."""
    flopod_run.main(prog_name="flopod-run")
