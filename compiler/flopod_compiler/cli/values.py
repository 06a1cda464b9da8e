"""The values that a shell completes: runs, waits, schedules, workflows, codes, backends, time zones.

Each function has the form of click's `shell_complete`. If one raises, nothing is completed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from click import Context, Parameter

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from flopod.backends.glance import Glance

_MOST = 50
_MARKED = re.compile(
    r"^[ \t]*@(?:\w+\.)*workflow\b(?P<options>[^\n]*)\n"
    r"(?:[ \t]*[@#][^\n]*\n)*[ \t]*async def (?P<function>\w+)",
    re.MULTILINE,
)
_NAME = re.compile(r"""\bname\s*=\s*["']([^"']+)["']""")


def _items(found: Iterable[tuple[str, str]], incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=what or None) for name, what in found if name.startswith(incomplete)]


def _store(ctx: Context) -> Glance | None:
    from flopod.backends.glance import glance

    return glance(ctx.params.get("backend"), os.environ)


def run_ids(ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The ids of runs in the store that the command means, with what they are."""
    store = _store(ctx)
    return _items(store.runs(incomplete, _MOST), incomplete) if store is not None else []


def paths(ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Where the run waits, with what for."""
    return _items(((path, f"waits for {event}") for path, event in _waits(ctx).items()), incomplete)


def events(ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """What the run waits for at the path."""
    waits, path = _waits(ctx), ctx.params.get("path")
    return _items([(waits[path], "")] if path in waits else [], incomplete)


def _waits(ctx: Context) -> dict[str, str]:
    store = _store(ctx)
    found = store.summary(ctx.params["run_id"]) if store is not None else {}
    return {path: wait["event"] for path, wait in found.get("waits", {}).items()}


def schedule_names(ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The names of the schedules in the store that the command means."""
    store = _store(ctx)
    return _items(store.documents("schedules", incomplete), incomplete) if store is not None else []


def workflow_names(ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The workflows of SRC: those that are marked in its files, and those of its flopod.lock."""
    src = ctx.params.get("src")
    return _items(((name, "") for name in sorted(_workflows(src))), incomplete) if src else []


def _workflows(src: Path) -> set[str]:
    from flopod_compiler.lock import lock_path
    from flopod_compiler.lock.text import read_lock
    from flopod_compiler.project import source_files

    lock = read_lock(lock_path(src))
    names = set(lock.workflows) if lock is not None else set()
    for path in source_files(src)[1]:
        for found in _MARKED.finditer(path.read_text("utf-8", errors="replace")):
            given = _NAME.search(found["options"])
            names.add(given[1] if given else found["function"])
    return names


def codes(_ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The codes of the diagnostics, with their titles."""
    from flopod_compiler.diagnostics.catalogue import CATALOGUE

    return _items(((rule.code, rule.title) for rule in CATALOGUE.values()), incomplete.upper())


def backends(_ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The forms of a backend; after `sqlite:` and `file:` the shell goes on with what is on the disk."""
    from click.shell_completion import CompletionItem

    kind, colon, _ = incomplete.partition(":")
    if colon and kind in ("sqlite", "file"):
        return [CompletionItem(incomplete, type="file" if kind == "sqlite" else "dir")]
    forms = [
        ("sqlite", "one file in .flopod"),
        ("file", "text files in .flopod"),
        ("sqlite:", "a file"),
        ("file:", "a folder"),
        ("postgresql://", "a database"),
    ]
    return _items(forms, incomplete)


def zones(_ctx: Context, _parameter: Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The time zones that this machine knows."""
    from zoneinfo import available_timezones

    return _items(((name, "") for name in sorted(available_timezones())), incomplete)
