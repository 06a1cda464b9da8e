"""The runtime modules that an artifact links: those that its entry or its modules can import."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec

import flopod.detach
from flopod_compiler.bundle.artifact import JOB
from flopod_compiler.bundle.imports import Import, imports_by_name, imports_of, modules_reached
from flopod_compiler.bundle.literal import normalised
from flopod_compiler.model import Imported
from flopod_compiler.stored import made_by, read_stored, store

DETACH = "flopod.detach"
FOLDER = Path(flopod.__file__).parent


class _Reached(msgspec.Struct, array_like=True):
    """The modules that are linked of a runtime, which `version` names."""

    version: str
    names: list[str]


def linked_runtime(
    entry: str = JOB.entry, caching: Path | None = None, imported: Sequence[Import | Imported] = ()
) -> dict[str, tuple[str, str]]:
    """Name -> (path, source) of every runtime module that the module `entry` or `imported` reaches.

    Which the entry reaches is kept in the folder `caching` until any of them changes.
    """
    names = {*_reached_from(entry, caching)}
    more = [f"{one.name}.{taken}" for one in imported for taken in one.names]
    if any(name == DETACH for name in (*more, *(one.name for one in imported))):
        more += flopod.detach.HOMES
    names |= modules_reached(
        [*(one.name for one in imported), *more],
        lambda name: _file(name) is not None and name not in names,
        _imports,
    )
    return {name: (_relpath(name), _source(name)) for name in sorted(names)}


def _reached_from(entry: str, caching: Path | None) -> list[str]:
    kept = None if caching is None else caching / f"{entry}.cache"
    known = read_stored(kept, _Reached) if kept is not None else None
    if (
        known is None
        or not all(_file(name) for name in known.names)
        or known.version != _version(known.names)
    ):
        names = sorted(modules_reached([entry], lambda name: _file(name) is not None, _imports))
        known = _Reached(_version(names), names)
        if kept is not None:
            store(kept, known)
    return known.names


def _version(names: list[str]) -> str:
    """A digest of the folder's files by name, and of the sources of some."""
    files = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.py"))
    digest = hashlib.sha256("\0".join([made_by(), *files]).encode())
    for name in names:
        digest.update(f"{name}\0{_source(name)}\0".encode())
    return digest.hexdigest()


@cache
def _imports(name: str) -> list[Import]:
    """The imports of a runtime module; the package's own lazy ones stand under TYPE_CHECKING."""
    source = _source(name)
    by_name = imports_by_name(source)
    return imports_of(ast.parse(source), name, _is_package(name), typing=name == "flopod", by_name=by_name)


@cache
def _file(name: str) -> Path | None:
    package, *rest = name.split(".")
    if package != "flopod":
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
