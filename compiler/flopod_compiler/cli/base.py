"""What the commands share: groups that report flopod's errors, common options, the next step."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from flopod.errors import FlopodError, StorageError

_Command = TypeVar("_Command", bound=Callable[..., Any])

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(click.Group):
    """Commands in the order in which they are used; an error of flopod ends one with its status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None:
                raise
            _leave_standard_output()
            click.echo(f"error: standard output cannot be written: {error.strerror}", err=True)
            sys.exit(StorageError.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except FlopodError as error:
            click.echo(f"error: {error}", err=True)
            raise click.exceptions.Exit(error.exit_code) from None


def _leave_standard_output() -> None:
    """Let what is still in its buffer go nowhere, so that the interpreter does not fail on it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def source_argument(command: _Command) -> _Command:
    """The folder or file with the workflows."""
    return click.argument("src", type=click.Path(path_type=Path))(command)


def output_option(command: _Command) -> _Command:
    """Where built files go."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        default="dist",
        show_default=True,
        help="The folder to write to.",
    )(command)


def lock_options(command: _Command) -> _Command:
    """How strict a build is about flopod.lock and ids."""
    strict = click.option("--strict", is_flag=True, help="Treat warnings about ids as errors.")
    locked = click.option(
        "--locked", is_flag=True, help="Fail if flopod.lock would change, and write nothing."
    )
    return locked(strict(command))


def backend_option(command: _Command) -> _Command:
    """Where the runs are; each command that touches runs has it."""
    return click.option(
        "--backend",
        metavar="BACKEND",
        help="Where runs are kept: sqlite (default), file, sqlite:PATH, file:DIR or postgresql://ADDRESS.",
    )(command)


def json_option(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def next_step(command: str, backend: str | None = None) -> None:
    """Say on standard error what to type next, for the runs of the same backend."""
    click.echo(f"next: {command}" + (f" --backend {backend}" if backend else ""), err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under headings, in columns as wide as they need to be."""
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
