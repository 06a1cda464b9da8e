"""Which node of a picture a path of a run belongs to."""

from __future__ import annotations

import re

from flopod.graph.parts import Diagram, Node
from flopod.workflow.paths import ancestors

_KEY = re.compile(r"\[[^\]]*\]")
_HEADS = frozenset({"each", "repeat", "call", "work", "for_each", "tap"})


class Places:
    """Finds nodes by paths: `lines[3]/price` is at the node of `lines[*]/price`."""

    def __init__(self, diagram: Diagram) -> None:
        self._nodes: dict[str, list[Node]] = {}
        for node in diagram.nodes:
            for path in (node.path, *node.covers) if node.path else ():
                self._nodes.setdefault(path, []).append(node)
        self._found: dict[tuple[str, str], Node | None] = {}

    def node(self, path: str, callee: str = "") -> Node | None:
        """The node of a path, or what stands for all below it; of several the one with that callee."""
        pattern = _KEY.sub("[*]", path)
        known = (pattern, callee)
        if known not in self._found:
            self._found[known] = self._look(pattern, callee)
        return self._found[known]

    def all(self, path: str) -> list[Node]:
        """Every node with that path: functions that one call may run can have paths in common."""
        return self._nodes.get(_KEY.sub("[*]", path), [])

    def exact(self, path: str) -> Node | None:
        """The node whose own path it is."""
        nodes = self.all(path)
        return nodes[0] if nodes else None

    def heads(self, path: str) -> list[tuple[str, Node]]:
        """The loops and calls around a path, with the path of the pass or the call."""
        found = ((one, self.exact(one)) for one in ancestors(path))
        return [(one, node) for one, node in found if node is not None and node.kind in _HEADS]

    def _look(self, pattern: str, callee: str) -> Node | None:
        nodes = self._nodes.get(pattern)
        if nodes:
            return next((one for one in nodes if one.callee == callee), nodes[0])
        for around in reversed(ancestors(pattern)):
            deep = self._nodes.get(f"{around}/**") or self._nodes.get(around, [])
            if deep:
                return deep[0] if deep[0].whole else None
        return None
