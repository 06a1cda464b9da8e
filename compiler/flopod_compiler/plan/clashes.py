"""One finding for all sites of a scope that share a name, with the place of each."""

from __future__ import annotations

import ast

from flopod_compiler.diagnostics import Diagnostic, Related
from flopod_compiler.diagnostics.rules.lowering import AmbiguousId
from flopod_compiler.ids import Clash
from flopod_compiler.model import SourceModule
from flopod_compiler.parse import span


def grouped(clashes: list[Clash]) -> list[list[Clash]]:
    """Clashes of one name in one scope together; those that are errors stay alone."""
    groups: dict[tuple[object, ...], list[Clash]] = {}
    for clash in clashes:
        alone = clash.site.id if clash.fatal else None
        groups.setdefault((clash.site.scope, clash.site.op, clash.fatal, alone), []).append(clash)
    return list(groups.values())


def ambiguous(module: SourceModule, clashes: list[Clash]) -> Diagnostic:
    """The finding about one group."""
    first, ids = clashes[0], " ".join(f"`{one.site.id}`" for one in clashes)
    if first.fatal:
        verdict = f"both have the id {ids}"
    elif len(clashes) == 1:
        verdict = f"it gets the id {ids}"
    else:
        verdict = f"by their place they get the ids {ids}"
    times = "twice" if len(clashes) == 1 else f"{len(clashes) + 1} times"
    others = (_visible(one.site.node) for one in clashes[1:])
    related = tuple(Related(module.relpath, span(one, module), "and here") for one in others)
    return AmbiguousId.at(
        module, _visible(first.site.node), related=related, op=first.site.op, times=times,
        line=_visible(first.first.node).lineno, verdict=verdict,
    )  # fmt: skip


def _visible(node: ast.AST) -> ast.expr | ast.stmt:
    return node.target if isinstance(node, ast.comprehension) else node  # type: ignore[return-value]
