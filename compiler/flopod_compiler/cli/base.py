"""What the commands share: groups that report errors, common options, tables."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from flopod.errors import FlopodError, StorageError
from flopod.terminal import color_wanted
from flopod_compiler.cli.answer import remember_backend, say_json
from flopod_compiler.cli.failure import asks_json, described, report, show
from flopod_compiler.cli.values import backends, run_ids, workflow_names

_Command = TypeVar("_Command", bound=Callable[..., Any])

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Group(click.Group):
    """Commands in the order in which they are used; an error ends one with its status, and is reported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        color = color_wanted() if parent is None else parent.color
        return super().make_context(info_name, args, parent, **{"color": color, **extra})

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *more: Any, **extra: Any
    ) -> Any:
        _answer_shell(self, prog_name or self.name or "")
        try:
            return super().main(args, prog_name, *more, **extra)
        except OSError as error:
            if error.filename is not None:
                raise
            _leave_standard_output()
            failed = StorageError(f"standard output cannot be written: {error.strerror}")
            given = sys.argv[1:] if args is None else args
            say_json(described(failed)) if asks_json(given) else show(str(failed))
            sys.exit(failed.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        given = list(ctx.args)
        try:
            return super().invoke(ctx)
        except (FlopodError, click.ClickException) as error:
            report(error, ctx, given)
            raise click.exceptions.Exit(error.exit_code) from None


def completion_variable(program: str) -> str:
    """The environment variable by which a shell asks a program for completions."""
    return f"_{program.replace('-', '_')}_COMPLETE".upper()


def _answer_shell(command: click.Command, program: str) -> None:
    """If a shell asks for completions, give them and end the process."""
    asked = os.environ.get(completion_variable(program))
    if asked:
        from flopod_compiler.cli.completing import complete

        complete(command, program, asked)
        sys.exit()


def _leave_standard_output() -> None:
    """Let what is still in its buffer go nowhere, so that the interpreter does not fail on it at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_argument(*, required: bool = True) -> Callable[[_Command], _Command]:
    """The run that is meant."""
    return click.argument("run_id", metavar="RUN_ID", required=required, shell_complete=run_ids)


def example(*lines: str) -> Callable[[click.Command], click.Command]:
    """Command lines at the end of a command's help."""

    def add(command: click.Command) -> click.Command:
        command.epilog = "\n".join(["\b", "Examples:" if len(lines) > 1 else "Example:", *_indented(lines)])
        return command

    return add


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def source_argument(command: _Command) -> _Command:
    """The folder or file with the workflows."""
    return click.argument("src", type=click.Path(path_type=Path))(command)


def workflow_argument(command: _Command) -> _Command:
    """One of the workflows of the source, after `source_argument`."""
    return click.argument("workflow", required=False, shell_complete=workflow_names)(command)


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
        callback=remember_backend,
        shell_complete=backends,
        help="Where runs are kept: sqlite (default), file, sqlite:PATH, file:DIR or postgresql://ADDRESS.",
    )(command)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under headings, in columns as wide as they need to be. A cell may be painted."""
    lines = [headings, *rows]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(_padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - _width(cell))


def _width(cell: str) -> int:
    return len(click.unstyle(cell))
