"""What earlier builds found out and emitted, so that only what a change can reach is compiled again.

An outline is kept by the text of its module. What follows from more than that (which functions are
workflows, the unit of a module) is kept with every question that was asked for it, and holds while they are
all answered as they were then: so an edit elsewhere that changes a call is seen, and the output is the same
with and without a cache. Emitted text is kept by what was to be done to its module.

One file a source, in the user's cache folder. It is replaced in one step; a damaged one, one of another
compiler, and one that cannot be read or written, is no cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from flopod_compiler.classify.discovery import LISTED, Found
from flopod_compiler.lock import Lock, lock_text, parse_lock
from flopod_compiler.lower.module import Piece
from flopod_compiler.model import Config, Project
from flopod_compiler.program import Outline
from flopod_compiler.stored import made_by, read_stored, store
from flopod_compiler.units import Unit

T = TypeVar("T", Found, Unit)


class Entry(msgspec.Struct, array_like=True):
    """An emitted module by the fingerprint of what it was made from.

    It is also known by the digest of its `unit` and the `ids` of the sites in that.
    """

    key: str
    text: str
    line_map: list[int]
    unit: str = ""
    ids: list[str] = []
    pieces: dict[str, Piece] = {}


class _File(msgspec.Struct, array_like=True):
    """`made_by` names the compiler and the interpreter, `config` what the analysis is told.

    Outlines stand with the version of their module.
    """

    made_by: str = ""
    config: str = ""
    outlines: dict[str, tuple[str, Outline]] = {}
    found: dict[str, msgspec.Raw] = {}
    units: dict[str, msgspec.Raw] = {}
    emitted: dict[str, Entry] = {}
    lock: tuple[str, Lock] | None = None


class Cache:
    """What is known of one source: read at the start of a build, filled in its course, saved at its end.

    Without a folder it is empty and stays so.
    """

    def __init__(self, folder: Path | None, src: Path) -> None:
        name = hashlib.sha256(os.fsencode(src.resolve())).hexdigest()[:32]
        self._path = folder / f"{name}.cache" if folder is not None else None
        self._before = _File()
        self._now = _File(made_by() if folder is not None else "")
        found = read_stored(self._path, _File) if self._path is not None else None
        if found is not None and found.made_by == self._now.made_by:
            self._before = found

    @property
    def is_used(self) -> bool:
        return self._path is not None

    # -- what was known

    def parsed(self) -> set[str]:
        """The versions of modules that could be parsed."""
        return {version for version, _ in self._before.outlines.values()}

    def outlines(self, project: Project) -> dict[str, Outline]:
        """The outlines of modules that are as they were."""
        return {
            name: outline
            for name, (version, outline) in self._before.outlines.items()
            if name in project.modules and project.modules[name].version == version
        }

    def configure(self, config: Config) -> None:
        """Forget what was found out under another configuration."""
        self._now.config = repr((config.workflows, config.pure, config.leaves, config.hooks))
        if self._now.config != self._before.config:
            self._before.found, self._before.units = {}, {}

    def found(self) -> dict[str, Found]:
        """Where workflows were found, by module."""
        return _decoded(self._before.found, Found)

    def units(self) -> dict[str, Unit]:
        """The units of modules; a caller may fill in their ids."""
        return _decoded(self._before.units, Unit)

    def emitted(self, module: str) -> Entry | None:
        """What a module was emitted as when it was last emitted."""
        return self._before.emitted.get(module)

    def unit_digest(self, module: str) -> str:
        """Names the unit that a module has now; empty if it is not kept."""
        kept = self._now.units.get(module)
        return hashlib.sha256(kept).hexdigest() if kept is not None else ""

    def read_lock(self, path: Path) -> Lock | None:
        """The lock at a path; its text is read again, and parsed if it is another one."""
        text = lock_text(path)
        if text is None:
            return None
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        before = self._before.lock
        lock = before[1] if before is not None and before[0] == digest else parse_lock(path, text)
        self._now.lock = digest, lock
        return lock

    # -- what is known now

    def keep_outlines(self, project: Project, outlines: Mapping[str, Outline]) -> None:
        self._now.outlines = {name: (project.modules[name].version, one) for name, one in outlines.items()}

    def keep_found(self, found: Mapping[str, Found]) -> None:
        """Keep where workflows were found; findings about the configuration name lines that may change."""
        for module, one in found.items():
            if module != LISTED or not one.diagnostics:
                self._keep(self._now.found, module, one)

    def keep_unit(self, module: str, unit: Unit | None) -> None:
        """Keep a unit before it has ids; None for the one of the build before."""
        if unit is not None:
            self._keep(self._now.units, module, unit)
        elif module in self._before.units:
            self._now.units[module] = self._before.units[module]

    def put(self, module: str, entry: Entry) -> None:
        """Keep what a module is emitted as."""
        self._now.emitted[module] = entry

    def keep_emitted(self) -> None:
        """Keep what the units were last emitted as: there are errors, and nothing is emitted."""
        self._now.emitted = {
            name: entry for name, entry in self._before.emitted.items() if name in self._now.units
        }

    def _keep(self, where: dict[str, msgspec.Raw], module: str, value: Found | Unit) -> None:
        if self.is_used:
            with contextlib.suppress(RecursionError, UnicodeEncodeError):
                where[module] = msgspec.Raw(msgspec.msgpack.encode(value))

    def save(self) -> None:
        """Keep what this build knows, if that differs from what was there."""
        if self._path is not None and self._now != self._before:
            store(self._path, self._now)


def _decoded(kept: Mapping[str, msgspec.Raw], kind: type[T]) -> dict[str, T]:
    try:
        decoder = msgspec.msgpack.Decoder(kind)
        return {name: decoder.decode(one) for name, one in kept.items()}
    except (msgspec.DecodeError, RecursionError):
        return {}
