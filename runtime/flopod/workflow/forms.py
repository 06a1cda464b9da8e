"""The hand-written forms of `each`, `repeat`, `branch` and `parallel`, whose bodies are callbacks."""

import asyncio
import sys
from asyncio import as_completed as in_completion_order
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Raw, Struct

from flopod import codec
from flopod.errors import DuplicateId, SerializableError
from flopod.events import BranchTaken, IterationCompleted, RaceWon
from flopod.stop import STOP
from flopod.workflow.operations import Item, Operation
from flopod.workflow.paths import encode_key

if TYPE_CHECKING:
    from flopod.authoring import Results, Winner
    from flopod.workflow.loops import Repeat
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
        recorded = core.replay.ask(path, RaceWon, Asked(f"a race won by {winner.name}"))
        if recorded is None:
            core.emit(RaceWon(path=path, at=core.now, winner=winner.name))
        elif recorded.winner != winner.name:
            core.replay.diverge(path, f"a race won by {recorded.winner}", f"a race won by {winner.name}")
    return winner


async def awaited(awaitable: Awaitable[Any]) -> Any:
    """Await what is no coroutine itself."""
    return await awaitable


async def branch(
    scope: "Scope", path: str, key: Any, cases: Mapping[Any, Callable[..., Awaitable[Any]]]
) -> Any:
    """Run the case of `key`; on replay the recorded key decides."""
    core = scope.core
    recorded = core.replay.ask(path, BranchTaken, Asked(f"a branch with {key!r}"))
    if recorded is not None:
        key = codec.decode(recorded.key)
    elif key not in cases:
        raise KeyError(f"{path}: no case for {key!r}; there are {', '.join(map(repr, cases))}")
    else:
        core.emit(BranchTaken(path=path, at=core.now, key=Raw(codec.encode(key))))
    return await cases[key](scope)


async def repeat(loop: "Repeat", fn: Callable[..., Awaitable[Any]]) -> int:
    """Run `fn(scope, iteration)` until it gives STOP; return how often it ran."""
    while await fn(loop.next(), loop.index) is not STOP:
        pass
    return loop.index + 1


async def each(
    scope: "Scope",
    path: str,
    items: Iterable[Any],
    fn: Callable[..., Awaitable[Any]],
    concurrency: int,
    key: Callable[[Any], Any] | None,
) -> EachResult:
    """Run `fn(scope, item, index)` for each item, `concurrency` at a time; errors are collected.

    An item's place in the path is its key, without a `key` its position. Raises DuplicateId.
    """
    if concurrency < 1:
        raise ValueError(f"{path}: concurrency is {concurrency}, it must be 1 or more")
    todo = list(items)
    names = _names(scope, path, todo, key)
    outcomes: list[tuple[Any, Exception | None]] = [(None, None)] * len(todo)
    queue = iter(enumerate(todo))

    async def worker(queue: Iterator[tuple[int, Any]]) -> None:
        for index, item in queue:
            outcomes[index] = await _Item(scope, path, names[index], index, item).run(fn)

    await gather([worker(queue) for _ in range(min(concurrency, len(todo)))])
    errors = [ItemError(index, error) for index, (_, error) in enumerate(outcomes) if error is not None]
    return EachResult([value for value, _ in outcomes], errors)


def _names(scope: "Scope", path: str, items: Sequence[Any], key: Callable[[Any], Any] | None) -> list[str]:
    """The place of each item in the path."""
    if key is None:
        return [str(index) for index in range(len(items))]
    names = [encode_key(key(item)) for item in items]
    seen: set[str] = set()
    for name in names:
        if name in seen and not scope.core.fenced:
            raise DuplicateId(f"{path}[{name}]", scope.path, "let `key` give each item its own key")
        seen.add(name)
    return names


class _Item:
    """One item of an `each`: run, or taken from the record of an earlier process."""

    def __init__(self, scope: "Scope", path: str, key: str, index: int, item: Any) -> None:
        self._scope = scope
        self._core = scope.core
        self._path = path
        self._key = key
        self._place = f"{path}[{key}]"
        self._index = index
        self._item = item

    async def run(self, fn: Callable[..., Awaitable[Any]]) -> tuple[Any, Exception | None]:
        """Return the result, or the error, as a record gives it."""
        if self._place in self._core.history.finished:
            recorded = Item(self._core, self._place, _fingerprint(self._item))
            if self._core.replay.take(recorded) and recorded.done():
                return recorded.result()  # type: ignore[no-any-return]
            return await recorded  # type: ignore[no-any-return]
        self._core.items[self._place] = False
        try:
            value = await fn(self._scope.iteration(self._place), self._item, self._index)
            return self._ended(value, None)
        except Exception as error:
            return self._ended(None, error)
        finally:
            self._core.items.pop(self._place, None)

    def _ended(self, value: Any, error: Exception | None) -> tuple[Any, Exception | None]:
        core = self._core
        event = IterationCompleted(
            path=self._path,
            at=core.now,
            index=self._index,
            key=self._key,
            item=_fingerprint(self._item),
            result=Raw(codec.encode(value)) if error is None else None,
            error=None if error is None else Raw(codec.encode(error)),
        )
        if not core.items[self._place] and not core.compensations.stands_on(self._place):
            asked = Asked(f"the end of item {self._index}")
            core.replay.ask((self._path, self._index), IterationCompleted, asked)
            core.emit(event)
        if event.error is not None:
            return None, codec.decode(event.error)
        return codec.decode(event.result or Raw(b"null")), None


def _fingerprint(item: Any) -> str:
    try:
        return codec.fingerprint(item)
    except SerializableError:
        return ""
