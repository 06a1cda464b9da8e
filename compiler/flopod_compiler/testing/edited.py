"""An edited copy of a source, and its modules beside those that the tests have imported."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from flopod.testing.errors import TestFailure, near
from flopod_compiler.lock import lock_path
from flopod_compiler.lock.text import render

if TYPE_CHECKING:
    from flopod_compiler.build import Compilation


def edited_copy(made: Compilation, folder: Path, module: str, old: str, new: str) -> Path:
    """Copy the source of a build to a folder, with an edit and the lock of that build; returns its root."""
    modules = made.project.modules
    if module not in modules:
        raise TestFailure(f"the project has no module {module!r}{near(module, modules)}")
    count = modules[module].text.count(old)
    if count != 1:
        raise TestFailure(
            f"the text to replace is {count} times in {modules[module].relpath}, not once: {old!r}"
        )
    root = folder / "src"
    for each in modules.values():
        path = root / each.relpath
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            each.text.replace(old, new) if each.name == module else each.text, "utf-8", newline=""
        )
    _copy_configuration(made, folder)
    assert made.lock is not None
    lock_path(root).write_text(render(made.lock.lock), "utf-8")
    return root


def _copy_configuration(made: Compilation, folder: Path) -> None:
    path = made.project.root / made.project.config_path
    if path.is_file():
        shutil.copy(path, folder / path.name)


class EditedModules:
    """Modules that are in the place of those that the tests have imported, but only while a run goes on."""

    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self.modules = modules

    @classmethod
    def of(
        cls, edited: Compilation, before: Compilation, import_module: Callable[[str], ModuleType]
    ) -> EditedModules:
        """Load the modules of an edited source that differ, or use those that do."""
        known = {name: import_module(name) for name in before.project.modules}
        names = set(edited.lowered)
        names |= {
            name
            for name, module in edited.project.modules.items()
            if name not in known or module.text != before.project.modules[name].text
        }
        while more := {name for name in known.keys() - names if _uses(known[name], names)}:
            names |= more
        paths = {name: edited.project.modules[name].path for name in names if name in edited.project.modules}
        return cls(_loaded(paths))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the modules be those that are known by their names."""
        with _known_as(self.modules):
            yield


def _uses(module: ModuleType, names: set[str]) -> bool:
    """Whether a module holds one of others, or something that is defined there."""
    return any(
        (value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)) in names
        for value in list(vars(module).values())
    )


def _loaded(paths: Mapping[str, Path]) -> dict[str, ModuleType]:
    finder = _Finder(paths)
    with _known_as(dict.fromkeys(paths)):
        sys.meta_path.insert(0, finder)
        try:
            return {name: importlib.import_module(name) for name in sorted(paths)}
        finally:
            sys.meta_path.remove(finder)


@contextmanager
def _known_as(modules: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Let modules be known by names, None by nothing; what was there is there again afterwards."""
    before = {name: sys.modules.pop(name, None) for name in modules}
    _set(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        _set(before)


def _set(modules: Mapping[str, ModuleType | None]) -> None:
    for name, module in modules.items():
        if module is None:
            continue
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)


class _Finder:
    """Finds modules in files, whatever package they are said to be in."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        path = self._paths.get(name)
        if path is None:
            return None
        locations = [str(path.parent)] if path.name == "__init__.py" else None
        return spec_from_file_location(name, path, submodule_search_locations=locations)
