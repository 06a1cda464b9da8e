"""What a shell can complete, from a store as it is: nothing is created, and nobody is waited for.

What is listed here may be behind the store by what has happened in the last moments.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from heapq import nsmallest
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from flopod.backends import schema
from flopod.backends.choose import choose
from flopod.backends.database import file_uri
from flopod.backends.file import FileBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.runid import is_run_id

_PATIENCE = 0.1
_AFTER = "\U0010ffff"


class Named(NamedTuple):
    """A name, and what it is in a few words."""

    name: str
    what: str = ""


class Glance(Protocol):
    """A look at a store in one place."""

    def runs(self, prefix: str, limit: int) -> list[Named]:
        """Return runs whose ids begin with `prefix`, with what is known of them at once."""
        ...

    def documents(self, kind: str, prefix: str) -> list[Named]:
        """Return the names of what is kept beside the runs."""
        ...

    def summary(self, run_id: str) -> dict[str, Any]:
        """Return the summary of a run that was written last, as JSON data; empty if there is none."""
        ...


def glance(spec: str | None, env: Mapping[str, str]) -> Glance | None:
    """Return a look at the store that `choose` would open; None if it is elsewhere, or not there.

    Raises what `choose` raises, and sqlite3.Error and OSError later on.
    """
    # How values are kept does not matter: none is looked at.
    plain = {name: value for name, value in env.items() if name not in _OF_VALUES}
    store = choose(spec, plain)
    if isinstance(store, SqliteBackend) and store.path.is_file():
        return _Database(store.path)
    if isinstance(store, FileBackend) and store.directory.is_dir():
        return _Folder(store.directory)
    return None


_OF_VALUES = ("FLOPOD_ENCRYPTION_KEYS", "FLOPOD_LARGE_VALUES")


class _Database:
    def __init__(self, path: Path) -> None:
        # Without a log beside it nobody has it open, and then not even shared memory need be made.
        is_open = path.with_name(path.name + "-wal").exists()
        self._uri = file_uri(path, "mode=ro" if is_open else "immutable=1")
        self._path = path

    def runs(self, prefix: str, limit: int) -> list[Named]:
        rows = self._rows(
            "SELECT run_id, status || ' ' || workflow FROM runs WHERE run_id >= ? AND run_id < ?"
            " ORDER BY started_at DESC LIMIT ?",
            (prefix, prefix + _AFTER, limit),
        )
        return [Named(*row) for row in rows]

    def documents(self, kind: str, prefix: str) -> list[Named]:
        asked = (kind, prefix, prefix + _AFTER)
        return [
            Named(*row)
            for row in self._rows(
                "SELECT name FROM documents WHERE kind = ? AND name >= ? AND name < ? ORDER BY name", asked
            )
        ]

    def summary(self, run_id: str) -> dict[str, Any]:
        rows = self._rows("SELECT body FROM summaries WHERE run_id = ?", (run_id,))
        return json.loads(rows[0][0]) if rows else {}

    def _rows(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._uri, timeout=_PATIENCE, uri=True)) as db:
            return db.execute(statement, values).fetchall() if schema.is_current(db, str(self._path)) else []


class _Folder:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def runs(self, prefix: str, limit: int) -> list[Named]:
        names = (name.removesuffix(".jsonl") for name in _names(self._directory / "events", prefix))
        return list(map(Named, nsmallest(limit, filter(is_run_id, names))))

    def documents(self, kind: str, prefix: str) -> list[Named]:
        return list(
            map(Named, sorted(filter(is_run_id, _names(self._directory / "documents" / kind, prefix))))
        )

    def summary(self, run_id: str) -> dict[str, Any]:
        file = self._directory / "summaries" / f"{run_id}.json"
        if not is_run_id(run_id) or not file.is_file():
            return {}
        return dict(json.loads(file.read_bytes())["summary"])


def _names(folder: Path, prefix: str) -> list[str]:
    if not folder.is_dir():
        return []
    return [entry.name for entry in folder.iterdir() if entry.name.startswith(prefix)]
