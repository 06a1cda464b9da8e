"""Durable state of a body: a variable, a list and a mapping that record their changes.

Records make state visible and are not read back: replay recomputes it. In every other respect the list
and the mapping are the builtins that they derive from.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import ListChanged, MapChanged, VarChanged

if TYPE_CHECKING:
    from flopod.workflow.core import Core

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class Done(Generic[T]):
    """An awaitable that has its result already: the change is durable with the next commit."""

    __slots__ = ("_result",)

    def __init__(self, result: T) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, None, T]:
        return self._result
        yield


class Var(Generic[T]):
    """A variable of a body; `name` is its own name, the end of its `path`."""

    __slots__ = ("_core", "_value", "name", "path")

    def __init__(self, core: "Core", path: str, name: str, initial: Any) -> None:
        self._core = core
        self.path = path
        self.name = name
        self._value = initial
        if initial is not codec.UNBOUND:
            self._record()

    @property
    def value(self) -> T:
        """The value; unbound, it raises what Python raises for the local variable."""
        if self._value is codec.UNBOUND:
            raise UnboundLocalError(
                f"cannot access local variable {self.name!r} where it is not associated with a value"
            )
        return self._value  # type: ignore[no-any-return]

    @value.setter
    def value(self, value: T) -> None:
        self._value = value
        self._record()

    @value.deleter
    def value(self) -> None:
        self.value  # noqa: B018 - raises if unbound, as `del` does
        self._value = codec.UNBOUND
        self._record()

    def set(self, value: T) -> Done[T]:
        """Set the value."""
        self.value = value
        return Done(value)

    def update(self, fn: Callable[[T], T]) -> Done[T]:
        """Set the value to what `fn` makes of it, and return it."""
        return self.set(fn(self.value))

    def get_raw(self) -> Any:
        """Return the value or `UNBOUND`."""
        return self._value

    def restore(self, value: Any) -> None:
        """Take over a value of a snapshot."""
        self._value = value

    def _record(self) -> None:
        core = self._core
        if core.items:
            _mark(core, self.path)
        if core.wants_visible:
            document = _encode(self._value)
            if document is not None:
                core.emit_visible(VarChanged(path=self.path, at=core.now, value=document))

    def __repr__(self) -> str:
        return f"<Var {self.name}={self._value!r}>"


def _mark(core: "Core", path: str) -> None:
    """Note the items under way that may have changed what is not their own: their results are not all."""
    for place in core.items:
        if not path.startswith(f"{place}/"):
            core.items[place] = True


def _encode(value: Any) -> Raw | None:
    try:
        return Raw(codec.encode(value))
    except SerializableError:
        return None


def _record(
    core: "Core",
    kind: type[ListChanged | MapChanged],
    state: "DurableList[Any] | DurableMap[Any, Any]",
    op: str,
    args: tuple[Any, ...],
) -> None:
    """Write down a change of a list or a mapping, if it can be written."""
    if core.items:
        _mark(core, state.path)
    if core.wants_visible:
        document = _encode(list(args))
        if document is not None:
            core.emit_visible(kind(path=state.path, at=core.now, op=op, args=document, size=len(state)))


class DurableList(list[T]):
    """A list that records its changes."""

    __slots__ = ("_core", "name", "path")
    __flopod_as__ = list
    __hash__ = None

    def __new__(cls, *args: Any) -> Any:
        """Called like `list`, as `dataclasses.asdict` calls the type of a field's value, it gives a list."""
        return super().__new__(cls) if len(args) > 1 else list(*args)

    def __init__(self, core: "Core", path: str, name: str, initial: Iterable[T]) -> None:
        super().__init__(initial)
        self._core = core
        self.path = path
        self.name = name
        if self:
            self._record("extend", list(self))

    def _record(self, op: str, *args: Any) -> None:
        _record(self._core, ListChanged, self, op, args)

    @property
    def items(self) -> list[T]:
        """A plain copy."""
        return list(self)

    def push(self, *values: T) -> Done[int]:
        """Append values, and return the new length."""
        self.extend(values)
        return Done(len(self))

    def filter(self, keep: Callable[[T], object]) -> Done[None]:
        """Keep the items for which `keep` is true."""
        self[:] = [item for item in self if keep(item)]
        return Done(None)

    def append(self, value: T, /) -> None:
        super().append(value)
        self._record("append", value)

    def extend(self, values: Iterable[T], /) -> None:
        before = len(self)
        try:
            super().extend(values)
        finally:
            self._record("extend", self[before:])

    def insert(self, index: Any, value: T, /) -> None:
        super().insert(index, value)
        self._record("insert", index, value)

    def remove(self, value: T, /) -> None:
        super().remove(value)
        self._record("remove", value)

    def pop(self, index: Any = -1, /) -> T:
        value = super().pop(index)
        self._record("pop", index)
        return value

    def clear(self) -> None:
        super().clear()
        self._record("clear")

    def sort(self, *args: Any, **options: Any) -> None:
        try:
            super().sort(*args, **options)
        finally:
            self._record("assign", list(self))

    def reverse(self) -> None:
        super().reverse()
        self._record("reverse")

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        if isinstance(index, slice):
            self._record("assign", list(self))
        else:
            self._record("set", index, value)

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        if isinstance(index, slice):
            self._record("assign", list(self))
        else:
            self._record("delete", index)

    def __iadd__(self, values: Iterable[T]) -> "DurableList[T]":  # type: ignore[misc,override]
        self.extend(values)
        return self

    def __imul__(self, count: Any) -> "DurableList[T]":  # type: ignore[misc]
        super().__imul__(count)
        self._record("assign", list(self))
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, (list(self),)


_MISSING: Any = object()


class DurableMap(dict[K, V]):
    """A mapping that records its changes."""

    __slots__ = ("_core", "name", "path")
    __flopod_as__ = dict
    __hash__ = None

    fromkeys = staticmethod(dict.fromkeys)  # type: ignore[assignment]

    def __new__(cls, *args: Any) -> Any:
        """Called like `dict` it gives a dict, as `DurableList` gives a list."""
        return super().__new__(cls) if len(args) > 1 else dict(*args)

    def __init__(self, core: "Core", path: str, name: str, initial: Any) -> None:
        super().__init__(initial)
        self._core = core
        self.path = path
        self.name = name
        if self:
            self._record("update", dict(self))

    def _record(self, op: str, *args: Any) -> None:
        _record(self._core, MapChanged, self, op, args)

    @property
    def map(self) -> dict[K, V]:
        """A plain copy."""
        return dict(self)

    def set(self, key: K, value: V) -> Done[V]:
        """Set one value."""
        self[key] = value
        return Done(value)

    def delete(self, key: K) -> Done[bool]:
        """Remove a key, and return whether it was there."""
        found = key in self
        if found:
            del self[key]
        return Done(found)

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self._record("set", key, value)

    def __delitem__(self, key: K) -> None:
        super().__delitem__(key)
        self._record("delete", key)

    def clear(self) -> None:
        super().clear()
        self._record("clear")

    def pop(self, key: Any, default: Any = _MISSING, /) -> Any:
        found = key in self
        value = super().pop(key) if default is _MISSING else super().pop(key, default)
        if found:
            self._record("delete", key)
        return value

    def popitem(self) -> tuple[K, V]:
        key, value = super().popitem()
        self._record("delete", key)
        return key, value

    def setdefault(self, key: K, default: Any = None, /) -> Any:
        found = key in self
        value = super().setdefault(key, default)
        if not found:
            self._record("set", key, value)
        return value

    def update(self, *others: Any, **named: Any) -> None:
        before = dict(self)
        try:
            super().update(*others, **named)
        finally:
            self._record_difference(before)

    def __ior__(self, other: Mapping[K, V] | Iterable[tuple[K, V]]) -> "DurableMap[K, V]":  # type: ignore[misc,override]
        self.update(other)
        return self

    def _record_difference(self, before: dict[K, V]) -> None:
        changed = {key: value for key, value in self.items() if before.get(key, _MISSING) is not value}
        if changed:
            self._record("update", changed)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return dict, (dict(self),)
