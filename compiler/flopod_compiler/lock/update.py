"""Today's lock out of the last one: what stays, is new, gone, changed or moved, and since when."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from flopod.workflow.paths import encode_id
from flopod_compiler.lock.match import Matching, Old
from flopod_compiler.lock.model import Entry, Generation, Lock, Renamed
from flopod_compiler.lock.parameters import renamed
from flopod_compiler.lock.paths import expand_moves
from flopod_compiler.lock.today import Call, Function, Scope
from flopod_compiler.sites import FOR_EACH, Shape


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the plan: `+` new, `-` gone, `~` changed or moved; `what` says how."""

    sign: str
    function: str
    path: str
    what: str = ""
    file: str = ""
    line: int = 0


@dataclass(slots=True)
class Update:
    """A lock for today's source and how it differs from the last one; `is_new` if there was none."""

    lock: Lock
    generation: str
    plan: list[Change] = field(default_factory=list)
    is_new: bool = False
    differs: bool = False


def update(
    before: Lock | None,
    today: dict[str, Function],
    workflows: dict[str, str],
    parameters: dict[str, list[str]],
    matching: Matching,
    build: str,
) -> Update:
    """The lock of the build `build`, whose sites have their ids."""
    lock = before or Lock()
    digest = hashlib.sha256("\0".join((build, *lock.heads)).encode()).hexdigest()[:12]
    made = _Writer(lock, today, matching, digest).write(workflows, parameters)
    uses = {mark for entries in made.lock.functions.values() for one in entries for mark in _marks(one)}
    uses |= {one.generation for one in made.lock.renamed}
    if digest in uses or len(lock.heads) != 1:
        made.lock.generations = [*lock.generations, Generation(digest, build, lock.heads)]
    else:
        made.lock.generations = list(lock.generations)
        made.generation = lock.heads[0]
    made.is_new = before is None
    made.differs = made.lock != before
    return made


def _marks(entry: Entry) -> tuple[str, ...]:
    return entry.since, entry.changed, entry.moved, entry.gone


class _Writer:
    def __init__(self, before: Lock, today: dict[str, Function], matching: Matching, generation: str) -> None:
        self._before = before
        self._today = today
        self._matching = matching
        self._generation = generation
        self._plan: list[Change] = []
        self._went: dict[tuple[str, str], tuple[str, str]] = {}

    def write(self, workflows: dict[str, str], parameters: dict[str, list[str]]) -> Update:
        lock = Lock(workflows=dict(workflows), parameters=dict(parameters))
        lock.renamed = [*self._before.renamed, *self._renamed(lock)]
        for key, function in self._today.items():
            lock.functions[key] = self._live(function)
        for key, path in self._went.values():
            lock.functions[key] = [self._grown(entry, path) for entry in lock.functions[key]]
        for key in self._today:
            old = self._matching.functions.get(key)
            lock.functions[key] = self._with_gone(lock.functions[key], key, old)
        for key in set(self._before.functions) - set(self._matching.functions.values()):
            lock.functions.setdefault(key, [])
            lock.functions[key] = self._with_gone(lock.functions[key], key, key)
        moves = expand_moves(self._before, lock, self._went, self._matching.functions, self._generation)
        lock.moves = [*self._before.moves, *moves]
        return Update(lock, self._generation, sorted(self._plan, key=_place))

    def _renamed(self, lock: Lock) -> Iterator[Renamed]:
        for name, takes in sorted(lock.parameters.items()):
            for old, new in renamed(self._before.parameters.get(name, ()), takes).items():
                self._note_renamed(lock.workflows[name], old, new)
                yield Renamed(name, old, new, self._generation)

    # -- what is there

    def _live(self, function: Function) -> list[Entry]:
        found: list[Entry] = []
        self._scope(function, function.scope, "", found)
        known = {
            entry.path: entry
            for entry in self._before.live(self._matching.functions.get(function.key, ""))
            if entry.shape.kind == "constant"
        }
        for name in function.constants:
            path = encode_id(name)
            if path not in {entry.path for entry in found}:
                found.append(known.get(path) or Entry(path, Shape("constant"), self._generation))
        return found

    def _scope(self, function: Function, scope: Scope, prefix: str, found: list[Entry]) -> None:
        shifted = _shifted([self._matching.kept.get(call) for call in scope.calls])
        for call in scope.calls:
            repeats = call.inner is not None or call.shape.kind == FOR_EACH
            path = prefix + encode_id(call.site.id) + ("[*]" if repeats else "")
            old = self._matching.kept.get(call)
            entry = self._entry(function, call, path, old)
            if old is not None and old in shifted and entry.path == old.entry.path:
                entry = replace(entry, moved=self._generation)
                self._note("~", function, path, "in another order", call)
            found.append(entry)
            if call.inner is not None:
                self._scope(function, call.inner, f"{path}/", found)

    def _entry(self, function: Function, call: Call, path: str, old: Old | None) -> Entry:
        generation = self._generation
        if old is None:
            self._note("+", function, path, call.shape.callee, call)
            return Entry(path, call.shape, generation)
        entry = old.entry
        what = _difference(entry.shape, call.shape)
        same_function = self._matching.functions.get(function.key) == old.function
        if not same_function or entry.path != path:
            self._went[old.function, entry.path] = function.key, path
            was = entry.path if same_function else f"{old.function} {entry.path}"
            self._note("~", function, path, f"was {was}", call)
            return Entry(path, call.shape, generation, generation if what else entry.changed)
        if what:
            self._note("~", function, path, what, call)
        return Entry(path, call.shape, entry.since, generation if what else entry.changed, entry.moved)

    def _grown(self, entry: Entry, path: str) -> Entry:
        """A loop into which a call moved: what is left of its old iterations does not hold that call."""
        if entry.path.endswith("[*]") and path.startswith(f"{entry.path}/"):
            return replace(entry, changed=self._generation)
        return entry

    # -- what is not there any more

    def _with_gone(self, live: list[Entry], key: str, old: str | None) -> list[Entry]:
        """The entries with those that are gone, each after the one it came after."""
        if old is None:
            return live
        found = list(live)
        place = 0
        for entry in self._before.functions[old]:
            at = next((at for at, one in enumerate(found) if one.path == entry.path), None)
            if at is not None:
                place = at + 1
                continue
            if not entry.gone:
                entry = self._ended(entry, key, old)
            found.insert(place, entry)
            place += 1
        return found

    def _ended(self, entry: Entry, key: str, old: str) -> Entry:
        if (old, entry.path) not in self._went:
            self._plan.append(Change("-", key, entry.path, entry.shape.callee))
        return replace(entry, gone=self._generation)

    def _note_renamed(self, key: str, old: str, new: str) -> None:
        file = self._today[key].file if key in self._today else ""
        self._plan.append(Change("~", key, new, f"was the parameter {old}", file))

    def _note(self, sign: str, function: Function, path: str, what: str, call: Call) -> None:
        self._plan.append(Change(sign, function.key, path, what, function.file, call.line))


def _difference(old: Shape, new: Shape) -> str:
    """What is different about a call that a run may have recorded, in words."""
    if old.callee != new.callee:
        return f"{old.callee} is now {new.callee}"
    if old.text != new.text:
        return f"({old.text}) is now ({new.text})"
    if old.carries != new.carries:
        return "carries something else"
    return "" if old.kind == new.kind else f"{old.kind} is now {new.kind}"


def _shifted(olds: list[Old | None]) -> set[Old]:
    """The entries that stand elsewhere among those of their scope: all but a longest run in order."""
    known = [old for old in olds if old is not None and old.entry.shape.kind != "branch"]
    tails: list[int] = []
    ends: list[int] = []
    back: list[int] = []
    for place, old in enumerate(known):
        at = bisect_left(tails, old.rank)
        tails[at : at + 1] = [old.rank]
        ends[at : at + 1] = [place]
        back.append(ends[at - 1] if at else -1)
    in_order: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        in_order.add(place)
        place = back[place]
    return {old for place, old in enumerate(known) if place not in in_order}


def _place(change: Change) -> tuple[str, str, int, str]:
    return change.function, change.file, change.line, change.path
