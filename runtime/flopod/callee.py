"""The name of a function, for the log and for whoever looks for it."""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any


def callee_of(fn: Callable[..., Any]) -> str:
    """Return the qualified name of a function, `module:qualname`, for the log."""
    if type(fn) is not FunctionType:
        while isinstance(fn, partial):
            fn = fn.func
        if not hasattr(fn, "__qualname__"):
            fn = type(fn)
    return f"{_module_of(fn)}:{fn.__qualname__}"


def _module_of(fn: Callable[..., Any]) -> str:
    """The module of a function; a method of a builtin type names none itself."""
    owner = getattr(fn, "__objclass__", None)
    return str(getattr(fn, "__module__", None) or getattr(owner, "__module__", None))
