"""The inbox of one run as a file of lines, shared by who delivers and who runs."""

import threading
from pathlib import Path

import msgspec
from msgspec import Raw

from flopod.backends import disk
from flopod.backends.base import InboxItem
from flopod.backends.linefile import LineFile
from flopod.errors import DamagedLog, DamagedRecord, StorageError
from flopod.events.record import seal, unseal

_MANY = 64

_decode = msgspec.json.Decoder(InboxItem).decode


class InboxFile:
    """Items in the order of delivery. It remembers what it has read, and then reads only the rest.

    What was taken over may be gone from the file, but for the last item, whose number the next one follows.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._items: list[InboxItem] = []
        self._length = 0
        self._head = b""

    def items(self) -> list[InboxItem]:
        """Return all items. Raises DamagedLog."""
        with self._lock:
            self._refresh()
            return list(self._items)

    def deliver(self, path: str, event: str, payload: bytes, at: int) -> int:
        """Append an item and return its number, once it is safe on disk."""
        lines = LineFile(self._file)
        with self._lock, lines:
            try:
                self._refresh()
                lines.adopt(self._length)
                number = self._items[-1].n + 1 if self._items else 1
                item = InboxItem(n=number, path=path, event=event, payload=Raw(payload), at=at)
                lines.append(_line(item))
            finally:
                lines.close()
        return number

    def forget(self, taken: int) -> None:
        """Remove the items up to `taken`, when they are most of what is there."""
        lines = LineFile(self._file)
        with self._lock, lines:
            try:
                self._refresh()
                lines.adopt(self._length)
                left = [item for item in self._items[:-1] if item.n > taken] + self._items[-1:]
                if len(self._items) >= max(_MANY, 2 * len(left)):
                    lines.rewrite(b"".join(map(_line, left)))
            finally:
                lines.close()

    def _refresh(self) -> None:
        # An item without its line end was never acknowledged.
        try:
            with disk.errors(self._file), self._file.open("rb") as stream:
                if stream.read(len(self._head)) != self._head:
                    self._begin_anew()
                stream.seek(self._length)
                data = stream.read()
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                self._begin_anew()
                return
            raise
        for line in data.split(b"\n")[:-1]:
            self._head = self._head or line
            self._items.append(self._item(line))
            self._length += len(line) + 1

    def _begin_anew(self) -> None:
        """The first item is another one: somebody has removed what was taken over."""
        self._items.clear()
        self._length, self._head = 0, b""

    def _item(self, line: bytes) -> InboxItem:
        number = len(self._items) + 1
        try:
            item = _decode(unseal(line))
        except (DamagedRecord, msgspec.DecodeError) as error:
            raise DamagedLog(str(self._file), number, self._length, str(error)) from None
        if self._items and item.n != self._items[-1].n + 1:
            raise DamagedLog(str(self._file), number, self._length, f"it has the number {item.n}")
        return item


def _line(item: InboxItem) -> bytes:
    return seal(msgspec.json.encode(item)) + b"\n"
