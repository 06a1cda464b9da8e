"""What a function may call, as far as its code and its module tell: marks wrap only what needs it."""

import builtins
import contextlib
import dis
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple


class Reach(NamedTuple):
    """The names in a function and in those inside it, and what is known to stand behind them.

    Nothing is known of those that are `unbound`. `is_open` says that one of these is read from outside: it
    may be bound later, to anything.
    """

    names: frozenset[str]
    unbound: frozenset[str]
    values: list[Any]
    is_open: bool


def reach_of(fn: FunctionType) -> Reach:
    """Look at a function when it is marked; what is defined below it is not bound yet."""
    codes = list(codes_of(fn.__code__))
    names = {name for code in codes for name in (*code.co_names, *code.co_freevars)} - {fn.__name__}
    known = {**vars(builtins), **fn.__globals__, **_closure(fn)}
    values = [known[name] for name in names & known.keys()]
    modules = [value for value in values if isinstance(value, ModuleType)]
    values += [getattr(module, name, None) for module in modules for name in names]
    is_open = not _outer_names(fn.__code__, codes) - {fn.__name__} <= known.keys()
    return Reach(frozenset(names), frozenset(names - known.keys()), values, is_open)


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those inside it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from codes_of(one)


def is_nested(fn: Any) -> bool:
    """Whether a function stands inside another one."""
    return "<locals>" in getattr(fn, "__qualname__", "")


def _closure(fn: FunctionType) -> dict[str, Any]:
    """What the function closes over, as far as it is bound yet."""
    found = {}
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def _outer_names(code: CodeType, codes: list[CodeType]) -> set[str]:
    """The names that code reads from outside; one that is not bound yet may be anything."""
    reads = (one for each in codes for one in dis.get_instructions(each))
    found = {str(one.argval) for one in reads if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found | {*code.co_freevars}
