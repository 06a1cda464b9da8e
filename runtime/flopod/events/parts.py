"""What events have in them besides plain fields."""

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Raw, Struct

if TYPE_CHECKING:
    OptionalRaw: TypeAlias = Raw | None
else:
    # msgspec reads `Raw | None` as "null or nothing"; with a plain Raw an absent field stays None
    # and a recorded null stays a value.
    OptionalRaw = Raw


class WaitPoint(Struct, omit_defaults=True, kw_only=True, frozen=True):
    """A place where the code can wait: a path pattern (`lines[*]/approved`) and what it takes."""

    path: str
    event: str
    schema: OptionalRaw = None


class OpenWait(Struct, omit_defaults=True):
    """A wait that goes on: for which event, and until when (ms since the epoch) if not for ever."""

    event: str
    due: int | None = None


class Standing(Struct, frozen=True, omit_defaults=True):
    """What is open in a run, as its summary has it."""

    running: dict[str, int] = {}
    retrying: dict[str, int] = {}
    sleeps: dict[str, int] = {}
    waits: dict[str, OpenWait] = {}
    children: dict[str, str] = {}


class Totals(Struct, omit_defaults=True):
    """How often what a listing counts has happened in a run."""

    started: int = 0
    done: int = 0
    failed: int = 0
    retries: int = 0
    crashes: int = 0
