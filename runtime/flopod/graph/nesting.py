"""What is in which cluster, and short names for all of it, for what is written from the outside in."""

from __future__ import annotations

from flopod.graph.parts import Cluster, Diagram, Node


class Nesting:
    """The contents of clusters; "" is the picture itself."""

    def __init__(self, diagram: Diagram) -> None:
        self._nodes: dict[str, list[Node]] = {}
        self._clusters: dict[str, list[Cluster]] = {}
        self._names: dict[str, str] = {}
        for number, node in enumerate(diagram.nodes):
            self._nodes.setdefault(node.cluster, []).append(node)
            self._names[node.id] = f"n{number}"
        for number, cluster in enumerate(diagram.clusters):
            self._clusters.setdefault(cluster.cluster, []).append(cluster)
            self._names[cluster.id] = f"c{number}"

    def name(self, id: str) -> str:
        """A name of letters and digits for a node or a cluster."""
        return self._names[id]

    def is_cluster(self, id: str) -> bool:
        """Whether an edge begins at a cluster."""
        return self._names[id].startswith("c")

    def nodes(self, cluster: str) -> list[Node]:
        """The nodes directly in a cluster."""
        return self._nodes.get(cluster, [])

    def clusters(self, cluster: str) -> list[Cluster]:
        """The clusters directly in a cluster."""
        return self._clusters.get(cluster, [])

    def any_node(self, cluster: str) -> Node:
        """The first node in a cluster, however deep."""
        found = self.nodes(cluster)
        return found[0] if found else self.any_node(self.clusters(cluster)[0].id)
