"""Which modules of the project the workflows reach by imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flopod_compiler.program.outline import Outline, packages


def reachable_modules(start: Iterable[str], outlines: Mapping[str, Outline]) -> set[str]:
    """The modules of the workflows, all they import directly or not, and the packages these are in."""
    found: set[str] = set()
    queue = sorted(set(start))
    while queue:
        name = queue.pop()
        if name in outlines and name not in found:
            found.add(name)
            queue.extend((*packages(name), *outlines[name].reaches))
    return found
