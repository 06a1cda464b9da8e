"""A picture as JSON: nodes, clusters and edges with their places, and how the nodes stand in a run."""

from __future__ import annotations

import msgspec
from msgspec import field
from msgspec.structs import asdict

from flopod.graph.parts import Diagram
from flopod.graph.states import NodeState, States


class Picture(Diagram, kw_only=True):
    """The JSON form of a picture; `states` are by the ids of nodes, and empty without a run."""

    states: dict[str, NodeState] = field(default_factory=dict)


def picture(diagram: Diagram, states: States | None = None) -> Picture:
    """The picture as data, for a document that has it in it."""
    return Picture(**asdict(diagram), states=dict(states or {}))


def json(diagram: Diagram, states: States | None = None) -> str:
    """Write the picture, one line a field."""
    return msgspec.json.format(msgspec.json.encode(picture(diagram, states)), indent=1).decode() + "\n"
