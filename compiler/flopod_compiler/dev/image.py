"""A build as one document, with which a process runs it whatever becomes of the source meanwhile."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from msgspec import Struct

from flopod.server.host import Build
from flopod_compiler.bundle.loader import compile_at

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation


class ModuleImage(Struct, frozen=True):
    """A module of the source: its file and text, and what runs in its place with the author's lines."""

    path: str
    text: str
    compiled: str = ""
    lines: Sequence[int] = ()


class Image(Struct, frozen=True):
    """A build, the folder that its modules are imported from, and the modules by name.

    `stepping` says that each step waits to be let go.
    """

    build: Build
    folder: str
    modules: Mapping[str, ModuleImage]
    stepping: bool = False


def image_of(found: Compilation, build: Build) -> Image:
    """Return what a process needs to run `build`, which is that of the compilation."""
    root = found.project.root
    modules = {
        name: ModuleImage(str(module.path), module.text) for name, module in found.project.modules.items()
    }
    for name, lowered in found.lowered.items():
        modules[name] = ModuleImage(
            str(lowered.module.path), lowered.module.text, lowered.text, lowered.line_map
        )
    return Image(build, str(root if root.is_dir() else root.parent), modules)


def install(image: Image) -> None:
    """Make the modules of an image importable in this process, ahead of others of their names.

    Code has the absolute names of its files, and tracebacks show the lines that run.
    """
    sys.path.insert(0, image.folder)
    sys.meta_path.insert(0, _Finder(image.modules))


class _Finder:
    """Finds the modules of an image, ahead of every other finder."""

    def __init__(self, modules: Mapping[str, ModuleImage]) -> None:
        self._modules = modules

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = self._modules.get(name)
        if found is None:
            return None
        return spec_from_file_location(name, found.path, loader=_Loader(name, found))


class _Loader(SourceFileLoader):
    """Loads a module as the image has it."""

    def __init__(self, name: str, image: ModuleImage) -> None:
        super().__init__(name, image.path)
        self._image = image

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        image = self._image
        linecache.cache[image.path] = len(image.text), None, image.text.splitlines(True), image.path
        if image.compiled:
            return compile_at(image.compiled, image.lines, image.path)
        return compile(image.text, image.path, "exec", dont_inherit=True)

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        return self._image.text
