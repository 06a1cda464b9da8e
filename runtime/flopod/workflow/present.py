"""When a run asks the world for something: after its recorded past, or for what is new inside of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flopod.workflow.core import Core


class Present:
    """`is_live` once the recorded past is over; `acts` then, and when a new call stands in the past."""

    def __init__(self, core: "Core") -> None:
        self.is_live = False
        self.acts = False
        self._core = core
        self._active: set[str] = set()

    def begins(self) -> bool:
        """Go live if the body has asked for all that the log holds; returns whether it has."""
        core = self._core
        if not core.replay.is_over():
            return False
        self.is_live = self.acts = True
        core.history.end()
        self._activate()
        core.emit_abandoned()
        return True

    def comes_early(self) -> bool:
        """Ask the world for what is new in the past; what older builds recorded is delivered afterwards."""
        core = self._core
        if not core.replay.acts():
            return False
        self.acts = True
        self._activate()
        self._active = set(core.open)
        return core.delivery.next()

    def _activate(self) -> None:
        for path, operation in list(self._core.open.items()):
            if path not in self._active:
                operation.activate()
