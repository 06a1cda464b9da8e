"""The arguments of one call: their fingerprint, copies to call with, and outcomes as documents.

A call works on a copy of its arguments, a fresh one for each attempt. If it changed the copy, the new
state is part of its outcome and is restored in place on what the body holds.
"""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType, MethodType, NoneType
from typing import Any, NamedTuple

from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError, SharedArgument
from flopod.workflow.tracebacks import author_traceback, begin_with_author

_SCALARS = frozenset({str, int, bool, bytes, NoneType})
_CALLABLES = (FunctionType, BuiltinFunctionType, MethodType, partial, type)
_SHOWN = 256


class Returned(NamedTuple):
    """A call that returned: its result as a document, and ready made where that needs no copy."""

    result: Raw
    state: Raw | None
    ready: bool
    value: Any


class Raised(NamedTuple):
    """A call that raised; `final` errors are not tried again."""

    error: Raw
    state: Raw | None
    exception: BaseException
    traceback: str
    final: bool = False


class Arguments:
    """What the body gave to the call at `path`. Raises SerializableError for what is no data."""

    __slots__ = ("_doc", "_foreign", "args", "copied", "fingerprint", "kwargs", "path")

    def __init__(self, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.path = path
        self.args = args
        self.kwargs = kwargs
        self._foreign: frozenset[int] = frozenset()
        values = _values(args, kwargs) if kwargs else args
        if _SCALARS.issuperset(map(type, values)):
            self.copied = False
            self._doc = codec.encode(_shape(args, kwargs))
            self.fingerprint = blake2b(self._doc, digest_size=8).hexdigest()
            return
        self.copied = not all(map(codec.is_immutable, values))
        if self.copied:
            self._foreign = frozenset(i for i, value in enumerate(values) if isinstance(value, _CALLABLES))
        self._doc = self._encode()
        self.fingerprint = codec.fingerprint(_shape(args, kwargs), label="arguments")

    @property
    def shown(self) -> Raw | None:
        """The arguments as text for the log, if they are short and data."""
        return Raw(self._doc) if len(self._doc) <= _SHOWN and not self._foreign else None

    def known(self) -> codec.Known | None:
        """Return the objects that a result may refer to, as they are now, or None if there are none."""
        return codec.Known(self.data(self.args, self.kwargs)) if self.copied else None

    def copy(self, drops: bool = False) -> "CallCopy":
        """Return arguments to call with, once. If it `drops` what the call returns, that need not be data."""
        if not self.copied:
            return CallCopy(self, self.args, self.kwargs, None, drops)
        args, kwargs = _unshape(codec.decode(self._doc))
        args, kwargs = self._with_foreign(args, kwargs)
        return CallCopy(self, args, kwargs, codec.Known(self.data(args, kwargs)), drops)

    def changed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a copy differs from what it was made of."""
        return codec.encode(self._without_foreign(args, kwargs), label="arguments") != self._doc

    def conflict(self, state: Raw | None) -> Raised | None:
        """The failure of a call that changed arguments which have meanwhile changed here, too."""
        if state is None or not self._changed_here():
            return None
        error = SharedArgument(self.path)
        return Raised(Raw(codec.encode(error)), None, error, "", final=True)

    def _changed_here(self) -> bool:
        try:
            return self.changed(self.args, self.kwargs)
        except SerializableError:
            return True

    def data(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return the values that are data: what is no function, class or object of a module."""
        return [value for i, value in enumerate(_values(args, kwargs)) if i not in self._foreign]

    def _encode(self) -> bytes:
        try:
            return codec.encode(self._without_foreign(self.args, self.kwargs))
        except SerializableError:
            values = _values(self.args, self.kwargs)
            self._foreign |= {i for i, value in enumerate(values) if not _encodable(value)}
            return codec.encode(self._without_foreign(self.args, self.kwargs))

    def _without_foreign(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._foreign:
            values = [None if i in self._foreign else v for i, v in enumerate(_values(args, kwargs))]
            args, kwargs = _split(values, self)
        return _shape(args, kwargs)

    def _with_foreign(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not self._foreign:
            return args, kwargs
        own = _values(self.args, self.kwargs)
        return _split(
            [own[i] if i in self._foreign else v for i, v in enumerate(_values(args, kwargs))], self
        )


class CallCopy:
    """Arguments for one attempt, and the way from what it did to the documents of its outcome."""

    __slots__ = ("_drops", "_known", "_original", "args", "kwargs")

    def __init__(
        self,
        original: Arguments,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        known: codec.Known | None,
        drops: bool,
    ) -> None:
        self._original = original
        self._known = known
        self._drops = drops
        self.args = args
        self.kwargs = kwargs

    def returned(self, value: Any) -> Returned | Raised:
        """Return the outcome of a call that returned `value`; a value that is no data is an error."""
        if self._drops:
            value = None
        try:
            ready = codec.is_immutable(value)
            result = codec.encode(value, known=None if ready else self._known, label="result")
            state = self._state(value)
        except SerializableError as error:
            return self._unserializable(error)
        return Returned(Raw(result), state, ready and state is None, value)

    def raised(self, error: BaseException) -> Raised:
        """Return the outcome of a call that raised `error`."""
        begin_with_author(error)
        text = author_traceback(error)
        try:
            state = self._state(error)
        except SerializableError as wrong:
            return self._unserializable(wrong)
        return Raised(Raw(codec.encode(error, known=self._known)), state, error, text)

    def _state(self, outcome: object) -> Raw | None:
        if self._known is None or not self._original.changed(self.args, self.kwargs):
            return None
        roots = [*self._original.data(self.args, self.kwargs), outcome]
        return Raw(codec.encode(roots, known=self._known, state=True, label="arguments"))

    def _unserializable(self, error: SerializableError) -> Raised:
        error.path = self._original.path
        return Raised(Raw(codec.encode(error)), None, error, author_traceback(error), final=True)


def read_outcome(document: Raw, state: Raw | None, known: Callable[[], codec.Known | None]) -> Any:
    """Return the value or the exception of an outcome, and restore changed arguments in place.

    `known` is only called if the outcome refers to the arguments.
    """
    if state is not None:
        return codec.decode(state, known=known())[-1]
    text = bytes(document)
    return codec.decode(text, known=known() if b'"known"' in text else None)


def opened(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """Take the function and the bound arguments out of a `partial`: they are arguments like all others."""
    if not isinstance(fn, partial):
        return fn, args, kwargs
    return opened(fn.func, (*fn.args, *args), {**fn.keywords, **kwargs})


def _values(args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    return [*args, *kwargs.values()]


def _shape(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return {"args": list(args), "kwargs": kwargs} if kwargs else list(args)


def _unshape(shape: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return (tuple(shape["args"]), shape["kwargs"]) if isinstance(shape, dict) else (tuple(shape), {})


def _split(values: list[Any], like: Arguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
    count = len(like.args)
    return tuple(values[:count]), dict(zip(like.kwargs, values[count:], strict=True))


def _encodable(value: object) -> bool:
    try:
        codec.encode(value)
    except SerializableError:
        return False
    return True
