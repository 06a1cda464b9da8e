"""Counts what the random programs were made of: constructs, nesting pairs, loops, crash points."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.forms import FORMS

_OUTER = """
for while long-for try except finally try-else if elif else match-guard helper for-else while-else
with-suppress with-nullcontext async-with async-for for-generator shared-iterator try-star task-group timeout
detach-and-join
"""
_EVERYWHERE = """
leaf gather-fixed mutating-leaf list-comprehension alias function-value method-changes detach-and-forget
"""
_BLOCKS = "for while try if match with-nullcontext async-for for-generator try-star task-group timeout"
_WAYS_OUT = "break continue return raise"
_DETACHES = "forgotten-task detach-and-join"
_OTHERS = {
    "long-for": "break return raise forgotten-task",
    "helper": f"{_BLOCKS} return raise",
    "finally": f"{_BLOCKS} {_DETACHES}",
    "match-guard": f"{_BLOCKS} {_DETACHES}",
    "task-group": f"{_BLOCKS} return raise forgotten-task",
    "shared-iterator": f"{_BLOCKS} {_WAYS_OUT} forgotten-task",
    "detach-and-join": f"for while try if match return raise {_DETACHES}",
}
PAIRS = frozenset(
    (outer, inner)
    for outer in _OUTER.split()
    for inner in f"{_EVERYWHERE} {_OTHERS.get(outer, f'{_BLOCKS} {_WAYS_OUT} {_DETACHES}')}".split()
)
_CRASHES = """
nothing run_started activity_started activity_completed activity_failed branch_taken var_changed
iteration_completed sleep_started sleep_completed log detached detach_ended
"""
CRASHES = frozenset(_CRASHES.split())
# So many programs (or resumes) have to show one more of each. They usually show several times that.
PROGRAMS_A_CONSTRUCT = 40
PROGRAMS_A_PAIR = 4000
RESUMES_A_CRASH = 500


@dataclass
class Coverage:
    """How often each construct, each pair (outer, inner), each kind of loop and each crash point was seen."""

    constructs: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    loops: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    resumes: int = 0

    def add(self, other: Coverage) -> None:
        """Take the counts of another process into these."""
        for name in ("constructs", "pairs", "loops", "crashes", "refused"):
            getattr(self, name).update(getattr(other, name))
        self.programs += other.programs
        self.resumes += other.resumes

    def count_loops(self, emitted: str) -> None:
        """Count the durable loops of an emitted module by what a resume does with them."""
        self.loops.update(_kinds_of_loops(ast.parse(emitted)))

    def table(self) -> str:
        """The counts as text, for a terminal."""
        lines = [f"programs {self.programs}, resumes {self.resumes}", "", "constructs"]
        lines += _columns([f"{name} {count}" for name, count in sorted(self.constructs.items())])
        lines += ["", "forms of Python, by the number of their row"]
        rows = {
            row: sum(self.constructs[name] for name in form.random.split()) for row, form in FORMS.items()
        }
        lines += _columns([f"{row}: {count}" for row, count in rows.items() if FORMS[row].random])
        common = [f"{outer} > {inner} {count}" for (outer, inner), count in self.pairs.most_common(60)]
        least = min(self.pairs[pair] for pair in PAIRS)
        lines += [
            "",
            f"nesting pairs: {len(self.pairs)} different, each of {len(PAIRS)} at least {least} times",
        ]
        lines += _columns(common)
        lines += ["", "durable loops"]
        lines += _columns([f"{name} {count}" for name, count in sorted(self.loops.items())])
        lines += ["", "killed after"]
        lines += _columns([f"{name} {count}" for name, count in sorted(self.crashes.items())])
        if self.refused:
            lines += ["", "refused by the compiler"]
            lines += _columns([f"{code} {count}" for code, count in sorted(self.refused.items())])
        return "\n".join(lines)

    def missing(self, constructs: frozenset[str], pairs: frozenset[tuple[str, str]] = PAIRS) -> list[str]:
        """The constructs and nesting pairs made less often than so many programs have to make them."""
        few = _fewer(constructs, self.constructs, self.programs // PROGRAMS_A_CONSTRUCT)
        named = {f"{outer} > {inner}": self.pairs[outer, inner] for outer, inner in pairs}
        return few + _fewer(named, named, self.programs // PROGRAMS_A_PAIR)

    def not_killed(self) -> list[str]:
        """The crash points and captured loops that were too few for so many programs and resumes."""
        few = _fewer(CRASHES, self.crashes, self.resumes // RESUMES_A_CRASH)
        captured, replayed = self.loops["captured"], self.loops["replayed"]
        if self.programs >= PROGRAMS_A_CONSTRUCT and captured < replayed:
            few.append(f"captured loops ({captured} beside {replayed} that are replayed)")
        return few


def _fewer(names: Iterable[str], counts: Mapping[str, int], least: int) -> list[str]:
    found = {name: counts.get(name, 0) for name in sorted(names)}
    return [f"{name} ({count} of {least})" for name, count in found.items() if count < least]


def _kinds_of_loops(tree: ast.Module) -> Iterable[str]:
    sources = {one.iter for one in ast.walk(tree) if isinstance(one, ast.comprehension)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in ("each", "repeat"):
            continue
        if node in sources:
            yield "in comprehensions"
        else:
            yield "replayed" if _is_replayed(node) else "captured"


def _is_replayed(loop: ast.Call) -> bool:
    keep = [one.value for one in loop.keywords if one.arg == "keep"]
    return any(isinstance(value, ast.Constant) and value.value is None for value in keep)


def _columns(cells: list[str], width: int = 100) -> list[str]:
    if not cells:
        return ["  none"]
    wide = max(map(len, cells)) + 2
    count = max(1, width // wide)
    rows = [cells[start : start + count] for start in range(0, len(cells), count)]
    return ["  " + "".join(cell.ljust(wide) for cell in row).rstrip() for row in rows]
