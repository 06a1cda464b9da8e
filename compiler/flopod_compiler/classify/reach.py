"""Which modules of the project the workflows reach by imports."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.model import SourceModule
from flopod_compiler.names.imports import absolute_name
from flopod_compiler.parse import statements


def reachable_modules(work: Workspace) -> set[str]:
    """The modules of the workflows, all they import directly or not, and the packages these are in."""
    modules = work.result.project.modules
    found: set[str] = set()
    queue = sorted({workflow.module.name for workflow in work.result.workflows})
    while queue:
        name = queue.pop()
        if name in found or name not in modules:
            continue
        found.add(name)
        queue.extend(_parents(name))
        queue.extend(_imported(modules[name], modules))
    return found


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _imported(module: SourceModule, modules: dict[str, SourceModule]) -> list[str]:
    found: list[str] = []
    if "import" not in module.text:
        return found
    for node in statements(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.extend([alias.name, *_parents(alias.name)])
        elif isinstance(node, ast.ImportFrom):
            base = absolute_name(module, node) or ""
            found.extend([base, *_parents(base)])
            found.extend(f"{base}.{alias.name}" if base else alias.name for alias in node.names)
    return [name for name in found if name in modules]
