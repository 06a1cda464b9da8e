"""A compilation in this process: modules come from the source root, those with workflows compiled.

Code has the absolute names of its files, so that breakpoints stop and an editor finds them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from flopod_compiler.bundle.loader import compile_at
from flopod_compiler.model import Lowered

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation


class LoweredLoader(SourceFileLoader):
    """Loads a module from its file, but runs the compiled form of it."""

    def __init__(self, name: str, lowered: Lowered) -> None:
        super().__init__(name, str(lowered.module.path))
        self._lowered = lowered

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile_at(self._lowered.text, self._lowered.line_map, self.path)


class LoweredFinder:
    """Finds the modules that hold workflows, ahead of every other finder."""

    def __init__(self, lowered: dict[str, Lowered]) -> None:
        self._lowered = lowered

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = self._lowered.get(name)
        if found is None:
            return None
        return spec_from_file_location(name, found.module.path, loader=LoweredLoader(name, found))


def install(compilation: Compilation) -> LoweredFinder:
    """Make the modules of `compilation` importable in this process, ahead of others of their names."""
    root = compilation.project.root
    sys.path.insert(0, str(root if root.is_dir() else root.parent))
    finder = LoweredFinder(compilation.lowered)
    sys.meta_path.insert(0, finder)
    return finder
