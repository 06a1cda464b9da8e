"""What a command answers: data on standard output and talk on standard error, or with --json one document."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_WANTED = "flopod.json"
_BACKEND = "flopod.backend"


def json_option(command: _Command) -> _Command:
    """`--json`: the command answers with `answer` or `listing`, which look at it themselves."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_remember,
        help="Print JSON; errors, too.",
    )(command)


def _remember(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    ctx.meta[_WANTED] = wanted


def as_json(ctx: click.Context | None = None) -> bool:
    """Whether --json was given to the command."""
    return bool((ctx or click.get_current_context()).meta.get(_WANTED))


def remember_backend(ctx: click.Context, _parameter: click.Parameter, spec: str | None) -> str | None:
    """The callback of --backend: what is typed next, also after an error, is for the same one."""
    ctx.meta[_BACKEND] = spec
    return spec


def backend_of(ctx: click.Context) -> str | None:
    """What --backend was given as."""
    found: str | None = ctx.meta.get(_BACKEND)
    return found


def answer(
    document: Mapping[str, Any], text: str = "", *, following: str = "", backend: str | None = None
) -> None:
    """Print what a command did or found, and say what to type next.

    With --json `document` is printed, with the next command in it; else `text`, unless it is empty.
    """
    command = with_backend(following, backend) if following else None
    if as_json():
        print_json({**document, "next": command} if command else document)
        return
    if text:
        click.echo(text)
    if command:
        say_next(command)


def listing(
    found: Sequence[Any],
    text: Callable[[], str],
    *,
    nothing: str = "",
    following: str = "",
    backend: str | None = None,
) -> None:
    """Print many of a kind: with --json as an array, else as `text`, or that there is `nothing`."""
    if as_json():
        print_json(found)
        return
    if found or not nothing:
        click.echo(text())
    else:
        note(nothing)
    if following:
        say_next(with_backend(following, backend))


def data(text: str) -> None:
    """Print a part of what a command answers, before the rest; with --json it is in its document."""
    if not as_json():
        click.echo(text)


def note(text: str, data: Mapping[str, Any] | None = None) -> None:
    """Say something on standard error; with --json `data` in its place, and nothing if there is none."""
    if not as_json():
        click.echo(text, err=True)
    elif data is not None:
        say_json(data)


def next_step(command: str, backend: str | None = None) -> None:
    """Say on standard error what to type next, for the runs of the same backend."""
    if not as_json():
        say_next(with_backend(command, backend))


def print_json(document: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def quoted(path: object) -> str:
    """A path as a shell reads it."""
    return shlex.quote(str(path))


def say_json(document: Any) -> None:
    """Say a JSON document on standard error, in one line."""
    click.echo(json.dumps(document, ensure_ascii=False), err=True)


def say_next(command: str) -> None:
    """Say on standard error what to type next."""
    click.echo(f"next: {command}", err=True)


def with_backend(command: str, backend: str | None) -> str:
    """The command for the same backend, without a password that is in it."""
    if not backend:
        return command
    from flopod.backends.choose import without_password

    return f"{command} --backend {shlex.quote(without_password(backend))}"
