"""Command lines as text: whether a command would take them, and what a terminal gets of them."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys

import click

from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod
from tests.cli.flows import clean_environment

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


def on_terminal(*arguments: str, **environment: str) -> str:
    """What a terminal gets of both streams of a command."""
    here, there = pty.openpty()
    command = [sys.executable, "-m", "flopod_compiler.cli", *arguments]
    env = {**clean_environment(), **environment}
    done = subprocess.Popen(command, stdin=there, stdout=there, stderr=there, env=env)
    os.close(there)
    told = b""
    while piece := _read(here):
        told += piece
    os.close(here)
    done.wait(30)
    return told.decode()


def _read(terminal: int) -> bytes:
    """The next bytes; none once the other side is closed, which Linux tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
