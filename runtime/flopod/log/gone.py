"""Calls that older builds recorded and that today's code does not have any more."""

from flopod.events import ActivityCompleted, ActivityStarted, Event
from flopod.log.lineage import Lineage


class Gone:
    """Read event by event; `repeated` is a call that ended, and where today's code may make it again."""

    def __init__(self, lineage: Lineage | None) -> None:
        self.repeated: tuple[ActivityStarted, str] | None = None
        self._lineage = lineage
        self._begun: dict[str, ActivityStarted] = {}

    def read(self, event: Event, since: str) -> None:
        """Take an event that the generation `since` recorded at a path that is gone."""
        if isinstance(event, ActivityStarted):
            self._begun[event.path] = event
        elif isinstance(event, ActivityCompleted) and self.repeated is None:
            begun = self._begun.get(event.path)
            again = self._lineage.again(begun.callee, since) if begun and self._lineage else ""
            if begun is not None and again:
                self.repeated = begun, again
