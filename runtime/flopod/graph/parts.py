"""What a picture consists of, with places: nodes, the clusters around them, and the edges between them.

The structs are also the JSON form, whose schema they are. All lengths are in pixels, from the top left.
"""

from __future__ import annotations

from msgspec import Struct


class Node(Struct, kw_only=True):
    """One operation, decision or end. `id` is the pattern of its path (`lines[*]/price`); `path` too, or "".

    An `id` in brackets (`[start]`) is of what has no path. Where one call may run one of several functions
    that have paths in common, the later ones have `|2` behind their ids. `covers` are the patterns that have
    no node of their own; with `whole` the node stands for everything below its path.

    `label` and `detail` are to be read; `callee` is `module:qualname`. `cluster` is the one around it.
    `branch` and `arm` name the innermost decision that it depends on; a decision has the `words` of its arms.
    """

    id: str
    kind: str
    label: str
    path: str = ""
    detail: str = ""
    callee: str = ""
    file: str = ""
    line: int = 0
    cluster: str = ""
    branch: str = ""
    arm: int = 0
    words: list[str] = []
    covers: list[str] = []
    whole: bool = False
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    @property
    def middle(self) -> tuple[float, float]:
        """The centre."""
        return self.x + self.width / 2, self.y + self.height / 2


class Cluster(Struct, kw_only=True):
    """A frame around nodes: `kind` loop, each, call, try or finally; `head` is the node that heads it.

    `cluster` is the one around it, "" for none.
    """

    id: str
    kind: str
    label: str = ""
    head: str = ""
    cluster: str = ""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


class Edge(Struct, kw_only=True):
    """A way from a node to a node; where an error may come from anywhere in a cluster, from that.

    `kind` is next, back (of a loop), error (to its handler), always (to a `finally`, from a return too) or
    beside (to what runs beside the main line).
    `points` are the corners of its line; its label begins at `label_at`.
    """

    source: str
    target: str
    kind: str = "next"
    label: str = ""
    points: list[tuple[float, float]] = []
    label_at: tuple[float, float] | None = None


class Diagram(Struct, kw_only=True):
    """The picture of a workflow."""

    workflow: str
    nodes: list[Node]
    clusters: list[Cluster]
    edges: list[Edge]
    width: float = 0
    height: float = 0
