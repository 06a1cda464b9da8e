"""Durable workflows from ordinary Python.

Everything an author imports is here; each name is loaded at its first use.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flopod.authoring import (
        activity,
        attempt,
        log,
        parallel,
        race,
        sleep,
        sleep_until,
        wait_for,
        workflow,
    )
    from flopod.backends import FileBackend, MemoryBackend, PostgresBackend, SqliteBackend
    from flopod.background import Drained
    from flopod.childruns import start
    from flopod.codec.migrations import compose, migrations, remove, rename, transform
    from flopod.current import ActivityContext, current_activity, heartbeat
    from flopod.detach.spawn import detach_and_forget, detach_and_join_later
    from flopod.engine.hooks import Hooks
    from flopod.engine.runtime import create_runtime
    from flopod.errors import (
        ActivityTimeout,
        BadInput,
        BuildMismatch,
        Cancelled,
        DamagedLog,
        DamagedRecord,
        DivergenceError,
        DuplicateId,
        Fenced,
        FlopodError,
        HeartbeatTimeout,
        InputChanged,
        InvalidRunId,
        MaybeExecuted,
        MigrationError,
        OutsideActivity,
        ReadOnlyStorage,
        RunHeld,
        RunPaused,
        SerializableError,
        StoppedByHook,
        StorageError,
        StorageFull,
        UnknownBackend,
        UnknownEvent,
        UnknownPath,
        UnknownRun,
        UnknownWorkflow,
        Unsupported,
        UsageError,
        ValueTooLarge,
    )
    from flopod.retry import Retry
    from flopod.sidechains import for_each, tap, wait_for_work, work
    from flopod.stop import STOP
    from flopod.undo import compensate

__all__ = [
    "STOP",
    "ActivityContext",
    "ActivityTimeout",
    "BadInput",
    "BuildMismatch",
    "Cancelled",
    "DamagedLog",
    "DamagedRecord",
    "DivergenceError",
    "Drained",
    "DuplicateId",
    "Fenced",
    "FileBackend",
    "FlopodError",
    "HeartbeatTimeout",
    "Hooks",
    "InputChanged",
    "InvalidRunId",
    "MaybeExecuted",
    "MemoryBackend",
    "MigrationError",
    "OutsideActivity",
    "PostgresBackend",
    "ReadOnlyStorage",
    "Retry",
    "RunHeld",
    "RunPaused",
    "SerializableError",
    "SqliteBackend",
    "StoppedByHook",
    "StorageError",
    "StorageFull",
    "UnknownBackend",
    "UnknownEvent",
    "UnknownPath",
    "UnknownRun",
    "UnknownWorkflow",
    "Unsupported",
    "UsageError",
    "ValueTooLarge",
    "activity",
    "attempt",
    "compensate",
    "compose",
    "create_runtime",
    "current_activity",
    "detach_and_forget",
    "detach_and_join_later",
    "for_each",
    "heartbeat",
    "log",
    "migrations",
    "parallel",
    "race",
    "remove",
    "rename",
    "sleep",
    "sleep_until",
    "start",
    "tap",
    "transform",
    "wait_for",
    "wait_for_work",
    "work",
    "workflow",
]

_HOMES = {
    "flopod.authoring": "activity attempt log parallel race sleep sleep_until wait_for workflow",
    "flopod.backends": "FileBackend MemoryBackend PostgresBackend SqliteBackend",
    "flopod.background": "Drained",
    "flopod.childruns": "start",
    "flopod.codec.migrations": "compose migrations remove rename transform",
    "flopod.current": "ActivityContext current_activity heartbeat",
    "flopod.detach.spawn": "detach_and_forget detach_and_join_later",
    "flopod.engine.hooks": "Hooks",
    "flopod.engine.runtime": "create_runtime",
    "flopod.retry": "Retry",
    "flopod.sidechains": "for_each tap wait_for_work work",
    "flopod.stop": "STOP",
    "flopod.undo": "compensate",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def loaded_from(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: `homes` says in which module each of its names is."""

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def home_of(name: str) -> str:
    """The module that defines a name of this surface."""
    return _HOME.get(name, "flopod.errors")


__getattr__ = loaded_from(__name__, {name: home_of(name) for name in __all__})


class _Surface(ModuleType):
    """The author's `workflow` and `log` share their names with packages of the runtime; they win."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in ("log", "workflow") and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Surface


def __dir__() -> list[str]:
    return sorted(__all__)
