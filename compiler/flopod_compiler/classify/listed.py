"""What the configuration lists: workflows, and functions that it calls pure or leaves."""

from __future__ import annotations

import ast
import difflib

from flopod_compiler.classify.workflows import marked
from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.configuration import place
from flopod_compiler.diagnostics.rules.discovery import EntryNotFound
from flopod_compiler.model import Project, ProjectFunction, ProjectModule, Symbol, Unknown
from flopod_compiler.names import describe
from flopod_compiler.program.marked import Marked


def find_listed(work: Workspace, project: Project) -> list[Marked]:
    """The workflows that the configuration lists; entries that name nothing are reported."""
    entries = _Entries(work, project)
    found = [one for entry in project.config.workflows for one in entries.workflow(entry)]
    for key, listed in (("pure", project.config.pure), ("leaves", project.config.leaves)):
        for entry in listed:
            entries.check(key, entry)
    if project.config.hooks:
        entries.hooks(project.config.hooks)
    return found


class _Entries:
    def __init__(self, work: Workspace, project: Project) -> None:
        self._work = work
        self._names = work.names
        self._project = project

    def workflow(self, entry: str) -> list[Marked]:
        """The workflow of an entry `module:function`; none, with a report, if it is no such function."""
        module, _, qualname = entry.partition(":")
        if not qualname or self._names.program.module(module) is None:
            reason = f"the project has no module {module!r}" if qualname else "it has no colon"
            return self._missing(entry, reason, self._near(entry))
        symbol = self._symbol(module, qualname)
        if not isinstance(symbol, ProjectFunction):
            why = (
                symbol.reason if isinstance(symbol, Unknown) else f"it is {describe(symbol)}, not a function"
            )
            return self._missing(entry, why, self._near(entry))
        if symbol.owner is not None or "." in symbol.qualname:
            return self._missing(entry, "it is not a function at the top level of a module", "")
        return [marked(self._names.source(symbol), symbol.node, {})]

    def hooks(self, entry: str) -> None:
        """Report hooks that name nothing in a module of the project, which is what a bundle has."""
        module, _, qualname = entry.partition(":")
        if not qualname:
            self._missing(entry, "it has no colon", "", "hooks")
        elif self._names.program.module(module) is None:
            self._missing(entry, f"the project has no module {module!r}", "", "hooks")
        else:
            self.check("hooks", entry)

    def _symbol(self, module: str, qualname: str) -> Symbol:
        if "." in qualname:
            return Unknown("a method cannot be a workflow")
        return self._names.global_member(module, qualname)[0]

    def check(self, key: str, entry: str) -> None:
        """Report an entry that names nothing in a module of the project."""
        reason = self._missing_reason(entry.replace(":", "."))
        if reason:
            self._missing(entry, reason, self._near(entry), key)

    def _missing_reason(self, dotted: str) -> str:
        """Why a dotted name below a module means nothing; empty if it does, or is no such name."""
        parts = dotted.split(".")
        modules = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
        module = next((name for name in modules if self._names.program.module(name) is not None), None)
        if module is None or parts[-1] == "*":
            return ""
        symbol: Symbol = ProjectModule(module)
        for name in parts[module.count(".") + 1 :]:
            symbol = self._names.member(symbol, name)
        return symbol.reason if isinstance(symbol, Unknown) else ""

    def _near(self, entry: str) -> str:
        known = [
            f"{module.name}:{node.name}"
            for module in self._project.modules.values()
            for node in module.tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        close = difflib.get_close_matches(entry, known, n=1)
        return f"; did you mean {close[0]!r}?" if close else ""

    def _missing(self, entry: str, reason: str, hint: str, key: str = "workflows") -> list[Marked]:
        project = self._project
        where = place(project.texts.get(project.config_path, ""), entry)
        self._work.result.diagnostics.append(
            EntryNotFound.on(project.config_path, where, key=key, entry=entry, reason=reason, hint=hint)
        )
        return []
