"""The `flopod` command. Modules here import click only, and the rest when a command runs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the `flopod` command with the arguments of this process."""
    if sys.argv[1:2] == ["run"]:
        from flopod.engine.signals import exit_when_interrupted

        exit_when_interrupted()
    from flopod_compiler.cli.group import flopod

    flopod.main(prog_name="flopod")
