"""Random changes of a project: lines that go, come twice, change places; names, imports, files."""

from __future__ import annotations

import random
import re
from pathlib import Path

_WORD = re.compile(r"[A-Za-z_]\w*")
_LINES = (
    "from {other} import *",
    "import {other}",
    "from {other} import {name}",
    "from {other} import {name} as {local}",
    "import {other} as {local}",
    "{other}.{name} = 1",
    "{other}.{name}.append(1)",
    "{name} = {other}.{name}",
    "{name} = []",
    "{name} = 1",
    "{name}.append(2)",
    "def {name}(x):\n    return x",
    "def {name}(*a):\n    return open(str(a)).read()",
    "async def {name}(*a):\n    return a",
    "class Extra:\n    def {name}(self, *a):\n        return print(a)",
    "class Extra({local}):\n    @property\n    def {name}(self):\n        return open('x').read()",
    "class More:\n    def __getattr__(self, name):\n        return open(name).read()",
    "from flopod import workflow\n@workflow\nasync def {name}_flow(n: int) -> int:\n    return n",
    "# flopod: ignore[FLP310] it is meant",
)


class Changes:
    """Changes the files below a folder; most changes, and what breaks it, are taken back by the next one."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.rng = random.Random(seed)
        self._back: tuple[Path, str] | None = None

    def change(self, *, is_broken: bool = False) -> str:
        """Make one change, and say which; take the last one back if the source `is_broken` by it."""
        if self._back is not None and (self.rng.random() < 0.75 or is_broken):
            path, text = self._back
            self._back = None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            return f"back: {path.name}"
        path = self.rng.choice(self._files())
        text = path.read_text("utf-8")
        self._back = path, text
        kind = self.rng.choice(("drop", "twice", "swap", "word", "word", "add", "add", "add", "move", "cut"))
        getattr(self, f"_{kind}")(path, text.splitlines(keepends=True))
        return f"{kind}: {path.relative_to(self.root)}"

    def _files(self) -> list[Path]:
        return sorted(self.root.rglob("*.py"))

    def _drop(self, path: Path, lines: list[str]) -> None:
        place = self.rng.randrange(len(lines)) if lines else 0
        path.write_text("".join([*lines[:place], *lines[place + 1 :]]), "utf-8")

    def _twice(self, path: Path, lines: list[str]) -> None:
        place = self.rng.randrange(len(lines)) if lines else 0
        path.write_text("".join([*lines[: place + 1], *lines[place:]]), "utf-8")

    def _swap(self, path: Path, lines: list[str]) -> None:
        if len(lines) > 1:
            place = self.rng.randrange(len(lines) - 1)
            lines[place : place + 2] = reversed(lines[place : place + 2])
        path.write_text("".join(lines), "utf-8")

    def _word(self, path: Path, lines: list[str]) -> None:
        """One name in the place of another."""
        text = "".join(lines)
        found = list(_WORD.finditer(text))
        if len(found) > 1:
            old, new = self.rng.sample(found, 2)
            text = text[: old.start()] + new.group() + text[old.end() :]
        path.write_text(text, "utf-8")

    def _add(self, path: Path, lines: list[str]) -> None:
        """A line at the start or the end that has to do with another file."""
        other = self.rng.choice(self._files())
        words = _WORD.findall(other.read_text("utf-8") + "".join(lines)) or ["x"]
        dotted = other.relative_to(self.root).as_posix().removesuffix(".py").removesuffix("/__init__")
        line = self.rng.choice(_LINES).format(
            other=dotted.replace("/", "."), name=self.rng.choice(words), local=self.rng.choice(words)
        )
        lines.insert(self.rng.choice((0, len(lines))), f"\n{line}\n")
        path.write_text("".join(lines), "utf-8")

    def _move(self, path: Path, lines: list[str]) -> None:
        """Another name for a file, or another folder."""
        target = self.rng.choice((path.with_name(f"moved_{path.name}"), self.root / "far" / path.name))
        target.parent.mkdir(exist_ok=True)
        path.unlink()
        target.write_text("".join(lines), "utf-8")

    def _cut(self, path: Path, lines: list[str]) -> None:
        """A file that ends in the middle."""
        path.write_text("".join(lines[: len(lines) // 2]), "utf-8")
