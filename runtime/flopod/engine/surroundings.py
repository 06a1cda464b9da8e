"""What stands between the runs of this process and the world: nothing, or what a test has put there."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Protocol

from flopod.backends.base import Backend
from flopod.engine.clock import Clock
from flopod.events import Event
from flopod.workflow.commands import StartLeaf
from flopod.workflow.core import Core


class Surroundings(Protocol):
    """The clock and the store of runs that name none, and a say in all that a run does."""

    @property
    def clock(self) -> Clock: ...

    @property
    def backend(self) -> Backend: ...

    def entered(self, core: Core) -> None:
        """Take note of a run that is driven from now on."""
        ...

    def stand_in(self, core: Core, command: StartLeaf) -> StartLeaf:
        """Return the leaf to start in the place of one."""
        ...

    async def committed(self, core: Core, events: Sequence[Event]) -> None:
        """Take note of what is in the store; the run goes on when this returns."""
        ...


surroundings: ContextVar[Surroundings | None] = ContextVar("flopod.surroundings", default=None)
