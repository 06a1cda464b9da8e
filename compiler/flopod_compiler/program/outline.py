"""What one module says by itself: its imports, the methods of its classes, what it defines and may change.

An outline follows from the text alone and is plain data, so that a module that is known need not be parsed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

from flopod_compiler.bundle.imports import imports_in
from flopod_compiler.model import Imported, SourceModule
from flopod_compiler.names.imports import absolute_name
from flopod_compiler.names.scopes import Tree
from flopod_compiler.parse import last_name, statements
from flopod_compiler.program.changed import changed_names

METHOD, PROPERTY, INHERITS = 1, 2, 4
"""Of a name in a class: a method, a property; a class that binds it has bases."""


class Outline(msgspec.Struct, frozen=True, array_like=True):
    """A module in brief.

    `reaches` are dotted names that may be modules that its import statements load; `imports` those of a
    bundle. `members` gives for each name that a class binds what is known of it, `defines` the qualified
    names of functions and methods. `changes` are the names that the code may reach what it changes by.
    """

    reaches: tuple[str, ...]
    imports: tuple[Imported, ...]
    members: dict[str, int]
    defines: tuple[str, ...]
    changes: tuple[str, ...]


def outline_of(module: SourceModule, tree: Tree) -> Outline:
    """The outline of a module; `tree` holds the scopes of its top level."""
    return Outline(
        tuple(dict.fromkeys(_reached(module))),
        imports_in(module),
        _members(tree),
        tuple(sorted(set(_defined(module.tree)))),
        tuple(sorted(changed_names(module.tree))),
    )


# -- imports


def _reached(module: SourceModule) -> Iterator[str]:
    if "import" not in module.text:
        return
    for node in statements(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from (alias.name, *packages(alias.name))
        elif isinstance(node, ast.ImportFrom):
            base = absolute_name(module, node) or ""
            yield from (base, *packages(base))
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def packages(name: str) -> list[str]:
    """The packages that a module is in, outermost first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


# -- definitions


def _members(tree: Tree) -> dict[str, int]:
    """What the classes of a module bind; those inside functions are not met from outside."""
    found: dict[str, int] = {}
    for node, scope in tree.classes.items():
        inherits = INHERITS if node.bases else 0
        for name in scope.bindings:
            found[name] = found.get(name, 0) | inherits
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                found[statement.name] = found.get(statement.name, 0) | METHOD | _property(statement)
    return dict(sorted(found.items()))


def _property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    is_property = any(last_name(one) in ("property", "cached_property") for one in node.decorator_list)
    return PROPERTY if is_property else 0


def _defined(tree: ast.Module) -> Iterator[str]:
    """Every function and method, those in conditional blocks included."""
    stack: list[tuple[str, ast.AST]] = [("", tree)]
    while stack:
        prefix, node = stack.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{child.name}"
            elif isinstance(child, ast.ClassDef):
                stack.append((f"{prefix}{child.name}.", child))
            elif isinstance(child, ast.If | ast.Try):
                stack.append((prefix, child))
