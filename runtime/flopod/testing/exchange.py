"""Puts something else in the place of functions that are known by many names already."""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import CO_COROUTINE
from types import CodeType, FunctionType, ModuleType
from typing import Any

_PLACE = "<what is called instead>"
_PARTS = ("__code__", "__defaults__", "__kwdefaults__")


def find_function(module: ModuleType, qualname: str) -> FunctionType:
    """Return the function that `qualname` names, inside of options, a class- or a static method.

    Raises AttributeError for anything else.
    """
    found: Any = module
    for part in qualname.split("."):
        found = inspect.getattr_static(found, part)
    while True:
        options = getattr(found, "__flopod_activity__", None)
        if options is not None:
            found = options.fn
        elif isinstance(found, FunctionType):
            return found
        else:
            found = found.__func__


def exchange(function: FunctionType, instead: Callable[..., Any]) -> FunctionType:
    """Let every call of `function` be one of `instead`, and return what it was before.

    The function object stays the same, only its code is exchanged, so that every alias of it (an import, a
    method, a name with options) calls the other.
    """
    original = copy_of(function)
    signature = inspect.signature(function)
    function.__code__ = _trampoline(instead, original)
    function.__defaults__ = function.__kwdefaults__ = None
    function.__signature__ = signature  # type: ignore[attr-defined]
    return original


def copy_of(function: FunctionType, code: CodeType | None = None) -> FunctionType:
    """Return another function that does the same, or that runs other code."""
    made = FunctionType(
        function.__code__ if code is None else code,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


@contextmanager
def with_code(codes: Mapping[FunctionType, CodeType]) -> Iterator[None]:
    """Let functions run other code meanwhile, with the defaults that they have."""
    alike = {fn: code for fn, code in codes.items() if _is_async(code) == _is_async(fn.__code__)}
    others = {fn: copy_of(fn, code) for fn, code in codes.items() if fn not in alike}
    before = {function: function.__code__ for function in alike}
    with exchanged({function: _giving(other) for function, other in others.items()}):
        for function, other in others.items():
            function.__signature__ = inspect.signature(other)  # type: ignore[attr-defined]
        _set_code(alike)
        try:
            yield
        finally:
            _set_code(before)


def _giving(other: FunctionType) -> Callable[[FunctionType], FunctionType]:
    return lambda _: other


def _is_async(code: CodeType) -> bool:
    """The kind of the code: Python exchanges code only for such of the same kind."""
    return bool(code.co_flags & CO_COROUTINE)


def _set_code(codes: Mapping[FunctionType, CodeType]) -> None:
    for function, code in codes.items():
        function.__code__ = code


@contextmanager
def exchanged(instead: Mapping[FunctionType, Callable[[FunctionType], Callable[..., Any]]]) -> Iterator[None]:
    """Let calls of functions be others meanwhile; what is called is made of the original."""
    done: list[tuple[FunctionType, FunctionType]] = []
    try:
        for function, make in instead.items():
            original = copy_of(function)
            done.append((function, original))
            exchange(function, make(original))
        yield
    finally:
        for function, original in done:
            for part in _PARTS:
                setattr(function, part, getattr(original, part))
            vars(function).pop("__signature__", None)


def _trampoline(instead: Callable[..., Any], original: FunctionType) -> CodeType:
    """Code that calls `instead`, fit for any function object.

    It finds what it calls among its constants, because a wrapper may have the globals of a library, and
    it has the free variables of the original, because CPython exchanges only code that agrees in them.
    """
    keywords = ("async def", "return await") if inspect.iscoroutinefunction(original) else ("def", "return")
    text = f"{keywords[0]} leaf(*args, **kwargs): {keywords[1]} {_PLACE!r}(*args, **kwargs)"
    code = _compiled_function(text)
    constants = tuple(instead if constant == _PLACE else constant for constant in code.co_consts)
    return code.replace(co_consts=constants, co_freevars=original.__code__.co_freevars)


def _compiled_function(text: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        module = compile(text, "<flopod.testing>", "exec")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))
