"""A store whose values are kept otherwise than they are: encrypted, and large ones apart from the log.

What the author's code gives and gets (inputs, results, errors, payloads, state, what is printed) is a value;
ids, paths, names of events, times and search attributes are not, and stay readable.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import blake2b

import msgspec
from msgspec import Raw
from msgspec.structs import fields, replace

from flopod.backends.base import Backend, Batch, InboxItem, Timer
from flopod.backends.cipher import Cipher
from flopod.backends.listing import Page
from flopod.backends.lock import Hold
from flopod.errors import KEPT_ELSEWHERE, DamagedLog, FlopodError
from flopod.events import Event, Record, RunSummary, Span, Status

LARGE = 256 * 1024
_APART = "values"
_TEXTS = frozenset({"traceback", "message"})
_SEALED_TEXT = "sealed:"
_TOKEN = b"gAAAA"


class _Sealed(msgspec.Struct, rename={"kind": "$"}):
    """An encrypted value, as it stands in a record."""

    kind: str
    v: str


class _Apart(msgspec.Struct, rename={"kind": "$"}):
    """Where a large value is."""

    kind: str
    name: str
    size: int


class ValuesBackend(Backend):
    """The store `inner`, with values encrypted by `cipher`, and those above `large` bytes kept as documents.

    A run that was written without one of these can be read with it: each value says how it is kept.
    """

    def __init__(self, inner: Backend, *, cipher: Cipher | None = None, large: int | None = LARGE) -> None:
        super().__init__()
        self._inner = inner
        self._cipher = cipher
        self._large = large
        self.atomic = inner.atomic

    def describe(self) -> str:
        return self._inner.describe() + (", encrypted" if self._cipher is not None else "")

    def open(self) -> None:
        self._inner.open()

    def close(self) -> None:
        self._inner.close()

    # -- what holds values -----------------------------------------------------------------------

    def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
        return self._inner.append_many([self._hidden(batch) for batch in batches])

    def _hidden(self, batch: Batch) -> Batch:
        run_id = batch.run_id
        events = [
            _changed(event, lambda value: self._hide(run_id, value), self._hide_text)
            for event in batch.events
        ]
        return batch._replace(events=events)

    def load(self, run_id: str) -> list[Record]:
        return [self._shown(run_id, record) for record in self._inner.load(run_id)]

    def scan(self, run_id: str, after: int = 0) -> Iterator[Record]:
        return (self._shown(run_id, record) for record in self._inner.scan(run_id, after))

    def first(self, run_id: str) -> Record | None:
        record = self._inner.first(run_id)
        return None if record is None else self._shown(run_id, record)

    def _shown(self, run_id: str, record: Record) -> Record:
        try:
            return Record(record.seq, _changed(record.event, self._show, self._show_text))
        except FlopodError as error:
            raise DamagedLog(self._inner.describe(), record.seq, None, f"run {run_id}: {error}") from None

    def inbox(self, run_id: str, after: int = 0) -> list[InboxItem]:
        return [replace(item, payload=self._show(item.payload)) for item in self._inner.inbox(run_id, after)]

    def _deliver(self, run_id: str, path: str, event: str, payload: bytes, at: int) -> int:
        return self._inner._deliver(run_id, path, event, bytes(self._hide(run_id, Raw(payload))), at)

    def keep(self, kind: str, name: str, document: bytes) -> None:
        sealed = document if self._cipher is None else self._cipher.seal(document)
        self._inner.keep(kind, name, sealed)

    def kept(self, kind: str, name: str) -> bytes | None:
        found = self._inner.kept(kind, name)
        return None if found is None else self._document(found)

    def all_kept(self, kind: str) -> dict[str, bytes]:
        return {name: self._document(one) for name, one in self._inner.all_kept(kind).items()}

    def _document(self, found: bytes) -> bytes:
        """A document that was kept with a key or before there was one: JSON never begins like a token."""
        return self._opened(found.decode()) if found.startswith(_TOKEN) else found

    # -- one value -------------------------------------------------------------------------------

    def _hide(self, run_id: str, value: Raw) -> Raw:
        text = bytes(value)
        if self._large is not None and len(text) > self._large:
            return self._put_apart(run_id, text)
        if self._cipher is None:
            return value
        return Raw(msgspec.json.encode(_Sealed("sealed", self._cipher.seal(text).decode())))

    def _put_apart(self, run_id: str, text: bytes) -> Raw:
        name = f"{blake2b(run_id.encode(), digest_size=12).hexdigest()}.{blake2b(text).hexdigest()[:64]}"
        self.keep(_APART, name, text)
        return Raw(msgspec.json.encode(_Apart("apart", name, len(text))))

    def _show(self, value: Raw) -> Raw:
        text = bytes(value)
        if text.startswith(b'{"$":"sealed"'):
            return Raw(self._opened(msgspec.json.decode(text, type=_Sealed).v))
        if text.startswith(b'{"$":"apart"'):
            where = msgspec.json.decode(text, type=_Apart)
            found = self.kept(_APART, where.name)
            if found is None or len(found) != where.size:
                raise FlopodError(f"the value {where.name}, which is kept apart, is missing")
            return Raw(found)
        return value

    def _hide_text(self, text: str) -> str:
        if self._cipher is None or not text:
            return text
        return _SEALED_TEXT + self._cipher.seal(text.encode("utf-8", "backslashreplace")).decode()

    def _show_text(self, text: str) -> str:
        if not text.startswith(_SEALED_TEXT):
            return text
        return self._opened(text.removeprefix(_SEALED_TEXT)).decode()

    def _opened(self, token: str) -> bytes:
        if self._cipher is None:
            raise FlopodError(KEPT_ELSEWHERE["sealed"])
        return self._cipher.open(token.encode())

    # -- what does not ---------------------------------------------------------------------------

    def summary(self, run_id: str) -> RunSummary | None:
        summary = self._inner.summary(run_id)
        return None if summary is None else _readable(summary)

    def _page(self, page: Page) -> list[RunSummary]:
        # The store cannot look for a text in what it cannot read.
        return [_readable(one) for one in self._inner._page(page._replace(text=""))]

    def counts(self) -> dict[Status, int]:
        return self._inner.counts()

    def tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._inner.tails(run_ids)

    def pulse(self) -> object:
        return self._inner.pulse()

    def each_open(self) -> Iterator[RunSummary]:
        return self._inner.each_open()

    def delete(self, run_id: str) -> bool:
        prefix = f"{blake2b(run_id.encode(), digest_size=12).hexdigest()}."
        found = self._inner.delete(run_id)
        for name in self._inner.all_kept(_APART):
            if name.startswith(prefix):
                self._inner.drop(_APART, name)
        return found

    def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
        self._inner.compact(run_id, dropped, inbox)

    def mark(self, run_id: str, status: Status, reason: str) -> bool:
        return self._inner.mark(run_id, status, reason)

    def due_timers(self, before: int) -> list[Timer]:
        return self._inner.due_timers(before)

    def inbox_tails(self, run_ids: Sequence[str]) -> dict[str, int]:
        return self._inner.inbox_tails(run_ids)

    def inbox_token(self, run_id: str) -> object:
        return self._inner.inbox_token(run_id)

    def news(self, mark: object) -> tuple[object, list[str]]:
        return self._inner.news(mark)

    def announce(self, run_id: str) -> None:
        self._inner.announce(run_id)

    def drop(self, kind: str, name: str) -> bool:
        return self._inner.drop(kind, name)

    def hold(self, run_id: str) -> Hold:
        return self._inner.hold(run_id)

    def claim(self, run_id: str, *, fresh: bool = False) -> Hold:
        return self._inner.claim(run_id, fresh=fresh)


def _readable(summary: RunSummary) -> RunSummary:
    if summary.error.startswith(_SEALED_TEXT) or summary.error.startswith('{"$":"'):
        summary.error = "(the error is encrypted; `flopod runs show` has it)"
    return summary


@cache
def _holding(kind: type[Event]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of an event that hold values, and those that hold the author's texts."""
    values = tuple(field.name for field in fields(kind) if field.type is Raw)
    return values, tuple(field.name for field in fields(kind) if field.name in _TEXTS)


def _changed(event: Event, value: Callable[[Raw], Raw], text: Callable[[str], str]) -> Event:
    values, texts = _holding(type(event))
    if not values and not texts:
        return event
    changes: dict[str, object] = {
        name: value(one) for name in values if (one := getattr(event, name)) is not None
    }
    changes.update((name, text(getattr(event, name))) for name in texts)
    return replace(event, **changes)
