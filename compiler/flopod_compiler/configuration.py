"""From the nearest pyproject.toml to the configuration, the project's name, and findings with their lines."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from flopod_compiler.diagnostics import Diagnostic, Span
from flopod_compiler.diagnostics.rules.discovery import BadConfig
from flopod_compiler.model import Config

FILE = "pyproject.toml"
LISTS = ("workflows", "include", "pure", "leaves")
KEYS = (*LISTS, "hooks")


@dataclass(slots=True)
class Configuration:
    """What `[tool.flopod]` says, and the file that says it; `path` is relative to the source root."""

    config: Config = field(default_factory=Config)
    name: str = ""
    path: str = FILE
    text: str = ""
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_configuration(root: Path) -> Configuration:
    """The configuration of the first pyproject.toml at or above the source root."""
    path = configuration_file(root)
    if path is None:
        return Configuration()
    found = Configuration(path=Path(os.path.relpath(path, root)).as_posix())
    _read(path, found)
    return found


def configuration_file(root: Path) -> Path | None:
    """Return the first pyproject.toml at or above the source root."""
    paths = (folder / FILE for folder in (root, *root.parents))
    return next((path for path in paths if path.is_file()), None)


def place(text: str, word: str) -> Span:
    """Where the table says a key or an entry; if it does not, the header of the table, or the start."""
    table = re.search(r"^\s*\[\s*tool\.flopod\s*\]", text, re.MULTILINE)
    start = table.end() if table else 0
    quoted = re.search(rf"""(?<=["']){re.escape(word)}(?=["'])""", text[start:])
    bare = re.search(rf"^\s*({re.escape(word)})\s*=", text[start:], re.MULTILINE)
    if quoted is not None:
        return _span(text, start + quoted.start(), start + quoted.end())
    if bare is not None:
        return _span(text, start + bare.start(1), start + bare.end(1))
    return _span(text, table.start(), table.end()) if table else Span(1, 0, 1, 0)


def _span(text: str, start: int, end: int) -> Span:
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1)
    return Span(line, column, line, column + end - start)


def _read(path: Path, found: Configuration) -> None:
    try:
        found.text = path.read_text("utf-8")
        data = tomllib.loads(found.text)
    except tomllib.TOMLDecodeError as error:
        _bad(found, str(error), "correct the file; it must be TOML", _decode_error(str(error)))
        return
    except (OSError, UnicodeError, RecursionError) as error:
        _bad(found, str(error), "correct the file; it must be TOML in UTF-8", Span(1, 0, 1, 0))
        return
    project = data.get("project", {})
    name = project.get("name", "") if isinstance(project, dict) else ""
    found.name = name if isinstance(name, str) else ""
    tool = data.get("tool")
    _read_table(tool.get("flopod", {}) if isinstance(tool, dict) else {}, found)


def _decode_error(message: str) -> Span:
    where = re.search(r"at line (\d+), column (\d+)", message)
    if where is None:
        return Span(1, 0, 1, 0)
    line, column = int(where[1]), int(where[2]) - 1
    return Span(line, column, line, column + 1)


def _read_table(table: object, found: Configuration) -> None:
    if not isinstance(table, dict):
        _bad(found, "tool.flopod is not a table", "write [tool.flopod]", place(found.text, "flopod"))
        return
    lists: dict[str, tuple[str, ...]] = {}
    hooks = ""
    for key, value in table.items():
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(KEYS)}"
            _bad(found, f"[tool.flopod] has no key {key!r}", hint, place(found.text, key))
        elif key == "hooks" and isinstance(value, str):
            hooks = value
        elif key == "hooks":
            rewrite = 'write hooks = "module:object" in [tool.flopod]'
            _bad(found, "hooks is not a string", rewrite, place(found.text, key))
        elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            rewrite = f'write {key} = ["..."] in [tool.flopod]'
            _bad(found, f"{key} is not a list of strings", rewrite, place(found.text, key))
        else:
            lists[key] = tuple(value)
    found.config = Config(**lists, hooks=hooks)


def _bad(found: Configuration, reason: str, rewrite: str, where: Span) -> None:
    found.diagnostics.append(BadConfig.on(found.path, where, reason=reason, rewrite=rewrite))
