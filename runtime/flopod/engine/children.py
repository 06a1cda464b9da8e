"""What drives a run asks of its surroundings for the runs that it starts."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from flopod.events import ChildCompleted, Detached, RunStarted
from flopod.workflow.children import Child, Offspring
from flopod.workflow.detaching import Given

Tell: TypeAlias = Callable[[ChildCompleted], None]


class Children(Protocol):
    """What a driver needs of its surroundings for the children of its run."""

    def adopt(self, offspring: Offspring) -> None:
        """Tell the children of a run of their surroundings: what there is to run, and how it begins."""
        ...

    def give(self, detached: Detached, given: Given) -> None:
        """Take what a detach was given, where no name leads to it."""
        ...

    def begun(self, opening: RunStarted) -> None:
        """Run a child whose first event is in the store."""
        ...

    def watch(self, child: Child, parent: str, tell: Tell) -> None:
        """Call `tell` once when the child is over, at once if it is."""
        ...

    def left(self, parent: str) -> None:
        """Tell the parent no more; where it is only put away, it comes back when a child is over."""
        ...

    def cancel(self, child: str, reason: str) -> None:
        """Cancel a child that is not over."""
        ...

    def parent_ended(self, parent: str, children: Iterable[str]) -> None:
        """Cancel those of the open children that are not detached."""
        ...

    def rest(self) -> bool:
        """Whether nothing is under way below the run, but what waits for the world."""
        ...
