"""What goes through the pipe of a worker: a child by its name, data as the log holds it."""

import sys
from typing import Any, NamedTuple

from flopod.codec import decode, encode, program_modules
from flopod.detach.driver import Child, RunChild
from flopod.errors import SerializableError


class Payload(NamedTuple):
    """A child that can be sent."""

    run: bytes
    child: bytes
    input: bytes

    @classmethod
    def of(cls, run: RunChild, child: Child, input: Any) -> "Payload":
        """Write a child. Raises TypeError for one without a name, SerializableError for an input."""
        return cls(by_name(run), by_name(child), encode(input, label="input"))


class Task(NamedTuple):
    """A payload, and what else its reader may import: the modules that the program has loaded since."""

    payload: Payload
    modules: list[str]


class Reply(NamedTuple):
    """How a child ended: its result or its error, and the modules that its process has loaded since."""

    is_result: bool
    outcome: bytes
    traceback: str
    modules: list[str]

    def result(self) -> Any:
        """Return the result, or raise the error, with a note that holds its traceback."""
        program_modules(self.modules)
        try:
            outcome = decode(self.outcome)
        except Exception as error:
            error.add_note(self.traceback or "on the way back from a worker")
            raise
        if self.is_result:
            return outcome
        outcome.add_note(self.traceback)
        raise outcome


def by_name(fn: Any) -> bytes:
    """Write a function by its name. Raises TypeError for one that its name does not lead to."""
    try:
        return encode(fn)
    except SerializableError:
        raise TypeError(
            f"{fn!r} cannot be sent to a worker process, which finds a function by its name; define it with "
            "`def` at the top level of a module, and pass what it needs as its input"
        ) from None


def news(told: set[str]) -> list[str]:
    """Return the top-level modules of this process that `told` does not have, and add them to it."""
    fresh = [name for name in list(sys.modules) if "." not in name and name not in told]
    told.update(fresh)
    return fresh
