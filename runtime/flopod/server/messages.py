"""What a server and the processes that run runs for it tell each other: one JSON document a line."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from flopod.events.parts import OptionalRaw
from flopod.server.host import Start


class Message(Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of all messages."""


class Adopt(Message, frozen=True, tag=True):
    """Run this run, and what descends from it."""

    run_id: str


class Begin(Message, frozen=True, tag=True):
    """Start a run, and answer with the same number."""

    number: int
    start: Start


class Bind(Message, frozen=True, tag=True):
    """Turn an input into what a log holds, and answer with it under the same number."""

    number: int
    workflow: str
    input: Any


class Stepping(Message, frozen=True, tag=True):
    """From now on every step waits to be let go, or none does."""

    on: bool


class Go(Message, frozen=True, tag=True):
    """Let the step go that a run waits before; all of its steps, from now on, with `on`."""

    run_id: str
    on: bool = False


class Look(Message, frozen=True, tag=True):
    """Schedules were changed."""


class Startable(Struct, frozen=True):
    """A workflow that can be started, by its name in the manifest."""

    name: str
    description: str
    schema: Mapping[str, Any]


class Ready(Message, frozen=True, tag=True):
    """The process serves, with this build."""

    build: str
    workflows: list[Startable]


class Broken(Message, frozen=True, tag=True):
    """The modules of the workflows cannot be imported."""

    traceback: str


class Answer(Message, frozen=True, tag=True):
    """What was asked under this number is done, or raised this error, as the codec writes it."""

    number: int
    value: OptionalRaw = None
    error: OptionalRaw = None


class Misfit(Message, frozen=True, tag=True):
    """A run does not fit the build, and is left as it is."""

    run_id: str
    reason: str


class Halted(Message, frozen=True, tag=True):
    """A run waits to be let go before the steps at `paths`, in their order; before none, if it does not."""

    run_id: str
    paths: list[str]


class Blocked(Message, frozen=True, tag=True):
    """Code at `place` lets nothing else run in the process; "" once it does."""

    place: str


class Idle(Message, frozen=True, tag=True):
    """There is nothing left to run."""


Order = Adopt | Begin | Bind | Stepping | Go | Look
Report = Ready | Broken | Answer | Misfit | Halted | Blocked | Idle

read_order = msgspec.json.Decoder(Order).decode
read_report = msgspec.json.Decoder(Report).decode


def line(message: Message) -> bytes:
    """Return a message as it is sent."""
    return msgspec.json.encode(message) + b"\n"
