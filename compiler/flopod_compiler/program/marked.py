"""A function that is a workflow, as plain data."""

from __future__ import annotations

import msgspec

from flopod_compiler.diagnostics import Span


class Marked(msgspec.Struct, frozen=True, array_like=True):
    """A workflow by the line of its function in its module; `where` is the name of that."""

    module: str
    file: str
    line: int
    name: str
    where: Span
    options: dict[str, int | str] = {}
