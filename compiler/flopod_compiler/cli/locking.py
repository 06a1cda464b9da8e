"""flopod.lock for the commands: what a build would change in it, and the change itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation
    from flopod_compiler.lock import Change

_LINES = 40


def keep_lock(found: Compilation, *, locked: bool) -> None:
    """Write the lock if it changes, and say what changed. With `locked` that ends the command instead."""
    from flopod_compiler.cli.build import replace_file
    from flopod_compiler.lock.text import render

    if found.lock is None or found.locked is None or not found.lock.differs:
        return
    path = found.locked.path
    show_plan(found)
    if locked:
        click.echo(f"error: {_here(path)} does not fit the source; build without --locked", err=True)
        raise click.exceptions.Exit(1)
    try:
        replace_file(path, render(found.lock.lock).encode())
    except OSError as error:
        raise click.UsageError(f"cannot write {_here(path)}: {error.strerror}") from None


def show_plan(found: Compilation) -> None:
    """Print what a build changes in the lock, on standard error; nothing if that is nothing."""
    if found.lock is None or found.locked is None or not found.lock.differs:
        return
    plan, path = found.lock.plan, _here(found.locked.path)
    if found.lock.is_new:
        click.echo(f"plan: {path} is new, with {len(plan)} ids", err=True)
        return
    if not plan:
        click.echo(f"plan: {path} changes, but no id in it does", err=True)
        return
    counts = {sign: sum(one.sign == sign for one in plan) for sign in "+-~"}
    words = [f"{counts[sign]} {word}" for sign, word in (("+", "new"), ("-", "gone"), ("~", "changed"))]
    click.echo(f"plan: {path}: {', '.join(words)}", err=True)
    for line in plan_lines(plan)[:_LINES]:
        click.echo(f"  {line}", err=True)
    if len(plan) > _LINES:
        click.echo(f"  ... and {len(plan) - _LINES} more", err=True)


def plan_lines(plan: Sequence[Change]) -> list[str]:
    """One line for each change: its sign, the path in its function, what is different, and where."""
    return [f"{one.sign} {one.path}{_how(one)}  ({_place(one)})" for one in plan]


def _how(change: Change) -> str:
    if not change.what:
        return ""
    return f": {change.what}" if change.sign == "~" else f"  {change.what}"


def _place(change: Change) -> str:
    where = f"{change.file}:{change.line} " if change.line else ""
    return f"{where}in {change.function.partition(':')[2]}"


def _here(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
