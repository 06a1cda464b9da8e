"""Two generations of a lock, and what workflows under them call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from flopod.callee import callee_of
from flopod.log import Lineage
from flopod.manifest import Edit, Manifest, Moved, PathEntry, WorkflowEntry

Body = Callable[..., Awaitable[Any]]


called: list[Any] = []


async def leaf(x: Any) -> Any:
    called.append(x)
    return x


def lineage(
    *edits: Edit, moves: tuple[Moved, ...] = (), knows: bool = True, paths: tuple[str, ...] = ()
) -> Lineage:
    """The lock of a second generation `g2`, after `g1`; `paths` are those that its code can ask for."""
    known = [PathEntry(path, "activity", callee_of(leaf)) for path in paths]
    entry = WorkflowEntry("main", "m", "main", paths=known, edits=list(edits), moves=list(moves))
    generations = {"g1": [], "g2": ["g1"]} if knows else {"g2": []}
    manifest = Manifest("b2", "p", {"main": entry}, generation="g2", generations=generations)
    return Lineage(manifest, entry)


def past() -> Lineage:
    entry = WorkflowEntry("main", "m", "main")
    return Lineage(Manifest("b1", "p", {"main": entry}, generation="g1", generations={"g1": []}), entry)


NEW = Edit("new", since="g2")
