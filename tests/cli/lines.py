"""Command lines as text: of which command they are, and whether it would take them."""

from __future__ import annotations

import shlex

import click

from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod

PROGRAMS = {"flopod": flopod, "flopod-run": flopod_run}


def accepted(line: str) -> bool:
    """Whether a line, up to a pipe or a redirection, is one of a command. Raises click's errors if not."""
    words = shlex.split(line.partition(" > ")[0].partition(" | ")[0])
    command: click.Command = PROGRAMS[words[0]]
    around: click.Context | None = None
    while isinstance(command, click.Group):
        around = click.Context(command, around, words.pop(0), **command.context_settings)
        command = command.commands[words[0]]
    with command.make_context(words.pop(0), words, around):
        return True
