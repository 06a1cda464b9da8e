"""The text of a traceback as the author should see it: without the frames of the runtime and of asyncio."""

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traceback import TracebackException

# The importer of a bundle, which is no module of the runtime.
_IMPORTER = "Bundle.exec_module"
_MACHINERY = frozenset({"flopod", "asyncio", "importlib"})


def author_traceback(error: BaseException, *, whole: bool = False) -> str:
    """Return the traceback of `error`, of its causes and of the members of a group.

    It has only frames of the author's and of the libraries they call, unless `whole` asks for all.
    """
    import traceback

    summary = traceback.TracebackException.from_exception(error)
    if not whole:
        _prune(summary, error, set())
    return "".join(summary.format())


def begin_with_author(error: BaseException) -> None:
    """Take the way from the runtime to the author's first frame out of the traceback of `error`."""
    traceback = error.__traceback__
    while traceback is not None and _is_own(traceback):
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def _prune(summary: "TracebackException | None", error: BaseException | None, seen: set[int]) -> None:
    if error is None or summary is None or id(error) in seen:
        return
    seen.add(id(error))
    own = [_is_own(frame) for frame in _frames(error.__traceback__)]
    stack = summary.stack
    stack[:] = [line for line, hidden in zip(stack, own, strict=False) if not hidden]
    _prune(summary.__cause__, error.__cause__, seen)
    _prune(summary.__context__, error.__context__, seen)
    if isinstance(error, BaseExceptionGroup):
        for part, member in zip(summary.exceptions or (), error.exceptions, strict=False):
            _prune(part, member, seen)


def _frames(traceback: TracebackType | None) -> list[TracebackType]:
    found = []
    while traceback is not None:
        found.append(traceback)
        traceback = traceback.tb_next
    return found


def _is_own(frame: TracebackType) -> bool:
    top, _, _ = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")
    return top in _MACHINERY or frame.tb_frame.f_code.co_qualname == _IMPORTER
