"""The children of a run whose end it is to see, as its log has them."""

from collections.abc import Sequence

from flopod.events import ChildBegun, ChildEnded, Detached, Record
from flopod.log.rewind import effective


def unended(records: Sequence[Record]) -> dict[str, ChildBegun]:
    """Return the children that were started and whose end is not recorded, by their run ids."""
    found: dict[str, ChildBegun] = {}
    for _, event in effective(records):
        if isinstance(event, ChildBegun) and not is_forgotten(event):
            found[event.child] = event
        elif isinstance(event, ChildEnded):
            found.pop(event.child, None)
    return found


def is_forgotten(event: ChildBegun) -> bool:
    """Whether a child was started whose end nobody is to see."""
    return isinstance(event, Detached) and event.mode == "forget"


def to_retry(records: Sequence[Record], to: int) -> list[str]:
    """Return the children that a run waits for again once it goes on from the record `to`.

    A detached one is among them only if its end is taken back.
    """
    counted = effective(records)
    taken_back = {event.child for seq, event in counted if seq > to and isinstance(event, ChildEnded)}
    left = unended([record for record in counted if record.seq <= to])
    return [child for child, started in left.items() if child in taken_back or not started.detached]
