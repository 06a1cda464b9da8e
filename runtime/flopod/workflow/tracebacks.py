"""The text of a traceback as the author should see it: without the frames of the runtime."""

from types import TracebackType

# The importer of a bundle, which is no module of the runtime.
_IMPORTER = "Bundle.exec_module"


def author_traceback(error: BaseException) -> str:
    """Return the traceback of `error` and of its causes, only with frames outside of flopod."""
    import traceback

    summary = traceback.TracebackException.from_exception(error)
    _prune(summary, error, set())
    return "".join(summary.format())


def _prune(summary: object, error: BaseException | None, seen: set[int]) -> None:
    if error is None or summary is None or id(error) in seen:
        return
    seen.add(id(error))
    own = [_is_own(frame) for frame in _frames(error.__traceback__)]
    stack = summary.stack  # type: ignore[attr-defined]
    stack[:] = [line for line, hidden in zip(stack, own, strict=False) if not hidden]
    _prune(summary.__cause__, error.__cause__, seen)  # type: ignore[attr-defined]
    _prune(summary.__context__, error.__context__, seen)  # type: ignore[attr-defined]


def _frames(traceback: TracebackType | None) -> list[TracebackType]:
    found = []
    while traceback is not None:
        found.append(traceback)
        traceback = traceback.tb_next
    return found


def _is_own(frame: TracebackType) -> bool:
    top, _, _ = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")
    return top in ("flopod", "importlib") or frame.tb_frame.f_code.co_qualname == _IMPORTER
