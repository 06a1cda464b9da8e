"""Builds small projects one after the other, each with the lock that the one before has left."""

from __future__ import annotations

import textwrap
from pathlib import Path

from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.lock import Lock, Update
from flopod_compiler.lock.text import NAME, render

HEAD = """
import asyncio
from flopod import wait_for, workflow

async def fetch(*args: object, **options: object) -> int:
    await asyncio.sleep(0)
    return 1

async def charge(*args: object) -> int:
    await asyncio.sleep(0)
    return 2

"""


class Shop:
    """A project with one module, `flow.py`, whose workflow `main` has the given body."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME

    def build(self, body: str, *, head: str = HEAD, name: str = "main", keep: bool = True) -> Compilation:
        """Compile a body, and write the lock as `flopod build` does."""
        text = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        source = f"{head}@workflow\nasync def {name}(x: int, xs: list[int]) -> object:\n{text}\n"
        (self.folder / "flow.py").write_text(source)
        made = compile_project(self.folder, locking=True)
        assert made.ok, [one.message for one in made.diagnostics]
        if keep:
            self.path.write_text(render(update_of(made).lock))
        return made


def update_of(made: Compilation) -> Update:
    assert made.lock is not None
    return made.lock


def live(lock: Lock, function: str = "flow:main") -> list[str]:
    """The paths of a function that still have a call."""
    return [entry.path for entry in lock.live(function)]


def plan(made: Compilation) -> list[str]:
    """The plan, without places."""
    return [
        f"{one.sign} {one.path}{': ' + one.what if one.sign == '~' else ''}" for one in update_of(made).plan
    ]
