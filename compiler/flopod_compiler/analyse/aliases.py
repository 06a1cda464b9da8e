"""Which objects the names below one workflow function may refer to, and which of them code may change.

An inclusion-based points-to analysis (after Andersen), flow-insensitive. The result of a leaf is
taken for new and its arguments for unchanged: a leaf that changes or returns an argument is found by
the runtime, which then replays the loop instead of restoring it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from flopod_compiler.analyse.evaluation import Evaluation
from flopod_compiler.analyse.heap import Heap, Object, reach
from flopod_compiler.analyse.linking import Linking
from flopod_compiler.analyse.mutation import Mutation
from flopod_compiler.analyse.scopes import Names, Scope
from flopod_compiler.model import Classified

Variable = tuple[Scope, str]


class Aliases:
    """What the names of one workflow, and of the functions nested in it, may refer to."""

    def __init__(self, classified: Classified, names: Names) -> None:
        self._classified = classified
        self._names = names
        self._heap = Heap()
        self._values = Evaluation(classified, names, self._heap)
        self._mutation = Mutation(classified, names, self._values)
        self._solved = False

    def _solve(self) -> None:
        if not self._solved:
            self._solved = True
            self._bring_in_parameters()
            Linking(self._classified, self._names, self._heap, self._values).settle()

    def mutable(self, variable: Variable) -> bool:
        """Whether the variable may refer to an object that can change."""
        self._solve()
        return bool(self._heap.value(variable))

    def touches(self, variable: Variable, changed: set[Object]) -> bool:
        """Whether anything reachable from the variable is among the changed objects."""
        self._solve()
        return not changed.isdisjoint(reach(self._heap.value(variable)))

    def reached_by(self, node: ast.expr) -> set[Object]:
        """The objects that an expression leads to."""
        self._solve()
        return reach(self._values.of(node))

    def reachable(self, variables: Iterable[Variable]) -> set[Object]:
        """The objects that these variables lead to."""
        self._solve()
        return reach(frozenset().union(*map(self._heap.value, variables)))

    def changed(self, node: ast.AST) -> set[Object]:
        """The objects that running `node` may change in place."""
        self._solve()
        return self._mutation.below(node)

    def _bring_in_parameters(self) -> None:
        """Parameters of a workflow that others call may share objects; those of a root hold their own."""
        root = self._names.root
        shared = root.node in self._classified.called
        for name, parameter in root.parameters.items():
            if parameter not in self._classified.immutable:
                place = root.node if shared else parameter
                self._heap.bind((root, name), [self._heap.opaque(place)])

    def rebinds_elsewhere(self, node: ast.AST, frames: set[Scope]) -> bool:
        """Whether running `node` may call a function value that assigns a name of a frame not among these."""
        calls = (
            one
            for one in self._names.index.below(node)
            if isinstance(one, ast.Call) and self._values.local(one) is None
        )
        infos = (self._classified.calls.get(one) for one in calls)
        nodes = {getattr(one, "node", None) for info in infos if info is not None for one in info.targets}
        inner = [self._names.scopes[one] for one in nodes if one in self._names.scopes]
        return any(
            below.owner(name) not in {*frames, below}
            for scope in inner
            for below in scope.walk()
            for name in below.outer
        )
