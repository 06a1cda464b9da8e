"""The function that a random program is being written into: names in scope, budget, enclosing constructs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tests.differential.coverage import Coverage

T = TypeVar("T")


class Chooser(Protocol):
    """The part of `random.Random` that the generator uses; hypothesis offers the same."""

    def randint(self, a: int, b: int) -> int: ...
    def random(self) -> float: ...
    def choice(self, seq: Sequence[T]) -> T: ...


@dataclass
class Text:
    """Lines of a program, with the current indentation."""

    lines: list[str] = field(default_factory=list)
    indent: int = 0

    def add(self, line: str) -> None:
        self.lines.append("    " * self.indent + line if line else "")

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write a header and indent what is written inside; an empty block gets `pass`."""
        self.add(header)
        self.indent += 1
        before = len(self.lines)
        try:
            yield
        finally:
            if len(self.lines) == before:
                self.add("pass")
            self.indent -= 1


@dataclass
class Body:
    """One function of a random program, while it is written.

    `ints`, `lists` and `dicts` are the names that are surely bound. `work` bounds how many more
    statements may be written, `loops` how deep loops may still nest. `helpers` may be awaited, `arms` may
    run side by side: two leaves in flight must not change one object. In a `tame` body the state of loops
    can be captured: only assignments bind carried names, and no call outlives its iteration. One that
    `detaches` has other runs beside its own.
    """

    rng: Chooser
    text: Text
    coverage: Coverage
    is_async: bool
    ints: list[str]
    lists: list[str]
    dicts: list[str]
    helpers: list[str]
    arms: list[str]
    workflows: list[str]
    work: int
    loops: int = 2
    is_helper: bool = False
    in_loop: bool = False
    in_finally: bool = False
    in_comprehension: bool = False
    changes_shared: bool = False
    tame: bool = False
    detaches: bool = False
    stack: list[str] = field(default_factory=lambda: ["body"])
    counter: list[int] = field(default_factory=lambda: [0])

    def fresh(self, prefix: str) -> str:
        """A name that nothing else in the program has."""
        self.counter[0] += 1
        return f"{prefix}{self.counter[0]}"

    def mark(self, construct: str) -> None:
        """Count a construct inside the one that encloses it."""
        self.coverage.constructs[construct] += 1
        self.coverage.pairs[self.stack[-1], construct] += 1

    @contextmanager
    def inside(self, construct: str) -> Iterator[None]:
        """Count a construct and make it the enclosing one."""
        self.mark(construct)
        self.stack.append(construct)
        try:
            yield
        finally:
            self.stack.pop()

    @contextmanager
    def holding(self, variable: str) -> Iterator[None]:
        """Let a name be surely bound in the block."""
        self.ints.append(variable)
        try:
            yield
        finally:
            self.ints.remove(variable)

    def see(self, value: str) -> None:
        """Write that the program notes a value, for its result."""
        self.text.add(f"seen.append({value})")

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability
