"""The hand-written forms of `each`, `repeat`, `branch` and `parallel`, whose bodies are callbacks."""

import asyncio
import sys
from asyncio import as_completed as in_completion_order
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Raw, Struct

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import BranchTaken, IterationCompleted, RaceWon
from flopod.stop import STOP
from flopod.workflow.operations import Item, Operation

if TYPE_CHECKING:
    from flopod.authoring import Results, Winner
    from flopod.workflow.core import Core
    from flopod.workflow.scope import Scope


T = TypeVar("T")


class ItemError(Struct, frozen=True):
    """The error of one item of `each`."""

    index: int
    error: Exception


class EachResult(Struct, frozen=True):
    """What `each` with a callback gives: results in the order of the items (None where one failed)."""

    results: list[Any]
    errors: list[ItemError]


class Asked:
    """What the code asks for, for the text of a divergence."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def describe(self) -> str:
        return self._text


def gather(awaitables: Sequence[Awaitable[Any]], return_exceptions: bool = False) -> Awaitable[list[Any]]:
    """Run awaitables side by side, as `asyncio.gather` does."""
    begun = {id(one): awaited(one) for one in awaitables if isinstance(one, Operation)}
    arms = [begun.get(id(one), one) for one in awaitables]
    return asyncio.gather(*arms, return_exceptions=return_exceptions)


def as_completed(
    awaitables: Iterable[Awaitable[T]], *, timeout: float | None = None
) -> Iterator[Awaitable[T]]:
    """Iterate over awaitables as they end, begun in their own order: `asyncio.as_completed` has none.

    As in asyncio, they begin with the first step of the iteration, since Python 3.13 at once.
    """
    if sys.version_info >= (3, 13):
        return in_completion_order(_begun(awaitables), timeout=timeout)
    return _as_completed(awaitables, timeout)


def _as_completed(awaitables: Iterable[Awaitable[T]], timeout: float | None) -> Iterator[Awaitable[T]]:
    yield from in_completion_order(_begun(awaitables), timeout=timeout)


def _begun(awaitables: Iterable[Awaitable[T]]) -> "list[asyncio.Future[T]]":
    if asyncio.isfuture(awaitables) or asyncio.iscoroutine(awaitables):
        kind = "coroutine" if isinstance(awaitables, Operation) else type(awaitables).__name__
        raise TypeError(f"expect an iterable of futures, not {kind}")
    return [asyncio.ensure_future(one) for one in dict.fromkeys(awaitables)]


async def parallel(arms: Mapping[str, Awaitable[Any]]) -> "Results":
    """Run named awaitables side by side; the first error cancels the others."""
    from flopod import authoring

    return await authoring.parallel(**arms)


async def race(scope: "Scope", path: str, arms: Mapping[str, Awaitable[Any]]) -> "Winner":
    """Run named awaitables until the first ends, and record its name."""
    from flopod import authoring

    core = scope.core
    winner = await authoring.race(**arms)
    if not core.fenced:
        recorded = core.ask(path, RaceWon, Asked(f"a race won by {winner.name}"))
        if recorded is None:
            core.emit(RaceWon(path=path, at=core.now, winner=winner.name))
        elif recorded.winner != winner.name:
            core.diverge(path, f"a race won by {recorded.winner}", f"a race won by {winner.name}")
    return winner


async def awaited(awaitable: Awaitable[Any]) -> Any:
    """Await what is no coroutine itself."""
    return await awaitable


async def branch(
    scope: "Scope", path: str, key: Any, cases: Mapping[Any, Callable[..., Awaitable[Any]]]
) -> Any:
    """Run the case of `key`; on replay the recorded key decides."""
    core = scope.core
    recorded = core.ask(path, BranchTaken, Asked(f"a branch with {key!r}"))
    if recorded is not None:
        key = codec.decode(recorded.key)
    elif key not in cases:
        raise KeyError(f"{path}: no case for {key!r}; there are {', '.join(map(repr, cases))}")
    else:
        core.emit(BranchTaken(path=path, at=core.now, key=Raw(codec.encode(key))))
    return await cases[key](scope)


async def repeat(scope: "Scope", path: str, fn: Callable[..., Awaitable[Any]]) -> int:
    """Run `fn(scope, iteration)` until it gives STOP; return how often it ran."""
    for index in count():
        if await fn(scope.iteration(f"{path}[{index}]"), index) is STOP:
            return index + 1
    raise AssertionError("unreachable")


async def each(
    scope: "Scope", path: str, items: Iterable[Any], fn: Callable[..., Awaitable[Any]], concurrency: int
) -> EachResult:
    """Run `fn(scope, item, index)` for each item, `concurrency` at a time; errors are collected."""
    if concurrency < 1:
        raise ValueError(f"{path}: concurrency is {concurrency}, it must be 1 or more")
    todo = list(items)
    outcomes: list[tuple[Any, Exception | None]] = [(None, None)] * len(todo)
    queue = iter(enumerate(todo))

    async def worker(queue: Iterator[tuple[int, Any]]) -> None:
        for index, item in queue:
            outcomes[index] = await _run_item(scope, path, index, item, fn)

    await gather([worker(queue) for _ in range(min(concurrency, len(todo)))])
    errors = [ItemError(index, error) for index, (_, error) in enumerate(outcomes) if error is not None]
    return EachResult([value for value, _ in outcomes], errors)


async def _run_item(
    scope: "Scope", path: str, index: int, item: Any, fn: Callable[..., Awaitable[Any]]
) -> tuple[Any, Exception | None]:
    core = scope.core
    place = f"{path}[{index}]"
    if place in core.history.finished:
        return await Item(core, place, _fingerprint(item))  # type: ignore[no-any-return]
    try:
        value = await fn(scope.iteration(place), item, index)
        return _record_item(core, path, index, item, value, None)
    except Exception as error:
        return _record_item(core, path, index, item, None, error)


def _record_item(
    core: "Core", path: str, index: int, item: Any, value: Any, error: Exception | None
) -> tuple[Any, Exception | None]:
    event = IterationCompleted(
        path=path,
        at=core.now,
        index=index,
        key=str(index),
        item=_fingerprint(item),
        result=Raw(codec.encode(value)) if error is None else None,
        error=None if error is None else Raw(codec.encode(error)),
    )
    if not core.compensations.stands_on(f"{path}[{index}]"):
        core.ask((path, index), IterationCompleted, Asked(f"the end of item {index}"))
        core.emit(event)
    if event.error is not None:
        return None, codec.decode(event.error)
    return codec.decode(event.result or Raw(b"null")), None


def _fingerprint(item: Any) -> str:
    try:
        return codec.fingerprint(item)
    except SerializableError:
        return ""
