"""Compensations in the plain run: what a workflow has registered is undone when it fails.

A function marked `@workflow` is left as it is unless it may register some, which its names tell.
"""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeGuard

from flopod.current import current_context
from flopod.errors import UsageError
from flopod.options import ActivityOptions, options_of
from flopod.reach import codes_of, reach_of

_MARK = "__flopod_compensates__"


class _Saga:
    """What a plain run has registered so far; as a context, the run. One inside another is a part of it."""

    def __init__(self) -> None:
        self.stack: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self._token: Token[_Saga | None] | None = None

    def __enter__(self) -> None:
        if _saga.get() is None:
            self._token = _saga.set(self)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._is_undone_after(error):
            self._undo_now(error)
        self._leave()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._is_undone_after(error):
            await self._undo(error)
        self._leave()

    def _is_undone_after(self, error: BaseException | None) -> TypeGuard[BaseException]:
        left = error is None or isinstance(error, GeneratorExit | KeyboardInterrupt)
        return bool(self.stack) and not left

    def _leave(self) -> None:
        if self._token is not None:
            _saga.reset(self._token)

    def _undo_now(self, error: BaseException) -> None:
        undoing = self._undo(error)
        with contextlib.suppress(StopIteration):
            undoing.send(None)
            undoing.close()
            raise UsageError("a workflow that is no coroutine function has plain compensations only")

    async def _undo(self, error: BaseException) -> None:
        while self.stack:
            fn, args, kwargs = self.stack.pop()
            try:
                given = fn(*args, **kwargs)
                if inspect.isawaitable(given):
                    await given
            except Exception as wrong:
                error.add_note(note_of(fn, wrong))


_saga: ContextVar[_Saga | None] = ContextVar("flopod.saga", default=None)
_marked: set[CodeType] = set()


def note_of(fn: Callable[..., Any], error: Exception) -> str:
    """Return what an error that was followed by a failed compensation says of it."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return f"the compensation {options_of(fn).call_name}() failed: {type(error).__name__}: {error}"


def compensate(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Register what undoes a step: `fn(*args, **kwargs)` is called if the run fails or is cancelled.

    Nothing is called here, and nothing is awaited. When the workflow that was started raises, what has been
    registered in it and in the workflows that it calls is called, the last one first, each as a leaf: its
    options count, and what is done is not done again after a crash. One that fails does not keep the others
    from being called; the workflow's error has a note of it. Arguments are as they are when it is called.
    """
    saga = _saga.get()
    if saga is None:
        raise UsageError(
            "compensate() is for a workflow while it runs: mark the function that calls it with @workflow"
        )
    saga.stack.append((fn, args, kwargs))


def succeeded(options: ActivityOptions, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Register the compensation of a leaf that has returned, if it has one and a workflow called it."""
    undo = options.compensate
    if undo is None or current_context.get() is not None:
        return
    saga = _saga.get()
    if saga is not None:
        saga.stack.append((undo, (value, *args), kwargs))
    elif _runs_in_a_workflow():
        name = options.call_name
        raise UsageError(
            f"the workflow that calls {name}() has to name it, so that its compensation can be called in the "
            f"plain run: import {name} and call it by its name"
        )


def guarded(fn: Any, body: Any) -> Any:
    """Return what calls `body` for the workflow `fn`, and undoes what it has done when it raises.

    It is `body` itself if the workflow registers nothing.
    """
    if not isinstance(fn, FunctionType):
        return body
    if not _may_register(fn):
        _marked.update(codes_of(fn.__code__))
        return body

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        async with _Saga():
            return await body(*args, **kwargs)

    def sync_wrapper(*args: Any, **kwargs: Any) -> Any:
        with _Saga():
            return body(*args, **kwargs)

    chosen: Callable[..., Any] = wrapper if inspect.iscoroutinefunction(fn) else sync_wrapper
    named = functools.update_wrapper(chosen, body)
    setattr(named, _MARK, True)
    return named


def _may_register(fn: FunctionType) -> bool:
    reach = reach_of(fn)
    return reach.is_open or "compensate" in reach.names or any(map(_registers, reach.values))


def _registers(value: Any) -> bool:
    if not callable(value):
        return False
    return getattr(value, _MARK, False) is True or options_of(value).compensate is not None


def _runs_in_a_workflow() -> bool:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code not in _marked:
        frame = frame.f_back
    return frame is not None
