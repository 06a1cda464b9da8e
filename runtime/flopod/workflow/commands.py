"""What the core asks of the world around it, to be done after its events are committed."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from msgspec import Raw

from flopod.events import Event, RunStarted, Span
from flopod.workflow.arguments import CallCopy, Raised, Returned


class StartLeaf(NamedTuple):
    """Call `fn(*call.args, **call.kwargs)` and report its outcome with `Core.complete`.

    `sync` says that `fn` is no coroutine function, `awaits` that it must give something to await all the
    same; `timeout` and `heartbeat` are in seconds. `progress` is what an earlier attempt told last.
    """

    path: str
    attempt: int
    fn: Callable[..., Any]
    call: CallCopy
    sync: bool
    timeout: float | None
    heartbeat: float | None = None
    progress: Raw | None = None
    awaits: bool = False

    def returned(self, value: Any) -> Returned | Raised:
        """Return the outcome of a synchronous function that gave `value`, which is nothing to await."""
        if not self.awaits:
            return self.call.returned(value)
        try:
            _wait(value).send(None)
        except TypeError as error:
            return self.call.raised(error)._replace(final=True)
        raise AssertionError("unreachable")


async def _wait(value: Any) -> None:
    await value


class CancelLeaf(NamedTuple):
    """Cancel the leaf at `path`; its outcome is of no interest any more."""

    path: str


class Write(NamedTuple):
    """Write text that the workflow printed to `stdout` or `stderr`."""

    stream: str
    text: str
    flush: bool = False


class Warn(NamedTuple):
    """Tell who runs the workflow about something at `path`; it is not the workflow's own output."""

    path: str
    message: str


class CallLogger(NamedTuple):
    """Call a method of a logger, as the workflow did."""

    method: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Compact(NamedTuple):
    """Remove records of the log that do not count any more; up to `inbox` the inbox is taken over."""

    dropped: list[Span]
    inbox: int


Command: TypeAlias = StartLeaf | CancelLeaf | Write | Warn | CallLogger | Compact


class Commit(NamedTuple):
    """Events to append after sequence number `expected`, and what may be done once they are safe.

    `children` are the first events of the runs that begin with it.
    """

    expected: int
    events: list[Event]
    commands: list[Command]
    children: Sequence[RunStarted] = ()
