"""What all analyses of a build have in common: found out once each, the same in whatever order it is asked.

Each finding has an analysis of its own, so that it follows from what that one asks alone. Whoever uses it
counts those questions as asked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from flopod_compiler.model import ModuleValue, ProjectFunction
from flopod_compiler.names import Names
from flopod_compiler.program import Program, Sources
from flopod_compiler.purity.changes import ModuleChanges, Places
from flopod_compiler.purity.circles import circles
from flopod_compiler.purity.engine import Purity, Summary
from flopod_compiler.purity.facts import Facts
from flopod_compiler.purity.optimistic import Optimistic, Settled
from flopod_compiler.types import Inference


class Common:
    """Summaries of functions, constants, and the changes of variables, for any program over the sources."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._changes: dict[str, tuple[Places, Program]] = {}
        self._settled = Settled()
        self._facts: dict[ProjectFunction, tuple[Facts, Purity]] = {}
        self._summaries: dict[ProjectFunction, tuple[Summary, Program]] = {}

    def changed_in(self, module: str, asker: Program) -> Places:
        """The variables that a module changes, and where."""
        if module not in self._changes:
            program = Program(self._sources)
            names = Names(program)
            self._changes[module] = ModuleChanges(names, Inference(names)).of(module), program
        found, program = self._changes[module]
        asker.include(program)
        return found

    def is_constant(self, value: ModuleValue, asker: Program) -> bool:
        """Whether a variable has the same value in every process that imports its module."""
        while value not in self._settled.constants:
            Optimistic(Program(self._sources), self, self._settled).settle(value)
        found, program = self._settled.constants[value]
        asker.include(program)
        return found

    def summary(self, function: ProjectFunction, asker: Program) -> Summary:
        """What calling a function means."""
        if function not in self._summaries:
            for circle in circles(function, self._unknown):
                self._solve(circle)
        found, program = self._summaries[function]
        asker.include(program)
        return found

    def _unknown(self, function: ProjectFunction) -> Iterator[ProjectFunction]:
        """What a function may run that has no summary yet."""
        facts, purity = self._read(function)
        return (one for one in purity.may_run(facts) if one not in self._summaries)

    def _read(self, function: ProjectFunction) -> tuple[Facts, Purity]:
        found = self._facts.get(function)
        if found is None:
            purity = Purity.over(Program(self._sources), self)
            found = self._facts[function] = purity.finder.of(function), purity
        return found

    def _solve(self, circle: list[ProjectFunction]) -> None:
        """Functions that run each other, in the order of their places."""
        ordered = sorted(circle, key=lambda one: (one.module, one.node.lineno, one.node.col_offset))
        read = [self._read(function) for function in ordered]
        purity = read[0][1]
        program = purity.names.program
        for _, other in read[1:]:
            program.include(other.names.program)
        facts = {function: found for function, (found, _) in zip(ordered, read, strict=True)}
        for function, summary in purity.together(facts).items():
            self._summaries[function] = summary, program
            self._facts.pop(function, None)
