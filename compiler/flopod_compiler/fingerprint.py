"""What is to be done to a module, as a digest: equal edits of equal text give equal emitted text."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import msgspec

from flopod_compiler.lower.edits import Edits
from flopod_compiler.model import ModuleValue, ProjectClass, ProjectFunction
from flopod_compiler.sites import SiteScope

_WRITERS: dict[type, Callable[[Any], str]] = {}
_ATOMS = frozenset({str, int, float, bool, bytes, type(None), complex})


def fingerprint(text: str, edits: Edits) -> str:
    """A digest of a module's text and of all that its lowering is told.

    Nodes of the tree count by their place, and symbols by their name. A value of a type that is not known
    here raises TypeError, so that nothing is ever left out of the digest.
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    digest.update(b"\0" + _written(edits).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _written(value: Any) -> str:
    kind = type(value)
    if kind in _ATOMS:
        return repr(value)
    if kind is tuple or kind is list:
        return f"[{','.join(map(_written, value))}]"
    if kind is dict:
        return f"{{{','.join(sorted(f'{_written(key)}:{_written(one)}' for key, one in value.items()))}}}"
    if kind is set or kind is frozenset:
        return f"({','.join(sorted(map(_written, value)))})"
    if kind not in _WRITERS:
        _WRITERS[kind] = _writer(kind)
    return _WRITERS[kind](value)


def _writer(kind: type) -> Callable[[Any], str]:
    """How objects of a class are written."""
    if issubclass(kind, ast.AST):
        return _place
    if kind is SiteScope:
        return lambda scope: f"scope {scope.variable}"
    if kind in (ProjectFunction, ProjectClass):
        return lambda symbol: f"{symbol.module}:{symbol.qualname}"
    if kind is ModuleValue:
        return lambda value: f"{value.module}:{value.name}"
    if issubclass(kind, Enum):
        return repr
    title = kind.__name__
    if not is_dataclass(kind) and not issubclass(kind, msgspec.Struct):
        raise TypeError(f"no fingerprint of {title}")
    names = [one.name for one in fields(kind)] if is_dataclass(kind) else kind.__struct_fields__
    return lambda one: f"{title}({','.join([_written(getattr(one, name)) for name in names])})"


def _place(node: ast.AST) -> str:
    where = (getattr(node, name, "") for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))
    return f"{type(node).__name__}{tuple(where)}"
