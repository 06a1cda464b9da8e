"""What a loop carries from one iteration to the next: captured as one document, restored in place."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from operator import attrgetter, is_
from typing import Any, Protocol, TypeAlias

from msgspec import Raw
from msgspec.structs import fields

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import Event, EventReceived, VarChanged
from flopod.workflow.state import DurableList, DurableMap, Var

State: TypeAlias = Var[Any] | DurableList[Any] | DurableMap[Any, Any]


class Capturing(Protocol):
    """A loop that takes snapshots of what it carries."""

    def touched(self, arguments: codec.Known) -> None: ...


class Capture:
    """The carried state of a loop, with the identity of all objects in it as they were at its entry.

    `states` are the durable variables, lists and mappings in scope, `keep` the other objects that the
    loop may change. Objects of the entry that a call has changed stay part of it when the state lets go
    of them: something else may hold them. Raises SerializableError if they have no lasting order.
    """

    __slots__ = ("_changed", "_keep", "_known", "_states", "paths")

    def __init__(self, states: Sequence[State], keep: Sequence[Any]) -> None:
        self._states = list(states)
        self._keep = list(keep)
        self._changed: dict[int, Any] = {}
        self._known = codec.Known(self._roots())
        self.paths = [state.path for state in states]

    @property
    def objects(self) -> int:
        """How many objects were there at the entry."""
        return len(self._known)

    def covers(self, objects: codec.Known) -> bool:
        """Whether all these objects were there at the entry and are captured."""
        return all(self._known.index(one) is not None for one in objects.objects)

    def holds(self, objects: Iterable[object]) -> bool:
        """Whether one of these objects was there at the entry."""
        return any(self._known.index(one) is not None for one in objects)

    def changed(self, objects: codec.Known) -> None:
        """Note that a call has changed captured objects."""
        self._changed.update((id(one), one) for one in objects.objects)

    def document(self) -> Raw:
        """Return the state as it is now. Raises SerializableError, naming the object."""
        roots = self._roots()
        if self._changed:
            roots += self._let_go(roots)
        return Raw(codec.encode(roots, known=self._known, state=True))

    def _let_go(self, roots: list[Any]) -> list[Any]:
        """The objects that a call has changed and that the state does not reach any more."""
        reached = codec.Known(roots)
        return [one for one in self._changed.values() if reached.index(one) is None]

    def fingerprint(self) -> str:
        """Return a short digest of the state as it is now, "" if it is no plain data."""
        try:
            return blake2b(bytes(self.document()), digest_size=8).hexdigest()
        except SerializableError:
            return ""

    def restore(self, document: Raw) -> None:
        """Bring everything to the state of `document`; objects that were there at the entry in place."""
        roots = codec.decode(document, known=self._known)
        self._changed = {id(one): one for one in roots[len(self._states) + len(self._keep) :]}
        for state, root in zip(self._states, roots, strict=False):
            if isinstance(state, Var):
                state.restore(root)

    def same(self, states: Sequence[State]) -> bool:
        """Whether exactly these are the durable states in scope."""
        return len(states) == len(self._states) and all(map(is_, states, self._states))

    def _roots(self) -> list[Any]:
        roots = [state.get_raw() if isinstance(state, Var) else state for state in self._states]
        roots += self._keep
        return roots


class Budget:
    """Keeps the work of taking stock at loop entries in proportion to what the run writes anyway."""

    _FREE = 2_000
    _BYTES_PER_OBJECT = 8
    _BYTES_PER_EVENT = 100
    _KEY = re.compile(r"\[[^\]]*\]")

    def __init__(self) -> None:
        self.written = 0
        self._objects = 0
        self._estimates: dict[str, int] = {}

    def count(self, event: Event) -> None:
        """Note that an event is written; what it weighs besides its path and values is an estimate."""
        written = self._BYTES_PER_EVENT
        for text in _texts_of(type(event))(event):
            if text is not None:
                written += len(text)
        self.written += written

    def allows(self, loop: str) -> bool:
        """Whether the loop at this path may take stock of what it carries."""
        expected = self._estimates.get(self._KEY.sub("[]", loop), 0)
        return self._objects + expected <= self._FREE + self.written // self._BYTES_PER_OBJECT

    def spend(self, loop: str, objects: int) -> None:
        """Note that the loop at this path took stock of so many objects."""
        self._objects += objects
        self._estimates[self._KEY.sub("[]", loop)] = objects


def drop_captured(events: list[Event], paths: Sequence[str]) -> None:
    """Take out the changes of the variables at `paths`: a snapshot that is written with `events` has them.

    The number of a received event is known already, so that what comes before one keeps its place.
    """
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if isinstance(event, VarChanged):
            if event.path in paths:
                del events[index]
        elif isinstance(event, EventReceived):
            return


@cache
def _texts_of(kind: type[Event]) -> Callable[[Event], tuple[Raw | str | None, ...]]:
    """A function that gives the path of an event and the values of the author in it."""
    values = [field.name for field in fields(kind) if field.type is Raw]
    return attrgetter("path", *values) if values else lambda event: (event.path,)
