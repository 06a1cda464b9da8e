"""`flopod dev`: the control plane over the source as it is, while it is edited."""

from __future__ import annotations

from pathlib import Path

import click

from flopod_compiler.cli.base import backend_option, example, source_argument


@example("flopod dev src", "flopod dev src --port 0 --backend sqlite:runs.db")
@click.command()
@source_argument
@click.option("--host", help="The address to listen at: FLOPOD_HOST, or 127.0.0.1 by default.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port, 0 for any: FLOPOD_PORT, or 8080 by default.",
)
@backend_option
def dev(src: Path, host: str | None, port: int | None, backend: str | None) -> None:
    """Serve SRC with its dashboard, and compile it anew whenever a file is saved.

    Runs in flight go on with the new code if they fit it, else the page says why not. The page can hold each
    step until it is let go, and crash the worker process so that one can watch it resume. flopod.lock is kept
    up to date. Ctrl-C ends it; runs go on at the next start.
    """
    import os

    from flopod.server.settings import Settings
    from flopod_compiler.dev.serving import develop

    given = {"--host": host, "--port": port, "--backend": backend}
    chosen = [str(part) for option in given.items() for part in option if option[1] is not None]
    settings = Settings.read(chosen, os.environ, "flopod dev")
    raise click.exceptions.Exit(develop(src, settings))
