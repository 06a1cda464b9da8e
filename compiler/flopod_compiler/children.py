"""The children of a syntax node, by a table of the fields that can hold one."""

from __future__ import annotations

import ast
from typing import Any

_PLAIN = frozenset(
    {
        *("ctx", "op", "ops"),  # objects that all nodes of a kind share
        *("id", "attr", "arg", "kind", "type_comment", "conversion", "simple", "level", "module", "asname"),
        "is_async",
    }
)
_MIXED = frozenset({"keys", "kw_defaults", "names", "kwd_attrs"})
"""Lists that hold texts, or None, beside nodes or instead of them."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        fields = () if issubclass(kind, ast.Constant) else kind._fields
        found = self[kind] = tuple(name for name in fields if name not in _PLAIN)
        return found


_FIELDS = _Fields()


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below one, in the order of its fields; operators and contexts are left out."""
    found: list[ast.AST] = []
    for name in _FIELDS[node.__class__]:
        value: Any = getattr(node, name, None)
        if value.__class__ is list:
            found += value if name not in _MIXED else [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found
