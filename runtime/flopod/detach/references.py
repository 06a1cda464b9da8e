"""Names by which a later process finds what a detach was given: `module:name`, or a standard driver's own."""

import operator
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from flopod.callee import callee_of
from flopod.detach.driver import Child, Driver
from flopod.detach.inprocess import is_standard, standard_driver
from flopod.options import options_of

_known: "WeakKeyDictionary[Any, str]" = WeakKeyDictionary()


def driver_reference(driver: Driver, near: str = "") -> str:
    """Return how a later process finds a driver; `<its name>`, which nothing is found by, if none does.

    It is looked for in the module called `near` first, then in all that are loaded.
    """
    if is_standard(driver):
        return driver.name
    try:
        known = _known.get(driver)
    except TypeError:
        return _searched(driver, near)
    if known is None:
        known = _known[driver] = _searched(driver, near)
    return known


def driver_found(reference: str) -> Driver | None:
    """Return the driver of a reference, None if there is none in the modules that are loaded."""
    if ":" not in reference:
        return standard_driver(reference)
    found: Driver | None = object_found(reference)
    return found


def child_reference(child: Child) -> str:
    """Return how a later process finds a function; `<its name>` if it would find another one by that.

    Partials and methods of objects have the name of the function they are made of.
    """
    name = callee_of(child)
    found = child_found(name)
    return name if found is None or options_of(found).fn == child else f"<{name}>"


def child_found(reference: str) -> Child | None:
    """Return the function `module:qualname`, None if no module that is loaded has it."""
    found = object_found(reference)
    return found if callable(found) else None


def object_found(reference: str) -> Any:
    """Return what is called `module:qualname`, None if no module that is loaded has it."""
    module, _, name = reference.partition(":")
    try:
        return operator.attrgetter(name)(sys.modules[module])
    except (KeyError, AttributeError):
        return None


def _searched(driver: Driver, near: str) -> str:
    for module in _modules(near):
        for name, value in list(vars(module).items()):
            if value is driver:
                return f"{module.__name__}:{name}"
    return f"<{driver.name}>"


def _modules(near: str) -> Iterator[ModuleType]:
    named = (sys.modules.get(name) for name in (near, "__main__"))
    for module in (*named, *list(sys.modules.values())):
        if isinstance(module, ModuleType):
            yield module
