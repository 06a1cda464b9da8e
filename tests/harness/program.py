"""Modules as compiled code that can be imported afresh for each life of a process, and forgotten after."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class Program:
    """The modules of a program by dotted name, ready to be imported.

    `sources` maps a module's name to its text; the names of packages are in `packages`.
    """

    def __init__(self, sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> None:
        self.sources = dict(sources)
        self.packages = packages
        self.code: dict[str, CodeType] = {
            name: compile(text, f"<{name}>", "exec", dont_inherit=True) for name, text in sources.items()
        }
        for parent in {name.rpartition(".")[0] for name in sources} - set(sources) - {""}:
            self.packages |= {parent}
            self.code[parent] = compile("", f"<{parent}>", "exec")

    def replaced(self, sources: Mapping[str, str]) -> Program:
        """The same program with other texts for some modules."""
        return Program(self.sources | dict(sources), self.packages)

    @contextmanager
    def imported(self) -> Iterator[dict[str, ModuleType]]:
        """Import every module under its own name; on leaving they are taken out of `sys.modules`."""
        hidden = {name: sys.modules.pop(name) for name in self.code if name in sys.modules}
        finder = _Finder(self)
        sys.meta_path.insert(0, finder)
        try:
            yield {name: importlib.import_module(name) for name in self.code}
        finally:
            sys.meta_path.remove(finder)
            for name in self.code:
                sys.modules.pop(name, None)
            sys.modules.update(hidden)


class _Finder:
    """Finds and loads the modules of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name not in self.program.code:
            return None
        return ModuleSpec(name, self, is_package=name in self.program.packages)  # type: ignore[arg-type]

    def create_module(self, _spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.program.code[module.__name__], module.__dict__)


def read_program(root: Path) -> Program:
    """The program whose sources are the Python files below `root`."""
    sources: dict[str, str] = {}
    packages: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
            packages.add(".".join(parts))
        sources[".".join(parts)] = path.read_bytes().decode("utf-8")
    return Program(sources, frozenset(packages))
