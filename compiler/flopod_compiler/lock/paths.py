"""Whole paths of a workflow out of the lock: its functions' entries under the calls that lead to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flopod.manifest import Edit, Moved
from flopod_compiler.ir import CALLING
from flopod_compiler.lock.model import Entry, Lock, Move

_LEAVES = {"activity", "work", "forget"}
"""What calls a leaf, and so would have its effects a second time."""

Call = tuple[str, str, str]
Went = Mapping[tuple[str, str], tuple[str, str]]


def occurrences(lock: Lock, root: str) -> Iterator[tuple[str, str]]:
    """Every function that `root` runs, with the prefix of its paths; recursion is not followed."""
    yield from _occurrences(lock, root, "", (root,))


def _occurrences(lock: Lock, function: str, prefix: str, stack: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield function, prefix
    for entry in lock.live(function):
        for callee in entry.shape.callee.split(" | ") if entry.shape.family in CALLING else ():
            if callee in lock.functions and callee not in stack:
                yield from _occurrences(lock, callee, f"{prefix}{entry.calls}/", (*stack, callee))


def expand_moves(
    before: Lock, now: Lock, went: Went, functions: Mapping[str, str], generation: str
) -> list[Move]:
    """What moved inside functions, as moves of whole paths of each workflow."""
    found: list[Move] = []
    for name, root in sorted(now.workflows.items()):
        old_root = functions.get(root)
        if old_root is None or not went:
            continue
        places: dict[str, list[str]] = {}
        for function, prefix in occurrences(now, root):
            places.setdefault(function, []).append(prefix)
        for function, prefix in occurrences(before, old_root):
            for entry in before.live(function):
                target = went.get((function, entry.path))
                new = _nearest(prefix, places.get(target[0], []), target[1]) if target else None
                if new is not None and new != prefix + entry.path:
                    found.append(Move(name, prefix + entry.path, new, generation))
    return found


def _nearest(prefix: str, places: list[str], path: str) -> str | None:
    """The whole path that lies under the old prefix, or around it; None if several could be meant."""
    near = [place for place in places if place.startswith(prefix) or prefix.startswith(place)]
    return near[0] + path if len(near) == 1 else None


# -- for the manifest


def ended_calls(lock: Lock) -> set[Call]:
    """What the calls said that are gone, in all functions, each with the generation that ended it."""
    return {
        _call(entry, entry.gone) for entries in lock.functions.values() for entry in entries if entry.gone
    }


def edits_of(lock: Lock, workflow: str, ended: set[Call]) -> list[Edit]:
    """What changed at the paths of a workflow since its first generation, as the runtime needs it.

    `ended` are the calls of the whole lock that are gone.
    """
    first = {one.id for one in lock.generations if not one.after}
    single = len(first) == 1
    found: dict[str, Edit] = {}
    live: set[str] = set()
    arrived = {(move.new, move.generation) for move in lock.moves if move.workflow == workflow}
    for function, prefix in occurrences(lock, lock.workflows[workflow]):
        for entry in lock.functions[function]:
            path = entry.path if entry.shape.kind == "constant" else prefix + entry.path
            again = _call(entry, entry.since) in ended and (path, entry.since) not in arrived
            since = "" if single and entry.since in first else entry.since
            for place in (path, prefix + entry.calls) if entry.calls != entry.path else (path,):
                edit = _edit(place, entry, since, again)
                if not entry.gone:
                    live.add(place)
                if edit is not None and (not entry.gone or place not in live):
                    found[place] = edit
    return list(found.values())


def _call(entry: Entry, generation: str) -> Call:
    """What a call says, and the generation that brought or ended it."""
    return entry.shape.callee, entry.shape.text, generation


def _edit(path: str, entry: Entry, since: str, again: bool) -> Edit | None:
    if not (since or entry.changed or entry.moved or entry.gone):
        return None
    again = again and bool(since) and not entry.gone and entry.shape.family in _LEAVES
    return Edit(path, since, entry.changed, entry.moved, entry.gone, again)


def moves_of(lock: Lock, workflow: str) -> list[Moved]:
    return [Moved(one.old, one.new, one.generation) for one in lock.moves if one.workflow == workflow]


def renamed_of(lock: Lock, workflow: str) -> list[Moved]:
    """The parameters of a workflow that had another name."""
    return [Moved(one.old, one.new, one.generation) for one in lock.renamed if one.workflow == workflow]
