"""Which call of today is which one of the lock: an assignment for each scope that is never wrong.

A pair is taken only if each is clearly the other's best; what several could claim equally goes to none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flopod_compiler.lock.likeness import CLEARLY, ENOUGH, NEIGHBOUR, likeness, loop_likeness
from flopod_compiler.lock.model import Entry, Lock
from flopod_compiler.lock.renames import Renames
from flopod_compiler.lock.today import Call, Function, Scope
from flopod_compiler.sites import Shape, SiteScope

T = TypeVar("T")
Candidate = tuple["Call", "Old"]
LOOPS = ("each", "repeat")


@dataclass(eq=False, slots=True)
class Old:
    """A live entry of the lock; `function` is its old key, `size` how many entries a loop holds."""

    function: str
    entry: Entry
    rank: int
    size: int = 0


@dataclass(eq=False, slots=True)
class Matching:
    """What was recognised: calls that keep their id, and the old function of each function of today.

    `kept` maps a call to the entry that it still is, `moved` are those in another scope; `fresh` are the new
    ones, `lost` the live entries without a call.
    """

    functions: dict[str, str] = field(default_factory=dict)
    kept: dict[Call, Old] = field(default_factory=dict)
    moved: set[Call] = field(default_factory=set)
    fresh: list[tuple[Function, Call]] = field(default_factory=list)
    lost: list[Old] = field(default_factory=list)


def match_calls(lock: Lock, today: dict[str, Function], renames: Renames) -> Matching:
    """Match every function of today with the lock, scope by scope."""
    found = Matching(functions=renames.functions)
    for key, function in today.items():
        before = renames.functions.get(key, "")
        olds = olds_of(before, [one for one in lock.live(before) if one.shape.kind != "constant"])
        _Scopes(found, function, olds, renames).walk(function.scope, "")
    for key in set(lock.functions) - set(renames.functions.values()):
        found.lost += olds_of(key, [one for one in lock.live(key) if one.shape.kind != "constant"])
    return found


def olds_of(function: str, entries: list[Entry]) -> list[Old]:
    """The entries of a function of the lock, as what today's calls are compared with."""
    sizes = Counter(
        scope for entry in entries for scope in _scopes_around(entry) if entry.shape.kind != "branch"
    )
    return [Old(function, entry, rank, sizes[entry.path]) for rank, entry in enumerate(entries)]


def _scopes_around(entry: Entry) -> list[str]:
    parts = entry.scope.split("/") if entry.scope else []
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


class _Scopes:
    """Walks the scopes of one function beside those of the lock."""

    def __init__(self, found: Matching, function: Function, olds: list[Old], renames: Renames) -> None:
        self._found = found
        self._function = function
        self._renames = renames
        self._inside: dict[str, list[Old]] = {}
        for old in olds:
            self._inside.setdefault(old.entry.scope, []).append(old)

    def walk(self, scope: Scope, before: str | None) -> None:
        """Match a scope with the one that was at `before`, None for a new one."""
        olds = self._inside.pop(before, []) if before is not None else []
        pairs = self._pairs(scope, olds)
        for call in scope.calls:
            old = pairs.get(call)
            if old is not None:
                self._found.kept[call] = old
            else:
                self._found.fresh.append((self._function, call))
            if call.inner is not None:
                self.walk(call.inner, old.entry.path if old else None)
        taken = {id(old) for old in pairs.values()}
        self._found.lost += [old for old in olds if id(old) not in taken]
        if before == "":
            for left in self._inside.values():
                self._found.lost += left

    def _pairs(self, scope: Scope, olds: list[Old]) -> dict[Call, Old]:
        pairs: dict[Call, Old] = {}
        if self._is_unchanged(scope, olds):
            return dict(zip(scope.calls, olds, strict=True))
        self._pin(scope, olds, pairs)
        self._assign(
            [call for call in scope.calls if call not in pairs],
            [old for old in olds if old not in pairs.values()],
            scope.calls,
            olds,
            pairs,
        )
        return pairs

    def _is_unchanged(self, scope: Scope, olds: list[Old]) -> bool:
        before = [(old.entry.shape, [one.entry.shape for one in self._under(old)]) for old in olds]
        return before == [(call.shape, _inner_shapes(call)) for call in scope.calls]

    def _pin(self, scope: Scope, olds: list[Old], pairs: dict[Call, Old]) -> None:
        """What the author named is what is called so."""
        by_id = {(old.entry.shape.family, old.entry.id): old for old in olds}
        for call in scope.calls:
            wanted = explicit_id(call)
            old = by_id.get((call.shape.family, wanted)) if wanted else None
            if old is not None and old not in pairs.values():
                pairs[call] = old

    def _assign(
        self,
        calls: list[Call],
        olds: list[Old],
        all_calls: list[Call],
        all_olds: list[Old],
        pairs: dict[Call, Old],
    ) -> None:
        candidates = [(call, old) for call in calls for old in olds if self._may_be(call, old)]
        around = Around(all_calls, all_olds, pairs)

        def score(call: Call, old: Old) -> float:
            return self._looks(call, old) + around.score(call, old)

        assign(candidates, score, pairs)

    def _may_be(self, call: Call, old: Old) -> bool:
        shape, before = call.shape, old.entry.shape
        if shape.family != before.family:
            return False
        if shape.kind in (*LOOPS, "branch"):
            return True
        return self._renames.same(before.callee, shape.callee) and (
            bool(before.callee) or old.entry.id.partition("#")[0] == call.site.op
        )

    def _looks(self, call: Call, old: Old) -> float:
        if call.inner is None:
            return likeness(old.entry.shape, call.shape)
        inside = [one.entry.shape for one in self._under(old) if one.entry.shape.kind != "branch"]
        return loop_likeness(
            old.entry.shape, call.shape, _callees(inside, self._renames), _callees(_shapes(call.inner), None)
        )

    def _under(self, old: Old) -> list[Old]:
        """The entries of a loop and of the loops in it."""
        if not old.size and old.entry.shape.kind not in LOOPS:
            return []
        prefix = f"{old.entry.path}/"
        found = [
            one for scope, some in self._inside.items() if f"{scope}/".startswith(prefix) for one in some
        ]
        return sorted(found, key=lambda one: one.rank)


class Around:
    """The evidence of neighbours: calls next to each other before and after an edit."""

    def __init__(self, calls: Sequence[Call], olds: Sequence[Old], pairs: dict[Call, Old]) -> None:
        self._pairs = pairs
        self._calls = [call for call in calls if call.shape.kind != "branch"]
        self._olds = [old for old in olds if old.entry.shape.kind != "branch"]
        self._call_place = {id(call): place for place, call in enumerate(self._calls)}
        self._old_place = {id(old): place for place, old in enumerate(self._olds)}

    def score(self, call: Call, old: Old) -> float:
        """More for each neighbour that is known to be the same, a little for the nearest known one."""
        here, there = self._call_place.get(id(call)), self._old_place.get(id(old))
        if here is None or there is None:
            return 0.0
        return sum(self._beside(here, there, step) for step in (-1, 1))

    def _beside(self, here: int, there: int, step: int) -> float:
        call, old = _at(self._calls, here + step), _at(self._olds, there + step)
        if call is None and old is None:
            return NEIGHBOUR
        if call is not None and old is not None and self._pairs.get(call) is old:
            return NEIGHBOUR
        return 0.5 if self._nearest_call(here, step) == self._nearest_old(there, step) else 0.0

    def _nearest_call(self, place: int, step: int) -> int:
        while (call := _at(self._calls, place := place + step)) is not None:
            if call in self._pairs:
                return id(self._pairs[call])
        return 0

    def _nearest_old(self, place: int, step: int) -> int:
        known = {id(old) for old in self._pairs.values()}
        while (old := _at(self._olds, place := place + step)) is not None:
            if id(old) in known:
                return id(old)
        return 0


class Scores:
    """The scores of all candidates, by either side."""

    def __init__(self, candidates: Iterable[Candidate], score: Callable[[Call, Old], float]) -> None:
        self.of = {pair: score(*pair) for pair in candidates}
        self._by_call: dict[Call, list[Old]] = {}
        self._by_old: dict[Old, list[Call]] = {}
        self._runs: dict[tuple[SiteScope, int], list[Call]] = {}
        for call, old in self.of:
            self._by_call.setdefault(call, []).append(old)
            self._by_old.setdefault(old, []).append(call)
        for call in sorted(self._by_call, key=lambda one: one.place):
            self._runs.setdefault((call.scope, call.run), []).append(call)

    def surest(self) -> list[Candidate]:
        """The pairs that are clearly each other's best, as far as they share the highest score."""
        sure = [pair for pair, score in self.of.items() if score >= ENOUGH and self._is_best(*pair)]
        highest = max((self.of[pair] for pair in sure), default=0.0)
        return [pair for pair in sure if self.of[pair] == highest]

    def _is_best(self, call: Call, old: Old) -> bool:
        run, same = self._repeated(call)
        if len(run) > 1 and not _is_in_order(call, old, run, same):
            return False
        bar = self.of[call, old] - CLEARLY
        rivals = [one for one in self._by_call[call] if one is not old and one not in same]
        copies = [one for one in self._by_old[old] if one is not call and one not in run]
        return all(self.of[call, other] <= bar or _is_merged(call, old, other) for other in rivals) and all(
            self.of[other, old] <= bar or _is_split(call, other) for other in copies
        )

    def _repeated(self, call: Call) -> tuple[list[Call], list[Old]]:
        """The run of equal lines that a call stands in, and the entries that look like them."""
        run = self._runs[call.scope, call.run] if call.shape.kind != "branch" else [call]
        if len(run) < 2:
            return run, []
        same = [old for old in self._by_call[call] if old.entry.shape == call.shape]
        return run, sorted(same, key=lambda one: one.rank)


def _is_in_order(call: Call, old: Old, run: list[Call], same: list[Old]) -> bool:
    """Of equal lines in a row: as many as before are those, and of copies the first is the old one."""
    if not same:
        return True
    if len(same) not in (1, len(run)) or old not in same:
        return False
    return run.index(call) == same.index(old)


def assign(candidates: list[Candidate], score: Callable[[Call, Old], float], pairs: dict[Call, Old]) -> None:
    """Take the pairs that are clearly each other's best, again and again, the surest first.

    Of copies made of one call the first stays what it was; one call left of several copies is none of them.
    """
    while candidates:
        surest = Scores(candidates, score).surest()
        if not surest:
            return
        pairs.update(surest)
        taken = set(pairs.values())
        candidates = [(call, old) for call, old in candidates if call not in pairs and old not in taken]


def _is_split(call: Call, other: Call) -> bool:
    """Whether the other call is a later copy, or a loop that is the later part of one that was split."""
    if call.line > other.line:
        return False
    if call.inner is not None:
        return other.inner is not None and call.shape.text == other.shape.text
    return call.shape == other.shape


def _is_merged(call: Call, old: Old, other: Old) -> bool:
    """Whether a loop holds what was in two, of which `old` was the first."""
    if call.inner is None or old.rank > other.rank or old.entry.shape.text != other.entry.shape.text:
        return False
    return len(_shapes(call.inner)) >= old.size + other.size


def explicit_id(call: Call) -> str | None:
    """The id that a pragma gives to a call or a loop, None without one."""
    site = call.site
    if site.pragma:
        return f"{site.op}#{site.pragma}"
    return site.op if site.default is not None and site.op != site.default else None


def _callees(shapes: Iterable[Shape], renames: Renames | None) -> Counter[str]:
    found = (shape.callee or shape.kind for shape in shapes)
    return Counter(found if renames is None else (renames.now(callee) for callee in found))


def _shapes(scope: Scope) -> list[Shape]:
    return [call.shape for call in scope.all() if call.shape.kind != "branch"]


def _inner_shapes(call: Call) -> list[Shape]:
    return [one.shape for one in call.inner.all()] if call.inner is not None else []


def _at(items: Sequence[T], place: int) -> T | None:
    return items[place] if 0 <= place < len(items) else None
