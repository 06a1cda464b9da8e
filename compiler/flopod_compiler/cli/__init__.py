"""The `flopod` command. Modules here import click only, and the rest when a command runs."""

from __future__ import annotations


def main() -> None:
    """Run the `flopod` command with the arguments of this process."""
    from flopod_compiler.cli.group import flopod

    flopod.main(prog_name="flopod")
