"""Calls that an edit took to another scope: into a helper or out of it, into the other half of a loop."""

from __future__ import annotations

from dataclasses import dataclass, field

from flopod_compiler.ir import CALLING
from flopod_compiler.lock.likeness import NEIGHBOUR, likeness
from flopod_compiler.lock.match import LOOPS, Matching, Old, assign
from flopod_compiler.lock.model import Lock
from flopod_compiler.lock.renames import Renames
from flopod_compiler.lock.today import Call, Function, Scope


@dataclass(slots=True)
class Place:
    """Where a call stands: its function, and the loops around it, outermost first, by what they go over."""

    function: str
    loops: list[Call] = field(default_factory=list)


def match_moved(lock: Lock, today: dict[str, Function], renames: Renames, matching: Matching) -> None:
    """Match what is left over across scopes, and add it to `matching.kept`."""
    _Moved(lock, today, renames, matching).run()


class _Moved:
    def __init__(self, lock: Lock, today: dict[str, Function], renames: Renames, matching: Matching) -> None:
        self._lock = lock
        self._today = today
        self._renames = renames
        self._matching = matching
        self._places = _places(today)
        self._calls_now = _call_sites(today, self._places)
        self._order = {
            id(call): place for function in today.values() for place, call in enumerate(function.scope.all())
        }

    def run(self) -> None:
        for loops in (True, False):
            self._take(self._pairs(loops))

    def _pairs(self, loops: bool) -> dict[Call, Old]:
        calls = [call for _, call in self._matching.fresh if (call.shape.kind in LOOPS) == loops]
        olds = [old for old in self._matching.lost if (old.entry.shape.kind in LOOPS) == loops]
        candidates = [(call, old) for call in calls for old in olds if self._may_be(call, old)]
        pairs: dict[Call, Old] = {}
        assign(candidates, lambda call, old: self._score(call, old, pairs), pairs)
        return pairs

    def _take(self, pairs: dict[Call, Old]) -> None:
        matching, taken = self._matching, set(pairs.values())
        matching.kept.update(pairs)
        matching.moved.update(pairs)
        matching.fresh = [(function, call) for function, call in matching.fresh if call not in pairs]
        matching.lost = [old for old in matching.lost if old not in taken]

    def _may_be(self, call: Call, old: Old) -> bool:
        before, now = old.entry.shape, call.shape
        if before.family != now.family or now.kind == "branch":
            return False
        if not self._renames.same(before.callee, now.callee):
            return False
        if before.text != now.text and not (before.name and before.name == now.name):
            return False
        if not now.callee and now.kind not in LOOPS and old.entry.id.partition("#")[0] != call.site.op:
            return False
        around = self._loops_now(call, old)
        return around is not None and self._same_loops(around, old)

    def _score(self, call: Call, old: Old, pairs: dict[Call, Old]) -> float:
        """Looks, and more if what stood beside it went to the same place."""
        beside = sum(
            NEIGHBOUR
            for other, went in pairs.items()
            if went.function == old.function
            and abs(went.rank - old.rank) == 1
            and abs(self._order[id(other)] - self._order[id(call)]) == 1
        )
        return likeness(old.entry.shape, call.shape) + beside

    # -- the loops around, before and now

    def _loops_now(self, call: Call, old: Old) -> list[Call] | None:
        """The loops around a call as seen from the function that `old` was in; None if it is elsewhere."""
        place = self._places[id(call)]
        if self._renames.functions.get(place.function) == old.function:
            return list(place.loops)
        callers = [(site, at) for site, at in self._calls_now if site.shape.callee == place.function]
        if len(callers) == 1 and self._renames.functions.get(callers[0][1].function) == old.function:
            return [*callers[0][1].loops, *place.loops]
        return self._loops_inlined(place, old)

    def _loops_inlined(self, place: Place, old: Old) -> list[Call] | None:
        """The same for a call that was in a helper: its loops without those that stood around the helper."""
        caller = self._renames.functions.get(place.function)
        sites = [entry for entry in self._lock.live(caller or "") if entry.shape.callee == old.function]
        everywhere = sum(
            entry.shape.callee == old.function
            for function in self._lock.functions
            for entry in self._lock.live(function)
        )
        if len(sites) != 1 or everywhere != 1 or len(place.loops) < sites[0].levels:
            return None
        return list(place.loops[sites[0].levels :])

    def _same_loops(self, around: list[Call], old: Old) -> bool:
        if len(around) != old.entry.levels:
            return False
        loops = _loops_before(self._lock, old)
        return all(
            self._is_kept(call, path, old) or call.shape.text == text
            for call, (path, text) in zip(around, loops, strict=True)
        )

    def _is_kept(self, call: Call, path: str, old: Old) -> bool:
        known = self._matching.kept.get(call)
        return known is not None and known.function == old.function and known.entry.path == path


def _loops_before(lock: Lock, old: Old) -> list[tuple[str, str]]:
    """Path and text of the loops that stood around an entry, outermost first."""
    by_path = {entry.path: entry.shape.text for entry in lock.functions[old.function]}
    parts = old.entry.scope.split("/") if old.entry.scope else []
    paths = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return [(path, by_path.get(path, "")) for path in paths]


def _places(today: dict[str, Function]) -> dict[int, Place]:
    found: dict[int, Place] = {}

    def walk(scope: Scope, place: Place) -> None:
        for call in scope.calls:
            found[id(call)] = place
            if call.inner is not None:
                walk(call.inner, Place(place.function, [*place.loops, call]))

    for function in today.values():
        walk(function.scope, Place(function.key))
    return found


def _call_sites(today: dict[str, Function], places: dict[int, Place]) -> list[tuple[Call, Place]]:
    """Every call of a workflow function, and where it stands."""
    return [
        (call, places[id(call)])
        for function in today.values()
        for call in function.scope.all()
        if call.shape.family in CALLING
    ]
