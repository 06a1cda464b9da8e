"""How the nodes of a picture stand in a run: `NodeState`s, folded from its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct


class NodeState(Struct, omit_defaults=True):
    """How a node stands.

    `status` is idle, running, retrying, waiting, sleeping, done, failed or skipped. Of `begun` calls, passes
    of a loop or waits `ended` are over, `failed` of them with an error; `attempt` is that of the last one.
    """

    status: str = "idle"
    begun: int = 0
    ended: int = 0
    failed: int = 0
    attempt: int = 0


States: TypeAlias = Mapping[str, NodeState]
"""By the ids of nodes."""
