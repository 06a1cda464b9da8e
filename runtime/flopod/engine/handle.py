"""What one who has started a run in an engine holds of it."""

from typing import TYPE_CHECKING, Any

from flopod.engine.outcome import RunOutcome
from flopod.errors import Conflict

if TYPE_CHECKING:
    from flopod.engine.engine import Engine


class Handle:
    """A run in an engine."""

    def __init__(self, engine: "Engine", run_id: str) -> None:
        self._engine = engine
        self.run_id = run_id

    async def outcome(self) -> RunOutcome:
        """Wait until the run is over or at rest (paused, diverged), and return how it ended."""
        return await self._engine.outcome(self.run_id)

    async def result(self) -> Any:
        """Wait until the run is over; return its result, or raise its error.

        Raises Conflict if it is paused or diverged: then there is neither.
        """
        outcome = await self.outcome()
        if outcome.error is not None:
            raise outcome.error
        if outcome.status != "completed":
            raise Conflict(self.run_id, outcome.status, outcome.reason)
        return outcome.value
