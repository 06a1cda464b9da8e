"""A store that tells which runs have grown through it: what this process does is known at once."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, cast

from flopod.backends.base import Backend, Batch
from flopod.errors import FlopodError
from flopod.events import Event

Tell = Callable[[str], None]


class Observed:
    """The store `inner`; calls everybody who listens with the id of a run that was changed.

    They are called in the thread that has changed it, which may be any, right after the change is durable.
    """

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self._listeners: tuple[Tell, ...] = ()

    def listen(self, tell: Tell) -> Callable[[], None]:
        """Call `tell(run_id)` after each change; returns how to stop that."""
        self._listeners = (*self._listeners, tell)

        def stop() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not tell)

        return stop

    def append(self, run_id: str, expected_seq: int, events: Sequence[Event]) -> int:
        seq = self._inner.append(run_id, expected_seq, events)
        self._tell(run_id)
        return seq

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        results = self._inner.append_many(batches)
        if self._listeners:
            for batch, result in zip(batches, results, strict=True):
                if not isinstance(result, FlopodError):
                    self._tell(batch.run_id)
        return results

    def deliver(self, run_id: str, *args: Any, **kwargs: Any) -> int:
        number = self._inner.deliver(run_id, *args, **kwargs)
        self._tell(run_id)
        return number

    def mark(self, run_id: str, *args: Any, **kwargs: Any) -> bool:
        done = self._inner.mark(run_id, *args, **kwargs)
        self._tell(run_id)
        return done

    def delete(self, run_id: str) -> bool:
        done = self._inner.delete(run_id)
        self._tell(run_id)
        return done

    def _tell(self, run_id: str) -> None:
        for tell in self._listeners:
            tell(run_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._inner.__exit__(kind, error, traceback)


def observed(backend: Backend) -> Backend:
    """Return the store as one that can be listened to, itself if it is one."""
    return backend if isinstance(cast(object, backend), Observed) else cast(Backend, Observed(backend))


def listen(backend: Backend, tell: Tell) -> Callable[[], None]:
    """Call `tell(run_id)` after each change made through `backend`, if it can tell; returns how to stop."""
    found = cast(object, backend)
    return found.listen(tell) if isinstance(found, Observed) else lambda: None
