"""The runtime modules that a bundle links: those that its job can import, never server or compiler."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import flopod
from flopod_compiler.bundle.imports import Import, imports_by_name, imports_of, modules_reached
from flopod_compiler.bundle.literal import normalised

ENTRY = "flopod.engine.job"
FOLDER = Path(flopod.__file__).parent


def linked_runtime() -> dict[str, tuple[str, str]]:
    """Name -> (path, source) of every runtime module that `flopod.engine.job` reaches."""
    names = modules_reached([ENTRY], lambda name: _file(name) is not None, _imports)
    return {name: (_relpath(name), _source(name)) for name in sorted(names)}


@cache
def _imports(name: str) -> list[Import]:
    """The imports of a runtime module; the package's own lazy ones stand under TYPE_CHECKING."""
    source = _source(name)
    by_name = imports_by_name(source)
    return imports_of(ast.parse(source), name, _is_package(name), typing=name == "flopod", by_name=by_name)


@cache
def _file(name: str) -> Path | None:
    package, *rest = name.split(".")
    if package != "flopod" or rest[:1] == ["server"]:
        return None
    base = FOLDER.joinpath(*rest)
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


@cache
def _source(name: str) -> str:
    path = _file(name)
    return normalised(path.read_text(encoding="utf-8")) if path else ""


def _is_package(name: str) -> bool:
    path = _file(name)
    return path is not None and path.name == "__init__.py"


def _relpath(name: str) -> str:
    path = _file(name)
    return f"flopod/{path.relative_to(FOLDER).as_posix()}" if path else ""
