"""Builds a project with a cache after every change, and compares it with a build that has none."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from flopod_compiler import build as building
from flopod_compiler import model, project
from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.diagnostics import Diagnostic
from flopod_compiler.lock.text import NAME, render
from flopod_compiler.units import Analysis


class Built(NamedTuple):
    """A build: which modules were analysed, parsed, and lowered for it."""

    result: Compilation
    analysed: list[str]
    parsed: list[str]
    lowered: list[str]

    @property
    def codes(self) -> list[str]:
        return [one.code for one in self.result.diagnostics]

    def emitted(self, module: str) -> str:
        return self.result.lowered[module].text


class Rebuilds:
    """A source folder that is changed and built again and again."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = folder / "src"
        self.cache = folder / "cache"
        self._seen: dict[str, list[str]] = {"analysed": [], "parsed": [], "lowered": []}
        self._watch(monkeypatch)

    def _watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note what is done; a build without a cache does everything, and is not noted."""
        classified, parsed, first = Analysis._classified, model._parsed, project.parse_text
        lowered = building.lower_module

        def classify(analysis, name):  # type: ignore[no-untyped-def]
            self._seen["analysed"].append(name)
            return classified(analysis, name)

        def parse(parser):  # type: ignore[no-untyped-def]
            def noted(text: str, relpath: str) -> object:
                self._seen["parsed"].append(relpath)
                return parser(text, relpath)

            return noted

        def lower(module, *rest):  # type: ignore[no-untyped-def]
            self._seen["lowered"].append(module.name)
            return lowered(module, *rest)

        monkeypatch.setattr(Analysis, "_classified", classify)
        monkeypatch.setattr(model, "_parsed", parse(parsed))
        monkeypatch.setattr(project, "parse_text", parse(first))
        monkeypatch.setattr(building, "lower_module", lower)

    # -- changes

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text("utf-8")
        assert old in text
        self.write(path, text.replace(old, new))

    # -- builds

    def compile(self) -> Compilation:
        """Build with the cache only."""
        return compile_project(self.root, locking=True, caching=self.cache)

    def __call__(self, *, strict: bool = False) -> Built:
        """Build with the cache and without; the two are the same in everything that comes out."""
        for seen in self._seen.values():
            seen.clear()
        found = compile_project(self.root, strict=strict, locking=True, caching=self.cache)
        seen = {name: list(modules) for name, modules in self._seen.items()}
        fresh = compile_project(self.root, strict=strict, locking=True)
        assert outcome(found) == outcome(fresh)
        if found.ok and found.lock is not None and found.lock.differs:
            (self.root / NAME).write_text(render(found.lock.lock), "utf-8")
        return Built(found, seen["analysed"], seen["parsed"], seen["lowered"])


def outcome(made: Compilation) -> dict[str, object]:
    """All that a build gives."""
    return {
        "diagnostics": [_whole(one) for one in made.diagnostics],
        "emitted": {name: (one.text, one.line_map) for name, one in made.lowered.items()},
        "manifest": made.manifest,
        "lock": render(made.lock.lock) if made.lock is not None else None,
        "plan": made.lock.plan if made.lock is not None else None,
    }


def _whole(one: Diagnostic) -> tuple[object, ...]:
    return (one.code, one.message, one.path, one.span, one.help, one.severity, one.related, one.cause)
