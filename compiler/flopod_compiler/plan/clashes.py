"""One finding for all sites of a scope that share a name, with the place of each."""

from __future__ import annotations

from flopod_compiler.diagnostics import Diagnostic, Related
from flopod_compiler.diagnostics.rules.lowering import AmbiguousId
from flopod_compiler.ids import Clash


def grouped(clashes: list[Clash]) -> list[list[Clash]]:
    """Clashes of one name in one scope together; those that are errors stay alone."""
    groups: dict[tuple[object, ...], list[Clash]] = {}
    for clash in clashes:
        alone = clash.site.id if clash.fatal else None
        groups.setdefault((clash.scope, clash.site.op, clash.fatal, alone), []).append(clash)
    return list(groups.values())


def ambiguous(file: str, clashes: list[Clash]) -> Diagnostic:
    """The finding about one group."""
    first, ids = clashes[0], " ".join(f"`{one.site.id}`" for one in clashes)
    if first.fatal:
        verdict = f"both have the id {ids}"
    elif len(clashes) == 1:
        verdict = f"it gets the id {ids}"
    else:
        verdict = f"by their place they get the ids {ids}"
    times = "twice" if len(clashes) == 1 else f"{len(clashes) + 1} times"
    related = tuple(Related(file, one.site.where, "and here") for one in clashes[1:])
    return AmbiguousId.on(
        file, first.site.where, related=related, op=first.site.op, times=times,
        line=first.first.where.line, verdict=verdict,
    )  # fmt: skip
