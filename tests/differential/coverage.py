"""Counts what the random programs were made of: constructs, nesting pairs, places where they were killed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Coverage:
    """How often each construct, each pair (outer, inner) and each crash point was seen."""

    constructs: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    resumes: int = 0

    def add(self, other: Coverage) -> None:
        """Take the counts of another process into these."""
        for name in ("constructs", "pairs", "crashes", "refused"):
            getattr(self, name).update(getattr(other, name))
        self.programs += other.programs
        self.resumes += other.resumes

    def table(self) -> str:
        """The counts as text, for a terminal."""
        lines = [f"programs {self.programs}, resumes {self.resumes}", "", "constructs"]
        lines += _columns([f"{name} {count}" for name, count in sorted(self.constructs.items())])
        common = [f"{outer} > {inner} {count}" for (outer, inner), count in self.pairs.most_common(60)]
        lines += ["", f"nesting pairs: {len(self.pairs)} different, the most frequent"]
        lines += _columns(common)
        lines += ["", "killed after"]
        lines += _columns([f"{name} {count}" for name, count in sorted(self.crashes.items())])
        if self.refused:
            lines += ["", "refused by the compiler"]
            lines += _columns([f"{code} {count}" for code, count in sorted(self.refused.items())])
        return "\n".join(lines)

    def missing(self, constructs: frozenset[str], least: int = 1) -> list[str]:
        """The constructs that were made fewer than `least` times."""
        return sorted(name for name in constructs if self.constructs[name] < least)


def _columns(cells: list[str], width: int = 100) -> list[str]:
    if not cells:
        return ["  none"]
    wide = max(map(len, cells)) + 2
    count = max(1, width // wide)
    rows = [cells[start : start + count] for start in range(0, len(cells), count)]
    return ["  " + "".join(cell.ljust(wide) for cell in row).rstrip() for row in rows]
