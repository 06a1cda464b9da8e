"""The objects that an object holds, in a fixed order, each with the step that leads to it."""

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any

from .plans import CONTENT, Plan, plan_of

Part = tuple[str, Any, Any]
"""Kind of step ("attribute", "item", "key"), its name or index, and the object there."""


def parts(value: Any) -> Iterator[Part]:
    """Yield everything a value holds; nothing for a scalar or an object that is not plain data."""
    cls = type(value)
    if cls in CONTENT:
        yield from _content(cls, value)
    elif cls is partial:
        for name in ("func", "args", "keywords"):
            yield "attribute", name, getattr(value, name)
    elif isinstance(value, BaseException):
        yield from _of_exception(plan_of(cls), value)
    elif cls.__module__ != "builtins" and not isinstance(value, type):
        yield from _of_object(plan_of(cls), value)


def spell(kind: str, name: Any) -> str:
    """Return a step as Python would be written to take it."""
    if kind == "attribute":
        return f".{name}"
    return f"[{name!r}]" if kind == "item" else f".keys()[{name!r}]"


def _of_object(plan: Plan, value: Any) -> Iterator[Part]:
    if plan.refusal or plan.tag == "enum":
        return
    if plan.base in CONTENT:
        yield from _content(plan.base, value)
    if not plan.as_plain:
        for name, part in plan.state(value).items():
            yield "attribute", name, part


def _content(base: Any, value: Any) -> Iterator[Part]:
    if issubclass(base, dict):
        items = OrderedDict.items(value) if base is OrderedDict else dict.items(value)
        for key, part in items:
            yield "key", key, key
            yield "item", key, part
    elif base is not bytearray:
        for index, part in enumerate(base.__iter__(value)):
            yield "item", index, part


def _of_exception(plan: Plan, error: BaseException) -> Iterator[Part]:
    yield "attribute", "args", error.args
    if isinstance(error, BaseExceptionGroup):
        yield "attribute", "exceptions", error.exceptions
    for name, part in plan.state(error).items():
        yield "attribute", name, part
    yield "attribute", "__cause__", error.__cause__
    yield "attribute", "__context__", error.__context__
