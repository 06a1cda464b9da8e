"""Relative imports made absolute."""

from __future__ import annotations

import ast

from flopod_compiler.model import SourceModule


def absolute_name(module: SourceModule, node: ast.ImportFrom) -> str | None:
    """The dotted name of the module that a `from` import names; empty at the source root, None above it."""
    if node.level == 0:
        return node.module or ""
    parts = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    up = node.level - 1
    if up > len(parts):
        return None
    parts = parts[: len(parts) - up]
    return ".".join([*parts, node.module] if node.module else parts)
