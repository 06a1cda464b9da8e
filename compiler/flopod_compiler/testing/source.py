"""From a source folder to workflows that a test can run: compiled once, in this process."""

from __future__ import annotations

import importlib
import operator
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from flopod.engine.registry import Compiled, Registry
from flopod.engine.seed import DEFAULT_SEED, current
from flopod.engine.waits import matches
from flopod.errors import FlopodError
from flopod.manifest import Manifest, WorkflowEntry
from flopod.testing.errors import TestFailure, near
from flopod.testing.exchange import find_function, with_code
from flopod.testing.script import Names
from flopod_compiler.build import Compilation, compile_project
from flopod_compiler.bundle.loader import compile_at
from flopod_compiler.testing.edited import EditedModules, edited_copy
from flopod_compiler.testing.leaves import leaves_of, runs_leaf


class SourceErrors(TestFailure):
    """The source of a test does not compile."""


class Source:
    """The project below a source folder, compiled; its modules are those that the tests import."""

    def __init__(self, src: Path, *, caching: Path | None = None) -> None:
        self.src = src
        self.compilation = _compiled(src, caching)
        self._edited = EditedModules({})
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def root(self) -> Path:
        return self.compilation.project.root

    @property
    def manifest(self) -> Manifest:
        assert self.compilation.manifest is not None
        return self.compilation.manifest

    def subjects(self) -> list[CompiledWorkflow]:
        """Return all workflows."""
        return [CompiledWorkflow(self, entry) for entry in self.manifest.workflows.values()]

    def subject(self, workflow: str | Callable[..., Any]) -> CompiledWorkflow:
        """Return a workflow by its name, as `module:function`, or by its function. Raises TestFailure."""
        entries = self.manifest.workflows
        names = {name: entry for entry in entries.values() for name in _names(entry)}
        wanted = workflow if isinstance(workflow, str) else _place_of(workflow)
        if wanted not in names:
            shown = near(wanted, (name for entry in entries.values() for name in _names(entry)[:2]))
            raise TestFailure(f"{self.src} has no workflow {wanted!r}{shown}")
        return CompiledWorkflow(self, names[wanted])

    def edited(self, module: str, old: str, new: str) -> Source:
        """Return this source with the text `old` of a module replaced. Raises TestFailure."""
        folder = tempfile.TemporaryDirectory(prefix="flopod-edited-")
        made = Source(edited_copy(self.compilation, Path(folder.name), module, old, new))
        made._folder = folder
        made._edited = EditedModules.of(made.compilation, self.compilation, self.import_module)
        return made

    def import_module(self, name: str) -> ModuleType:
        """Import a module of the project as the tests do, or the edited one."""
        if name in self._edited.modules:
            return self._edited.modules[name]
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        return importlib.import_module(name)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the workflows be their compiled form meanwhile, wherever they are known."""
        with ExitStack() as stack:
            stack.enter_context(self._edited.in_place())
            stack.enter_context(with_code(self.codes))
            yield

    @cached_property
    def codes(self) -> dict[FunctionType, CodeType]:
        """The compiled code of each workflow, by its function."""
        found: dict[FunctionType, CodeType] = {}
        for name, lowered in self.compilation.lowered.items():
            code = compile_at(lowered.text, lowered.line_map, str(lowered.module.path))
            module = self.import_module(name)
            for entry in self.manifest.workflows.values():
                if entry.module == name:
                    function = _innermost(find_function(module, entry.function))
                    found[function] = _code_of(code, entry.function)
        return found


class CompiledWorkflow:
    """A workflow of a source, for the harness."""

    opens_itself = None

    def __init__(self, source: Source, entry: WorkflowEntry) -> None:
        self.name = entry.name
        self.sync = entry.sync
        self._source = source
        self._entry = entry
        seed = current()
        self.registry: Registry = Compiled(
            source.manifest, source.import_module, DEFAULT_SEED if seed is None else seed
        )

    @property
    def plain(self) -> Callable[..., Any]:
        found: Callable[..., Any] = operator.attrgetter(self._entry.function)(
            self._source.import_module(self._entry.module)
        )
        return found

    @property
    def leaves(self) -> Sequence[Names]:
        """Of this workflow, then of all others of the project: it may start any of them."""
        others = [entry for entry in self._source.manifest.workflows.values() if entry != self._entry]
        entries = [self._entry, *others]
        return [
            Names(path.path, callee)
            for entry in entries
            for path in entry.paths
            for callee in path.callee.split(" | ")
            if path.kind == "record" or runs_leaf(path, self._source.manifest)
        ]

    @property
    def callees(self) -> Sequence[str]:
        """The functions that are leaves."""
        return leaves_of(self._source.manifest)

    @property
    def events(self) -> Sequence[Names]:
        entries = self._source.manifest.workflows.values()
        return [Names(wait.path, wait.event) for entry in entries for wait in entry.waits]

    def callee_of(self, path: str) -> str:
        return next((one.callee for one in self._entry.paths if matches(one.path, path)), "")

    def is_meant(self, workflow: str | Callable[..., Any]) -> bool:
        return (workflow if isinstance(workflow, str) else _place_of(workflow)) in _names(self._entry)

    def plain_code(self, name: str) -> str:
        modules = self._source.compilation.project.modules.values()
        found = [
            one.name for one in modules if re.search(rf"^(async )?def {re.escape(name)}\b", one.text, re.M)
        ]
        return found[0] if found else ""

    def import_module(self, name: str) -> ModuleType:
        """Import a module of its source."""
        return self._source.import_module(name)

    def installed(self) -> AbstractContextManager[object]:
        return self._source.installed()


def _compiled(src: Path, caching: Path | None) -> Compilation:
    try:
        found = compile_project(src, caching=caching, locking=True)
    except FlopodError as error:
        raise SourceErrors(str(error)) from None
    if not found.ok or found.manifest is None:
        from flopod_compiler.cli.compiling import rendered

        errors = [one for one in found.diagnostics if one.severity == "error"]
        raise SourceErrors(f"{src} does not compile:\n\n{rendered(found, errors)}")
    return found


def _names(entry: WorkflowEntry) -> list[str]:
    return [entry.name, f"{entry.module}:{entry.function}", f"{entry.module}.{entry.function}"]


def _place_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"


def _innermost(function: FunctionType) -> FunctionType:
    """The author's function inside of the one that undoes what it has done."""
    while isinstance(inner := getattr(function, "__wrapped__", None), FunctionType):
        function = inner
    return function


def _code_of(module: CodeType, qualname: str) -> CodeType:
    """The code of a function in the code of its module: the last one of that name."""
    found = [code for code in _codes(module) if code.co_qualname == qualname]
    return found[-1]


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
