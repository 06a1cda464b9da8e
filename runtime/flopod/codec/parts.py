"""The objects that an object holds, in a fixed order, each with the label a message shows it by."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from functools import partial
from typing import Any

from .plans import CONTENT, Plan, plan_of

Part = tuple[str, Any]


def parts(value: Any) -> Iterator[Part]:
    """Yield (label, child) of everything a value holds; nothing for a scalar or a foreign object."""
    cls = type(value)
    if cls in CONTENT:
        yield from _content(cls, value)
    elif cls is partial:
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif cls.__dictoffset__ != 0 or cls.__module__ != "builtins":
        yield from _of_object(plan_of(cls), value)
    elif isinstance(value, BaseException):
        yield from _of_exception(plan_of(cls), value)


def _of_object(plan: Plan, value: Any) -> Iterator[Part]:
    if plan.refusal or plan.tag == "enum" or isinstance(value, type):
        return
    if plan.tag == "exception":
        yield from _of_exception(plan, value)
        return
    if plan.base in CONTENT:
        yield from _content(plan.base, value)
    if not plan.as_plain:
        yield from ((f".{name}", part) for name, part in plan.state(value).items())


def _content(base: type, value: Any) -> Iterator[Part]:
    if issubclass(base, dict):
        items = OrderedDict.items(value) if base is OrderedDict else dict.items(value)
        for key, part in items:
            yield f".keys()[{key!r}]" if not isinstance(key, str) else "", key
            yield f"[{key!r}]", part
    elif base is not bytearray:
        yield from ((f"[{index}]", part) for index, part in enumerate(base.__iter__(value)))  # type: ignore[attr-defined]
    if base is deque:
        return


def _of_exception(plan: Plan, error: BaseException) -> Iterator[Part]:
    yield from ((f".args[{index}]", part) for index, part in enumerate(error.args))
    if isinstance(error, BaseExceptionGroup):
        yield from ((f".exceptions[{index}]", part) for index, part in enumerate(error.exceptions))
    yield from ((f".{name}", part) for name, part in plan.state(error).items())
    yield ".__cause__", error.__cause__
    yield ".__context__", error.__context__
