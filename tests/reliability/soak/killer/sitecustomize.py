"""Kills its process at a write of the store: SOAK_KILL is `before:N` or `after:N`, counted from 1."""

import builtins
import os
import signal
import sys

STORES = {
    "flopod.backends.file": "FileBackend",
    "flopod.backends.sqlite": "SqliteBackend",
    "flopod.backends.postgres": "PostgresBackend",
}
when, _, number = os.environ.get("SOAK_KILL", "").partition(":")
left = [int(number or 0)]


def deadly(append_many):
    def append(self, batches):
        left[0] -= 1
        if left[0] == 0 and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = append_many(self, batches)
        if left[0] == 0 and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return append


def patch():
    for name in list(STORES):
        store = getattr(sys.modules.get(name), STORES[name], None)
        if store is not None:
            store.append_many = deadly(store.append_many)
            del STORES[name]


def importing(*args, **kwargs):
    module = imported(*args, **kwargs)
    patch()
    return module


if when:
    imported, builtins.__import__ = builtins.__import__, importing
