"""flopod.lock for the commands: what a build would change in it, and the change itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flopod.terminal import painted
from flopod_compiler.cli.answer import note, quoted
from flopod_compiler.cli.failure import Failure

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation
    from flopod_compiler.lock import Change

_LINES = 40
_STYLES = {"+": "good", "-": "bad", "~": "warning"}


def keep_lock(found: Compilation, src: Path, *, locked: bool) -> None:
    """Write the lock if it changes, and say what changed. With `locked` that ends the command instead."""
    if found.lock is None or found.locked is None or not found.lock.differs:
        return
    path = found.locked.path
    show_plan(found)
    if locked:
        raise LockChanged(
            f"{_here(path)} does not fit the source; build without --locked",
            following=f"flopod build {quoted(src)}",
            data={"plan": plan(found)},
        )
    try:
        write_lock(found)
    except OSError as error:
        raise click.UsageError(f"cannot write {_here(path)}: {error.strerror}") from None


class LockChanged(Failure):
    """A build with --locked would change flopod.lock."""


def plan(found: Compilation) -> dict[str, Any] | None:
    """What a build changes in the lock, as JSON data; None if that is nothing."""
    if found.lock is None or found.locked is None or not found.lock.differs:
        return None
    changes = [asdict(one) for one in found.lock.plan]
    return {"lock": _here(found.locked.path), "is_new": found.lock.is_new, "changes": changes}


def write_lock(found: Compilation) -> None:
    """Write the lock of a build if it differs from the one that there is. Raises OSError."""
    from flopod_compiler.cli.build import replace_file
    from flopod_compiler.lock.text import render

    if found.lock is not None and found.locked is not None and found.lock.differs:
        replace_file(found.locked.path, render(found.lock.lock).encode())


def show_plan(found: Compilation) -> None:
    """Print what a build changes in the lock, on standard error; nothing if that is nothing."""
    if found.lock is None or found.locked is None or not found.lock.differs:
        return
    changes, path = found.lock.plan, _here(found.locked.path)
    if found.lock.is_new:
        note(f"plan: {path} is new, with {len(changes)} ids")
        return
    if not changes:
        note(f"plan: {path} changes, but no id in it does")
        return
    counts = {sign: sum(one.sign == sign for one in changes) for sign in "+-~"}
    words = [f"{counts[sign]} {word}" for sign, word in (("+", "new"), ("-", "gone"), ("~", "changed"))]
    note(f"plan: {path}: {', '.join(words)}")
    for line in plan_lines(changes)[:_LINES]:
        note(f"  {painted(line[:1], _STYLES[line[:1]])}{line[1:]}")
    if len(changes) > _LINES:
        note(f"  ... and {len(changes) - _LINES} more")


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
