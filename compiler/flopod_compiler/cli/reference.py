"""The command reference, `docs/cli.md`, from the help of the commands themselves.

Run it to write the page: `python -m flopod_compiler.cli.reference docs/cli.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from flopod.engine.options import job_help
from flopod.manifest import Manifest, WorkflowEntry
from flopod_compiler.cli.deliver import flopod_run
from flopod_compiler.cli.group import flopod

_WIDTH = 100
_OPENING = """\
# Commands

This page is generated from the help of the commands (`python -m flopod_compiler.cli.reference docs/cli.md`).
Standard output is data: results, listings, diagnostics of `check`. Everything else is said on standard error,
the next command to type last.

With `--json` the data is one JSON document (of `runs events` one a line). What a command did is an object
with the next command as `next`; a listing is an array. An error is then an object on standard error:
`error`, `kind`, `exit_code` and, where they are known, `field`, `near` (what may have been meant) and `next`.

On a terminal statuses and diagnostics are in color. `NO_COLOR` or `TERM=dumb` keeps text plain, `FORCE_COLOR`
colors it elsewhere, too.
"""
_EXAMPLE = Manifest("3f9c1e0a55d2b7c4", "shop", {"fulfil": WorkflowEntry("fulfil", "shop.orders", "fulfil")})


def reference() -> str:
    """The page as Markdown."""
    parts = [_OPENING]
    for program, command in (("flopod", flopod), ("flopod-run", flopod_run)):
        parts += [_section(path, text) for path, text in _helps(program, command, None)]
    parts.append(_section("python bundle.py", job_help(_EXAMPLE, "python bundle.py")))
    return "\n".join(parts)


def _section(path: str, text: str) -> str:
    return f"## `{path}`\n\n```text\n{text.rstrip()}\n```\n"


def _helps(name: str, command: click.Command, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """The help of a command and of those below it, each with its full name."""
    context = click.Context(command, parent, name, terminal_width=_WIDTH, max_content_width=_WIDTH)
    context.help_option_names = ["-h", "--help"]
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            yield from _helps(below, command.commands[below], context)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
