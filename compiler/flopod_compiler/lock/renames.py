"""Which functions of today are functions of the lock under another name or in another module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from flopod_compiler.lock.model import Lock
from flopod_compiler.lock.today import Function
from flopod_compiler.sites import Shape

_ALIKE = 0.6
Holds = Callable[[str, str], bool]


@dataclass(slots=True)
class Renames:
    """`functions`: the key in the lock of a workflow function of today; `callees`: old names to new ones."""

    functions: dict[str, str] = field(default_factory=dict)
    callees: dict[str, str] = field(default_factory=dict)

    def now(self, callee: str) -> str:
        """What a callee of the lock is called today."""
        return self.callees.get(callee, callee)

    def same(self, before: str, now: str) -> bool:
        return self.now(before) == now


def find_renames(
    lock: Lock, today: dict[str, Function], workflows: dict[str, str], defined: Container[str]
) -> Renames:
    """Compare what the lock knows with today's functions; only what is not `defined` can have a new name."""
    functions = _functions(lock, today, workflows)
    found = Renames(functions)
    found.callees = {old: new for new, old in functions.items() if old != new}
    found.callees |= _callees(lock, today, found, defined)
    return found


# -- workflow functions


def _functions(lock: Lock, today: dict[str, Function], workflows: dict[str, str]) -> dict[str, str]:
    found = {key: key for key in today if key in lock.functions}
    for name, key in workflows.items():
        old = lock.workflows.get(name)
        if old in lock.functions and key not in found and old not in found.values():
            found[key] = old
    open_keys = [key for key in today if key not in found]
    left = [key for key in lock.functions if key not in found.values() and lock.live(key)]
    for how in (_moved_with_root(found), _same_name, _alike(lock, today)):
        for key, old in _unique(open_keys, left, how):
            found[key] = old
            open_keys.remove(key)
            left.remove(old)
    return found


def _moved_with_root(found: dict[str, str]) -> Holds:
    def holds(key: str, old: str) -> bool:
        return any(
            old.startswith(f"{before}.") and key == now + old.removeprefix(before)
            for now, before in found.items()
        )

    return holds


def _same_name(key: str, old: str) -> bool:
    return key.partition(":")[2] == old.partition(":")[2]


def _alike(lock: Lock, today: dict[str, Function]) -> Holds:
    def holds(key: str, old: str) -> bool:
        mine = _looks(call.shape for call in today[key].scope.all())
        theirs = _looks(entry.shape for entry in lock.live(old))
        total = (mine | theirs).total()
        return bool(total) and (mine & theirs).total() >= _ALIKE * total

    return holds


def _looks(shapes: Iterable[Shape]) -> Counter[tuple[str, str]]:
    return Counter((shape.callee or shape.kind, shape.text) for shape in shapes if shape.kind != "constant")


def _unique(keys: list[str], olds: list[str], holds: Holds) -> list[tuple[str, str]]:
    """The pairs for which `holds`, where neither side could be in another pair."""
    pairs = [(key, old) for key in keys for old in olds if holds(key, old)]
    by_key, by_old = Counter(key for key, _ in pairs), Counter(old for _, old in pairs)
    return [(key, old) for key, old in pairs if by_key[key] == by_old[old] == 1]


# -- leaves


def _callees(
    lock: Lock, today: dict[str, Function], renames: Renames, defined: Container[str]
) -> dict[str, str]:
    """Leaves that are not called and not defined any more, and what is called like them instead."""
    before = _uses((function, entry.shape) for function in lock.functions for entry in lock.live(function))
    now = _uses(
        (renames.functions.get(key, key), call.shape)
        for key, one in today.items()
        for call in one.scope.all()
    )
    gone = [callee for callee in before if callee not in now and callee not in renames.callees]
    new = [callee for callee in now if callee not in before and callee in defined]
    pairs = [
        (was, callee)
        for was in gone
        for callee in new
        if ":" in was and was not in defined and _stands_for(was, callee, before, now)
    ]
    by_old, by_new = Counter(was for was, _ in pairs), Counter(callee for _, callee in pairs)
    return {was: callee for was, callee in pairs if by_old[was] == by_new[callee] == 1}


def _stands_for(
    was: str, callee: str, before: dict[str, Counter[object]], now: dict[str, Counter[object]]
) -> bool:
    if _same_name(callee, was):
        return True
    return before[was].total() == now[callee].total() == (before[was] & now[callee]).total()


def _uses(shapes: Iterable[tuple[str, Shape]]) -> dict[str, Counter[object]]:
    """Per callee how it is called: in which function, with which arguments, for which variable."""
    found: dict[str, Counter[object]] = {}
    for function, shape in shapes:
        if shape.callee and shape.kind != "constant":
            found.setdefault(shape.callee, Counter())[function, shape.text, shape.name] += 1
    return found
