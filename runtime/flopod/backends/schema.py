"""The tables of the SQLite store, as the steps that lead from an empty file to the present ones.

`PRAGMA user_version` counts the steps that a file has gone. A step is never changed, only added to.
The SQL is that of version 3.38 and takes times from outside, so that old libraries can run it.
"""

import sqlite3

from flopod.errors import StorageError

_FIRST = (
    """
    CREATE TABLE events (
        run_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        path TEXT NOT NULL,
        at INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (run_id, seq)
    ) STRICT, WITHOUT ROWID
    """,
    # What a listing filters by is always up to date here; the summaries may be behind the log.
    """
    CREATE TABLE runs (
        run_id TEXT NOT NULL PRIMARY KEY,
        workflow TEXT NOT NULL,
        status TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        next_due INTEGER
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX runs_by_start ON runs (started_at, run_id)",
    "CREATE INDEX runs_by_due ON runs (next_due) WHERE next_due IS NOT NULL",
    """
    CREATE TABLE summaries (
        run_id TEXT NOT NULL PRIMARY KEY,
        seq INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE inbox (
        run_id TEXT NOT NULL,
        n INTEGER NOT NULL,
        path TEXT NOT NULL,
        event TEXT NOT NULL,
        payload TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (run_id, n)
    ) STRICT, WITHOUT ROWID
    """,
)

STEPS = (_FIRST,)


def is_current(db: sqlite3.Connection, file: str) -> bool:
    """Whether the tables are there. Raises StorageError if a later flopod made them."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(STEPS):
        raise StorageError(
            f"it was made by a later flopod (its tables have version {version}, this one knows "
            f"{len(STEPS)}); use that one",
            file=file,
        )
    return bool(version == len(STEPS))


def migrate(db: sqlite3.Connection, file: str) -> None:
    """Go the steps that are missing, inside the transaction that the caller has begun."""
    if is_current(db, file):
        return
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for step in STEPS[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(STEPS)}")
