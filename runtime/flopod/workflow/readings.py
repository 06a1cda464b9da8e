"""What a body reads of the world without a step: clocks, random sources, module-level names."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Raw

from flopod import codec
from flopod.errors import SerializableError
from flopod.events import Recorded
from flopod.workflow import forms

if TYPE_CHECKING:
    from flopod.workflow.core import Core

T = TypeVar("T")
_RAISED = " (raised)"
_CONSTANT = "the value of a module-level name"


def read(
    core: "Core", path: str, callee: str, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> T:
    """Call `fn` for the first time, and record what it gives or raises."""
    source: Callable[..., T] = core.reading(path, fn)
    try:
        value = source(*args, **kwargs)
    except Exception as error:
        document = Raw(codec.encode(error))
        core.emit(Recorded(path=path, at=core.now, value=document, callee=callee + _RAISED))
        raise codec.decode(document).with_traceback(error.__traceback__) from None
    document = Raw(_encode(path, value))
    core.emit(Recorded(path=path, at=core.now, value=document, callee=callee))
    return codec.decode(document)  # type: ignore[no-any-return]


def give(
    core: "Core",
    path: str,
    callee: str,
    recorded: Recorded,
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> T:
    """Give or raise what `fn` did when it was recorded; where that does not fit, the run is over."""
    if recorded.callee.removesuffix(_RAISED) != callee:
        core.replay.conflict(path, f"a value of {recorded.callee}", f"a value of {callee}")
    if core.fenced:
        return fn(*args, **kwargs)
    try:
        value = codec.decode(recorded.value)
    except Exception as error:
        core.replay.unreadable(path, f"a value of {callee}", error)
        return fn(*args, **kwargs)
    if recorded.callee.endswith(_RAISED):
        raise value
    return value  # type: ignore[no-any-return]


def constant(core: "Core", path: str, value: T) -> T:
    """Record the value of a module-level name, or give the recorded one; as it is if it is no data."""
    try:
        document = Raw(codec.encode(value))
    except SerializableError:
        return value
    recorded = core.replay.ask(path, Recorded, forms.Asked(_CONSTANT))
    if recorded is None:
        core.emit(Recorded(path=path, at=core.now, value=document))
    try:
        return codec.decode(document if recorded is None else recorded.value)  # type: ignore[no-any-return]
    except Exception as error:
        core.replay.unreadable(path, _CONSTANT, error)
        return value


def _encode(path: str, value: Any) -> bytes:
    try:
        return codec.encode(value)
    except SerializableError as error:
        error.path = path
        raise
