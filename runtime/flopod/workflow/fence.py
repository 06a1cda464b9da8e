"""Leaves a run without unwinding it: its coroutines are kept for ever, so that no `finally` runs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flopod.workflow.core import Core

_abandoned: "list[Core]" = []


def abandon(core: "Core") -> None:
    """Keep everything of `core` alive until the process is gone."""
    if not core.scheduler.alive or core in _abandoned:
        return
    _abandoned.append(core)
    _immortalise(core)


def _immortalise(core: "Core") -> None:
    # At exit the interpreter clears all modules, this list too; a coroutine that dies then is closed,
    # and its `finally` blocks run. An extra reference keeps the run out of that.
    try:
        from ctypes import py_object, pythonapi
    except ImportError:
        return
    pythonapi.Py_IncRef(py_object(core))
