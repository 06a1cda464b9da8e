"""The `flopod` command. Modules here import click only, and the rest when a command runs."""

from __future__ import annotations

import sys

from flopod_compiler.garbage import no_collector

_COMPILING = ("build", "check", "diff", "graph", "serve")


def main() -> None:
    """Run the `flopod` command with the arguments of this process."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in _COMPILING:
        no_collector()
    if command == "run":
        from flopod.engine.signals import exit_when_interrupted

        exit_when_interrupted()
    from flopod_compiler.cli.group import flopod

    flopod.main(prog_name="flopod")
