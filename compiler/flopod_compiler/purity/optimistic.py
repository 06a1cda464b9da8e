"""Whether a variable is a constant, decided together with all that its value is made by."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopod_compiler.model import ModuleValue, ProjectFunction
from flopod_compiler.names import Names
from flopod_compiler.purity.circles import circles
from flopod_compiler.purity.engine import Purity, Summary
from flopod_compiler.purity.marks import Marks
from flopod_compiler.types import Inference

if TYPE_CHECKING:
    from flopod_compiler.program import Program
    from flopod_compiler.purity.common import Common


@dataclass(slots=True)
class Settled:
    """What is known of variables and of the functions that make values, with the analysis that found it."""

    constants: dict[ModuleValue, tuple[bool, Program]] = field(default_factory=dict)
    summaries: dict[ProjectFunction, tuple[Summary, Program]] = field(default_factory=dict)
    impure: dict[ProjectFunction, Program] = field(default_factory=dict)


class Optimistic(Purity):
    """Functions and variables that need each other: one that is being decided counts as pure, or constant.

    A decision against it holds even so. One in favour holds if nothing that was assumed turned out otherwise:
    this is the greatest fixpoint, so the answers are the same whatever is asked first.
    """

    def __init__(self, program: Program, common: Common, settled: Settled) -> None:
        names = Names(program)
        super().__init__(names, Inference(names), Marks(names, program.config), common)
        self._program = program
        self._settled = settled
        self._pending: set[ProjectFunction] = set()
        self._deciding: set[ModuleValue] = set()
        self._decided: dict[ModuleValue, bool] = {}
        self._assumed_pure: set[ProjectFunction] = set()
        self._assumed_constant: set[ModuleValue] = set()

    def settle(self, value: ModuleValue) -> None:
        """Decide a variable, or at least one thing that it depends on and that was assumed wrongly."""
        self.is_constant(value)
        refuted = [one for one in self._assumed_pure if not self._summaries[one].is_pure]
        holds = not refuted and all(self._decided[one] for one in self._assumed_constant)
        self._settled.impure.update(dict.fromkeys(refuted, self._program))
        for one, is_constant in self._decided.items():
            if holds or not is_constant:
                self._settled.constants.setdefault(one, (is_constant, self._program))
        if holds:
            for function, summary in self._summaries.items():
                self._settled.summaries.setdefault(function, (summary, self._program))

    def of(self, function: ProjectFunction) -> Summary:
        """The summary of a function, found out together with all that it may run."""
        if not self._is_known(function):
            collected = self._collect(function)
            for circle in circles(function, self._unknown):
                self._solve(circle)
            self._pending.difference_update(collected)
        return self._summaries[function]

    def is_pure(self, function: ProjectFunction) -> bool:
        """Whether a call of a function has no effect; one that is being collected is assumed to have none."""
        if function in self._settled.impure:
            self._program.include(self._settled.impure[function])
            return False
        if function in self._pending:
            self._assumed_pure.add(function)
            return True
        return self.of(function).is_pure

    def is_constant(self, value: ModuleValue) -> bool:
        """Whether a variable has the same value in every process; one that is being decided is assumed to."""
        known = self._settled.constants.get(value)
        if known is not None:
            self._program.include(known[1])
            return known[0]
        if value in self._deciding:
            self._assumed_constant.add(value)
            return True
        if value not in self._decided:
            self._deciding.add(value)
            self._decided[value] = self.constants.decide(value)
            self._deciding.discard(value)
        return self._decided[value]

    def _is_known(self, function: ProjectFunction) -> bool:
        if function in self._summaries:
            return True
        known = self._settled.summaries.get(function)
        if known is not None:
            self._summaries[function] = known[0]
            self._program.include(known[1])
        return known is not None

    def _collect(self, start: ProjectFunction) -> list[ProjectFunction]:
        """The function and all it may run that has no summary yet; facts are read here."""
        found: dict[ProjectFunction, None] = {}
        queue = deque([start])
        while queue:
            function = queue.popleft()
            if function in found or self._is_known(function):
                continue
            found[function] = None
            self._pending.add(function)
            if function not in self._facts:
                self._facts[function] = self.finder.of(function)
            for edge in self._facts[function].edges:
                queue.extend(edge.functions)
        return list(found)

    def _unknown(self, function: ProjectFunction) -> Iterator[ProjectFunction]:
        """What a function runs that was collected with it."""
        for edge in self._facts[function].edges:
            yield from (one for one in edge.functions if one in self._pending)
