"""The children of a run, as its log has them."""

from collections.abc import Sequence

from flopod.events import ChildCompleted, ChildStarted, Record
from flopod.log.rewind import effective


def unended(records: Sequence[Record]) -> dict[str, ChildStarted]:
    """Return the children that were started and whose end is not recorded, by their run ids."""
    found: dict[str, ChildStarted] = {}
    for _, event in effective(records):
        if isinstance(event, ChildStarted):
            found[event.child] = event
        elif isinstance(event, ChildCompleted):
            found.pop(event.child, None)
    return found


def to_retry(records: Sequence[Record], to: int) -> list[str]:
    """Return the children that a run waits for again once it goes on from the record `to`.

    A detached one is among them only if its end is taken back.
    """
    counted = effective(records)
    taken_back = {event.child for seq, event in counted if seq > to and isinstance(event, ChildCompleted)}
    left = unended([record for record in counted if record.seq <= to])
    return [child for child, started in left.items() if child in taken_back or not started.detached]
