"""The compiler's loops: they hand out the scope of each iteration, and fast-forward on resume.

An iteration that completed with everything begun under it may leave a snapshot of what the loop
carries. A resume restores the last one and goes on after it, without running those iterations again.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Raw

from flopod import codec
from flopod.errors import DuplicateId, MigrationError, SerializableError
from flopod.events import IterationCompleted
from flopod.log.entries import Entry
from flopod.workflow.compaction import Stretch
from flopod.workflow.iterated import is_skippable, sources
from flopod.workflow.paths import encode_key
from flopod.workflow.sidechains import restore_tally, tally_document
from flopod.workflow.snapshot import Capture

if TYPE_CHECKING:
    from flopod.workflow.core import Core
    from flopod.workflow.scope import Scope


class _Loop:
    """What `each` and `repeat` have in common: position, scope, capture, completion."""

    def __init__(self, scope: "Scope", path: str, keep: Sequence[Any] | None) -> None:
        self._core: Core = scope.core
        self._outer = scope
        self._path = path
        self._keep = keep
        self._is_finite = False
        self._index = -1
        self._key = ""
        self._item: object = None
        self._noted: str | None = None
        self._scope: Scope | None = None
        self._capture: Capture | None = None
        self._entry = ""
        self._mark = 0
        self._size = 0
        self._stretch: Stretch | None = None

    def describe(self) -> str:
        return "a loop"

    # -- entry -----------------------------------------------------------------------------------

    def _enter(self, skippable: bool) -> Entry | None:
        """Take stock of what the loop carries; return the record to go on after, if there is one."""
        core = self._core
        if core.fenced or self._keep is None or not skippable or not core.scheduler.joined_only():
            return None
        recorded = None if core.live else core.history.snapshot(self._path)
        if recorded is None and not core.budget.allows(self._path):
            return None
        try:
            self._capture = Capture(self._outer.states(), self._keep)
        except SerializableError as error:
            self._warn(error)
            return None
        core.capturing.add(self)
        self._follow()
        core.budget.spend(self._path, self._capture.objects)
        self._mark = core.budget.written
        return self._at_entry(recorded, self._capture)

    def _follow(self) -> None:
        """Mark out the part of the log that is the loop's, if all that is to come of the past is its own."""
        core = self._core
        if core.live or core.history.holds_only(self._path):
            self._stretch = core.compaction.enter(self._path, core.base())

    def _at_entry(self, recorded: Entry | None, capture: Capture) -> Entry | None:
        """Note what the loop begins with; a record of another build only counts if it began with the same."""
        event = None if recorded is None else recorded.event
        history = self._core.history
        if isinstance(event, IterationCompleted) and not history.is_foreign(self._path):
            self._entry = event.entry
            return recorded
        if history.lineage is None:
            return None  # nor does any build ever take over what this one records
        self._entry = capture.fingerprint()
        same = isinstance(event, IterationCompleted) and event.entry == self._entry != ""
        return recorded if same else None

    def _jump(self, recorded: Entry) -> IterationCompleted | None:
        event, capture = recorded.event, self._capture
        if capture is None or not isinstance(event, IterationCompleted) or event.snapshot is None:
            return None
        if not self._is_readable(event):
            return None
        if event.states != capture.paths or not self._core.history.jump_past(recorded, self._path):
            return None
        self._core.scheduler.now = event.at
        try:
            capture.restore(event.snapshot)
            restore_tally(self._outer, event.work)
        except Exception as error:
            self._core.replay.unreadable(self._path, f"what its iterations up to [{event.key}] carry", error)
            return None
        self._index = event.index
        self._size = len(event.snapshot)
        return event

    def _is_readable(self, event: IterationCompleted) -> bool:
        """Whether the TypedDicts in a snapshot are those of today; else what it stands for is replayed."""
        today, then = codec.typed_versions(), event.versions
        if then == today:
            return True
        if self._core.history.ledger.dropped:
            name = next(one for one in (*today, *then) if today.get(one) != then.get(one))
            error = MigrationError(name, "nothing tells it from other dicts that a loop carries; use a class")
            self._core.replay.unreadable(self._path, f"what its iterations up to [{event.key}] carry", error)
        return False

    # -- iterations ------------------------------------------------------------------------------

    def _begin(self, key: object, item: object = None) -> "Scope":
        self._index += 1
        self._key = str(key) if type(key) is int else encode_key(key)
        if self._capture is not None or not self._core.live:
            self._take_note(item)
        turns = 0 if self._is_finite else self._index
        self._scope = self._outer.iteration(f"{self._path}[{self._key}]", turns)
        return self._scope

    def _complete(self) -> None:
        """The iteration handed out last has ended, by its own end or by `continue`."""
        scope, core = self._scope, self._core
        self._scope = None
        if scope is None or core.fenced:
            return
        recorded = core.history.find((self._path, self._index))
        if recorded is not None:
            self._compare(recorded)
        elif core.live and self._capture is not None:
            self._snapshot(self._capture)

    def _compare(self, recorded: Entry) -> None:
        event = recorded.event
        self._core.history.ask(recorded)
        if isinstance(event, IterationCompleted):
            self._check(event)

    def _take_note(self, item: object) -> None:
        """Look at an item before its iteration, if that may change it."""
        self._item = item
        self._noted = None if codec.is_immutable(item) else _fingerprint(item)

    @property
    def _print(self) -> str:
        """The fingerprint of the item noted last, as it was before its iteration."""
        if self._noted is None:
            self._noted = _fingerprint(self._item)
        return self._noted

    def _check(self, event: IterationCompleted) -> None:
        changed = self._core.history.is_changed((self._path, event.index))
        if not (changed or codec.agree(event.item, self._print)) or event.key != self._key:
            path = f"{self._path}[{event.key}]"
            current = f"the item {_shown(self._item)} (fingerprint {self._print}), iteration [{self._key}]"
            self._core.replay.diverge(path, f"an item with fingerprint {event.item}", current)

    def _snapshot(self, capture: Capture) -> None:
        core = self._core
        if self._stretch is None or self._stretch.closed:
            self._capture = None
            return
        if core.budget.written - self._mark < self._size or not self._is_whole():
            return
        if core.compensations.stands_on(self._path):
            self._capture = None
            return
        try:
            document, work = capture.document(), tally_document(self._outer)
        except SerializableError as error:
            self._warn(error)
            self._capture = None
            return
        self._size = len(document)
        if self._size <= core.budget.written - self._mark:
            self._emit(capture, document, work)

    def _emit(self, capture: Capture, document: Raw, work: Raw | None) -> None:
        core = self._core
        event = IterationCompleted(
            path=self._path,
            at=core.scheduler.now,
            index=self._index,
            key=self._key,
            item=self._print,
            states=capture.paths,
            entry=self._entry,
            versions=codec.typed_versions(),
            snapshot=document,
            work=work,
        )
        core.emit_snapshot(event)
        self._mark = core.budget.written

    def _is_whole(self) -> bool:
        core, capture = self._core, self._capture
        if capture is None or not core.scheduler.joined_only() or not capture.same(self._outer.states()):
            return False
        prefix = f"{self._path}["
        return not (core.created and any(path.startswith(prefix) for path in core.created))

    def touched(self, arguments: codec.Known) -> None:
        """A call changed or returned its arguments; what the loop does not carry can't be restored."""
        if self._capture is None:
            return
        if self._capture.covers(arguments):
            self._capture.changed(arguments)
        else:
            self._capture = None

    def _warn(self, error: SerializableError) -> None:
        self._core.output.warn(
            self._path, f"this loop cannot be fast-forwarded and is replayed on resume: {error}"
        )


class Each(_Loop):
    """`for scope, item in wf.each(id, items)`, or `async for`, which is never fast-forwarded."""

    def __init__(
        self,
        scope: "Scope",
        path: str,
        items: Any,
        keep: Sequence[Any] | None,
        key: Callable[[Any], Any] | None,
    ) -> None:
        super().__init__(scope, path, keep)
        self._items = items
        self._key_of = key
        self._keys: set[str] = set()
        self._iterator: Iterator[Any] | None = None
        self._source: AsyncIterator[Any] | None = None
        self._hashed: list[tuple[Any, list[object]]] = []

    def __iter__(self) -> "Each":
        if self._iterator is not None:
            return self
        self._is_finite = is_skippable(self._items)
        iterator: Iterator[Any] = iter(self._items)
        recorded = self._enter(self._is_finite)
        if self._capture is not None:
            carried = [one for one in sources(self._items) if self._capture.holds([one])]
            self._hashed = [(one, list(one)) for one in carried if isinstance(one, dict | set)]
        event = None if recorded is None else self._jump(recorded)
        self._iterator = iterator if event is None else self._skip(event)
        return self

    def __next__(self) -> "tuple[Scope, Any]":
        iterator = self._iterator if self._iterator is not None else iter(self)._iterator
        self._complete()
        assert iterator is not None
        item = next(iterator)
        return self._begin(self._key_for(item), item), item

    def __aiter__(self) -> "Each":
        if self._source is None:
            self._source = aiter(self._items)
        return self

    async def __anext__(self) -> "tuple[Scope, Any]":
        assert self._source is not None
        self._complete()
        item = await anext(self._source)
        return self._begin(self._key_for(item), item), item

    def _skip(self, event: IterationCompleted) -> Iterator[Any]:
        iterator: Iterator[Any] = iter(self._items)
        passed = list(islice(iterator, event.index + 1))
        if len(passed) != event.index + 1:
            self._core.replay.diverge(
                self._path, f"{event.index + 1} items or more", f"only {len(passed)} items"
            )
        elif not self._may_have_changed(passed[-1]):
            self._keys = {self._name(item, index) for index, item in enumerate(passed)}
            self._key = self._name(passed[-1], event.index)
            self._take_note(passed[-1])
            self._check(event)
        return iterator

    def _is_whole(self) -> bool:
        """As for every loop; and to go on in a mapping or set whose keys changed is not to begin anew."""
        if any(len(one) != len(keys) or list(one) != keys for one, keys in self._hashed):
            self._capture = None
        return super()._is_whole()

    def _may_have_changed(self, item: object) -> bool:
        """Whether the loop carries its own items: those that it has passed need not be what they were."""
        capture = self._capture
        assert capture is not None
        try:
            return capture.holds([*sources(self._items), *codec.Known([item]).objects])
        except SerializableError:
            return True

    def _name(self, item: Any, index: int) -> str:
        return str(index) if self._key_of is None else encode_key(self._key_of(item))

    def _key_for(self, item: Any) -> object:
        if self._key_of is None:
            return self._index + 1
        key = self._key_of(item)
        name = encode_key(key)
        if name in self._keys and not self._core.fenced:
            hint = "let the key pragma give each item its own key"
            raise DuplicateId(f"{self._path}[{name}]", self._outer.path, hint)
        self._keys.add(name)
        return key


class Repeat(_Loop):
    """`while (scope := loop.next()) and condition`."""

    _entered = False

    @property
    def index(self) -> int:
        """Which iteration was begun last."""
        return self._index

    def next(self) -> "Scope":
        """Complete the iteration before, and return the scope of the next one; it is true."""
        if self._entered:
            self._complete()
        else:
            self._entered = True
            recorded = self._enter(True)
            event = None if recorded is None else self._jump(recorded)
            if event is not None:
                self._key = event.key
                self._take_note(None)
                self._check(event)
        return self._begin(self._index + 1)


def _fingerprint(item: object) -> str:
    try:
        return codec.fingerprint(item)
    except SerializableError:
        return "of no data"


def _shown(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 80 else text[:77] + "..."
