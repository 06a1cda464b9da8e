"""The data files that travel in a bundle: what `[tool.flopod] include` names below the source root."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flopod_compiler.configuration import place
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.diagnostics.rules.bundling import IncludesNothing
from flopod_compiler.model import Project

SKIPPED = {"__pycache__", ".git"}
WIDTH = 100


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file: its posix path below the source root and its text, base64 when `binary`."""

    path: str
    text: str
    binary: bool


def included_files(project: Project) -> tuple[list[DataFile], list[Diagnostic]]:
    """The included files in the order of their paths, and an FLP708 for each pattern without any."""
    root = project.root if project.root.is_dir() else project.root.parent
    found: dict[str, DataFile] = {}
    idle: list[Diagnostic] = []
    for pattern in project.config.include:
        paths = list(_matches(root, pattern))
        for path in paths:
            name = path.relative_to(root).as_posix()
            found[name] = _read(path, name)
        if not paths:
            where = place(project.texts.get(project.config_path, ""), pattern)
            idle.append(IncludesNothing.on(project.config_path, where, pattern=pattern))
    return [found[name] for name in sorted(found)], idle


def _matches(root: Path, pattern: str) -> Iterator[Path]:
    if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
        return
    for match in root.glob(pattern):
        for path in match.rglob("*") if match.is_dir() else (match,):
            if path.is_file() and not SKIPPED.intersection(path.relative_to(root).parts):
                yield path


def _read(path: Path, name: str) -> DataFile:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        lines = textwrap.wrap(base64.b64encode(data).decode("ascii"), WIDTH)
        return DataFile(name, "\n".join(lines), binary=True)
    return DataFile(name, text, binary=False)
