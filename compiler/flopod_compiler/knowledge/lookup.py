"""One answer for a qualified name outside the project: what a call of it is."""

from __future__ import annotations

import ast

from flopod_compiler.knowledge.author import AUTHOR_TABLE, canonical
from flopod_compiler.knowledge.beside import of_process
from flopod_compiler.knowledge.builtins import BUILTIN_TABLE
from flopod_compiler.knowledge.concurrency import asyncio_call
from flopod_compiler.knowledge.known import LEAF, PURE, RECORDABLE, Known, refused
from flopod_compiler.knowledge.methods import is_data_type, is_pure_method
from flopod_compiler.knowledge.recordables import (
    NOW_WITHOUT_ARGUMENT,
    RECORDABLE_MODULES,
    RECORDABLE_TABLE,
)
from flopod_compiler.knowledge.refused import REFUSED_TABLE, refused_module, unseeded
from flopod_compiler.knowledge.stdlib import PURE_MODULES, STDLIB_TABLE
from flopod_compiler.model import CallKind

_TABLE: dict[str, Known] = {
    **STDLIB_TABLE,
    **RECORDABLE_TABLE,
    **REFUSED_TABLE,
    **BUILTIN_TABLE,
    **AUTHOR_TABLE,
}


def external(qualified: str, call: ast.Call) -> Known:
    """What a call of something outside the project is; a leaf when nothing is known of it."""
    name = canonical(qualified)
    count = len(call.args) + len(call.keywords)
    least = NOW_WITHOUT_ARGUMENT.get(name)
    if least is not None and count < least:
        return RECORDABLE
    if name in ("builtins.vars", "builtins.dir") and not count:
        return refused("FLP605", "use the variables by name; the compiled function has others of its own")
    found = unseeded(name, count) or of_process(name) or asyncio_call(name, call)
    return found or _TABLE.get(name) or _by_module(name)


def is_author_primitive(qualified: str) -> bool:
    """Whether a qualified name is a primitive of flopod, compiled already or not."""
    known = AUTHOR_TABLE.get(canonical(qualified))
    return known is not None and known is not PURE and canonical(qualified) != "flopod.create_runtime"


def _by_module(name: str) -> Known:
    """The verdict of the innermost module or class that a table names."""
    if name.startswith("flopod."):
        return PURE
    holder = name.rpartition(".")[0]
    while holder:
        if is_data_type(holder):
            return PURE if is_pure_method(holder, name.rpartition(".")[2]) else LEAF
        known = _TABLE.get(holder)
        if known is not None and known.kind is CallKind.PURE:
            return known
        if holder in PURE_MODULES:
            return PURE
        if holder in RECORDABLE_MODULES:
            return RECORDABLE
        holder = holder.rpartition(".")[0]
    return refused_module(name) or LEAF
