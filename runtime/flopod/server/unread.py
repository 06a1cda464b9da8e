"""What was written and is not read yet, of all connections together: no more than so many bytes."""

from collections.abc import Hashable
from typing import Protocol


class Writer(Hashable, Protocol):
    """A connection that waits for its client to read."""

    def abort(self) -> None:
        """End it at once, and forget what is not read."""
        ...


class Unread:
    """Those who wait for their clients, the one that waits longest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Writer, int] = {}
        self._bytes = 0

    def add(self, writer: Writer, size: int) -> None:
        """Note that so many bytes wait. Where they are too many together, who waits longest is ended."""
        self.drop(writer)
        self._waiting[writer] = size
        self._bytes += size
        while self._bytes > self._most:
            longest = next(iter(self._waiting))
            self.drop(longest)
            longest.abort()

    def drop(self, writer: Writer) -> None:
        """Note that a client has read on, or is gone."""
        self._bytes -= self._waiting.pop(writer, 0)
