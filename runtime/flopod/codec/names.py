"""References by name: `module:qualname` of types, functions and globals, and the way back.

A name is looked up in modules that are loaded already. A log never causes an import, except of
modules that the program itself declares as its own imports (`program_modules`).
"""

import importlib
import sys
from collections.abc import Iterable
from typing import Any

from flopod.errors import SerializableError

_declared: set[str] = set()
_globals_seen: dict[int, tuple[Any, str]] = {}


def program_modules(names: Iterable[str]) -> None:
    """Declare modules that the program imports somewhere, perhaps later and inside a function.

    A value whose type lives in one of them (or in a submodule) can be read before the program's own
    import statement has run.
    """
    _declared.update(names)


def is_standard(module: str) -> bool:
    """Tell whether a module belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def reference(value: Any) -> str | None:
    """Return `module:qualname` of a class or function, or None when that name does not lead back to it."""
    module = getattr(value, "__module__", None) or _owner(value).__module__
    qualname = getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or "<" in qualname:
        return None
    found = _lookup(module, qualname)
    if found is value or (found is not None and callable(value) and _same_method(found, value)):
        return f"{module}:{qualname}"
    return None


def find(name: str) -> Any:
    """Return what a reference names.

    Raises SerializableError when its module is not loaded or has no such name.
    """
    module, _, qualname = name.partition(":")
    if module not in sys.modules and _is_declared(module):
        importlib.import_module(module)
    if module not in sys.modules:
        raise SerializableError(
            f"{name!r} is in the log, but the module {module!r} is not loaded; import it in the program "
            "(reading a log never imports anything)"
        )
    found = _lookup(module, qualname)
    if found is None:
        raise SerializableError(f"{name!r} is in the log, but {module!r} has no {qualname!r}; put it back")
    return found


def global_reference(value: Any) -> str | None:
    """Return `module:name` of the module-level name that holds exactly this object, outside the library."""
    seen = _globals_seen.get(id(value))
    if seen is not None and seen[0] is value and _holds(seen[1], value):
        return seen[1]
    for module, name in _module_globals():
        if vars(sys.modules[module]).get(name) is value:
            _globals_seen[id(value)] = (value, f"{module}:{name}")
            return f"{module}:{name}"
    return None


def _module_globals() -> Iterable[tuple[str, str]]:
    for module, loaded in list(sys.modules.items()):
        if not is_standard(module) and hasattr(loaded, "__dict__"):
            for name in list(vars(loaded)):
                yield module, name


def _holds(name: str, value: Any) -> bool:
    module, _, attribute = name.partition(":")
    return getattr(sys.modules.get(module), attribute, None) is value


def _lookup(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        if found is None:
            return None
        found = getattr(found, part, None)
    return found


def _owner(value: Any) -> type:
    """The class that a built-in method belongs to, which is what knows its module."""
    owner = getattr(value, "__self__", None) or getattr(value, "__objclass__", None)
    return owner if isinstance(owner, type) else type(owner)


def _same_method(found: Any, value: Any) -> bool:
    """Class methods are made anew at each access: they are the same when equal and bound to a class."""
    return isinstance(getattr(value, "__self__", None), type) and bool(found == value)


def _is_declared(module: str) -> bool:
    parts = module.split(".")
    return any(".".join(parts[: n + 1]) in _declared for n in range(len(parts)))
