"""What a module does that a bundle cannot do: look for files beside itself, import what nobody names."""

from __future__ import annotations

import ast

from flopod_compiler.classify.workspace import Workspace
from flopod_compiler.diagnostics.rules.bundling import DynamicImport, FileBesideModule
from flopod_compiler.model import SourceModule


def review_bundled(work: Workspace, module: SourceModule) -> None:
    """Report `__file__`, and imports by a computed name."""
    if "__file__" not in module.text and "import_module" not in module.text:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "__file__":
            work.report(FileBesideModule, module, node, module=module.name)
        elif isinstance(node, ast.Call) and _is_computed_import(node):
            work.report(DynamicImport, module, node)


def _is_computed_import(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name == "import_module" and bool(call.args) and not isinstance(call.args[0], ast.Constant)
