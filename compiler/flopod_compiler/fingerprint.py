"""What is to be done to a module, as a digest: equal edits of equal text give equal emitted text."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from flopod_compiler.diagnostics import Span
from flopod_compiler.lower.edits import Edits
from flopod_compiler.model import ModuleValue, ProjectClass, ProjectFunction
from flopod_compiler.sites import Shape, Site, SiteScope

_ATOMS = frozenset({str, int, float, bool, bytes, type(None), complex})


def fingerprint(text: str, edits: Edits, first: int = 1) -> str:
    """A digest of a text, whose first line has the number `first`, and of all that its lowering is told.

    Nodes of the tree count by their place, and symbols by their name. A value of a type that is not known
    here raises TypeError, so that nothing is ever left out of the digest.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    digest.update(b"\0" + _Writer(first - 1).write(edits).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class _Writer:
    """Writes values; lines are counted from `above`."""

    def __init__(self, above: int) -> None:
        self._above = above
        self._writers: dict[type, Callable[[Any], str]] = {}

    def write(self, value: Any) -> str:
        kind = type(value)
        if kind in _ATOMS:
            return repr(value)
        if kind is tuple or kind is list:
            return f"[{','.join(map(self.write, value))}]"
        if kind is dict:
            pairs = (f"{self.write(key)}:{self.write(one)}" for key, one in value.items())
            return f"{{{','.join(sorted(pairs))}}}"
        if kind is set or kind is frozenset:
            return f"({','.join(sorted(map(self.write, value)))})"
        if kind not in self._writers:
            self._writers[kind] = self._writer(kind)
        return self._writers[kind](value)

    def _writer(self, kind: type) -> Callable[[Any], str]:
        """How objects of a class are written."""
        if issubclass(kind, ast.AST):
            return self._place
        if kind is Span:
            return self._span
        if kind is Site:
            return self._site
        if kind is Shape:
            return repr
        if kind is SiteScope:
            return lambda scope: f"scope {scope.variable}"
        if kind in (ProjectFunction, ProjectClass):
            return lambda symbol: f"{symbol.module}:{symbol.qualname}"
        if kind is ModuleValue:
            return lambda value: f"{value.module}:{value.name}"
        if issubclass(kind, Enum):
            return repr
        return self._dataclass(kind)

    def _dataclass(self, kind: type) -> Callable[[Any], str]:
        title = kind.__name__
        if not is_dataclass(kind):
            raise TypeError(f"no fingerprint of {title}")
        names = [one.name for one in fields(kind)]
        return lambda one: f"{title}({','.join([self.write(getattr(one, name)) for name in names])})"

    def _place(self, node: ast.AST) -> str:
        line, end = getattr(node, "lineno", self._above), getattr(node, "end_lineno", None) or self._above
        columns = getattr(node, "col_offset", ""), getattr(node, "end_col_offset", "")
        return f"{type(node).__name__}{line - self._above, end - self._above, *columns}"

    def _span(self, span: Span) -> str:
        return f"{span.line - self._above, span.col, span.end_line - self._above, span.end_col}"

    def _site(self, site: Site) -> str:
        """All of a site but the line, which its place says."""
        values = [getattr(site, name) for name in site.__struct_fields__ if name != "line"]
        return f"Site({','.join(map(self.write, values))})"
