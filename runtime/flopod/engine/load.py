"""How much an engine has to do."""

from typing import NamedTuple


class Load(NamedTuple):
    """How many runs of an engine are where.

    `driven` are in memory, of which `busy` do more than wait; `queued` stand in line to begin or to go on;
    `asleep` only wait, and are in the store alone.
    """

    driven: int
    busy: int
    queued: int
    asleep: int
