"""Appends a step that starts children, so that each is there if, and only if, its parent has started it."""

from collections.abc import Iterator

from flopod.backends.base import Batch
from flopod.engine.commits import Commits
from flopod.errors import Fenced, FlopodError
from flopod.events import (
    BranchTaken,
    ChildBegun,
    ChildStarted,
    Detached,
    IterationCompleted,
    ListChanged,
    Log,
    MapChanged,
    VarChanged,
)
from flopod.workflow.commands import Commit

_FOLLOWS = (
    ChildStarted,
    Detached,
    BranchTaken,
    IterationCompleted,
    VarChanged,
    ListChanged,
    MapChanged,
    Log,
)
"""What a body does anew, equally, from the records before."""


async def append(commits: Commits, run_id: str, commit: Commit) -> None:
    """Append the events of a commit and the first ones of its children. Raises Fenced or StorageError.

    A child that is there already was begun by a process that was killed, or that has lost the parent: it
    stays as it is, because whoever goes on with the parent starts the same one.
    """
    for batches in _stages(commits.atomic, run_id, commit):
        for batch, result in zip(batches, await commits.together(batches), strict=True):
            if isinstance(result, FlopodError) and not (
                isinstance(result, Fenced) and batch.run_id != run_id
            ):
                raise result


def _stages(atomic: bool, run_id: str, commit: Commit) -> Iterator[list[Batch]]:
    """What to append one after the other; in a store that writes all or nothing, all at once.

    Elsewhere a child comes before the record that it was started, and after all that its input may be made
    of: whoever is killed between starts the same child again.
    """
    children = {child.run_id: Batch(child.run_id, 0, [child]) for child in commit.children}
    if atomic:
        yield [*children.values(), Batch(run_id, commit.expected, commit.events)]
        return
    done = 0
    for index, event in enumerate(commit.events):
        if isinstance(event, ChildBegun) and event.child in children:
            if not all(isinstance(one, _FOLLOWS) for one in commit.events[done:index]):
                yield [Batch(run_id, commit.expected + done, commit.events[done:index])]
                done = index
            yield [children[event.child]]
    yield [Batch(run_id, commit.expected + done, commit.events[done:])]
