"""What the core asks of the world around it, to be done after its events are committed."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from flopod.events import Event
from flopod.workflow.arguments import CallCopy


class StartLeaf(NamedTuple):
    """Call `fn(*call.args, **call.kwargs)` and report its outcome with `Core.complete`.

    `sync` says that `fn` is no coroutine function; `timeout` is in seconds.
    """

    path: str
    attempt: int
    fn: Callable[..., Any]
    call: CallCopy
    sync: bool
    timeout: float | None


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


Command: TypeAlias = StartLeaf | CancelLeaf | Write | Warn | CallLogger


class Commit(NamedTuple):
    """Events to append after sequence number `expected`, and what may be done once they are safe."""

    expected: int
    events: list[Event]
    commands: list[Command]
