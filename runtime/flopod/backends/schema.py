"""The tables of the SQLite store, and the check that a file has the present ones.

`PRAGMA user_version` says which tables a file has; one that lacks nothing but indexes is given them. The SQL
is that of version 3.38 and takes times from outside, so that old libraries can run it.
"""

import sqlite3

from flopod.errors import StorageError

VERSION = 4
_UPGRADED = 3
SEQ_BITS = 32
LAST_SEQ = (1 << SEQ_BITS) - 1

# Also what they do not look up by, so that they need not look into the table for it.
_LISTED_BY = (
    "CREATE INDEX runs_by_status ON runs (status, started_at, run_id, workflow)",
    "CREATE INDEX runs_by_workflow ON runs (workflow, started_at, run_id)",
)
_TABLES = (
    "CREATE TABLE logs (number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE) STRICT",
    # The key holds the number of the log and, in its lower bits, that of the record: an append then goes
    # to the end of one small B-tree, which is what makes it cost little more than a bare row.
    "CREATE TABLE records (place INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",
    # For people with the sqlite3 tool.
    f"""
    CREATE VIEW events AS
    SELECT logs.run_id AS run_id, place & {LAST_SEQ} AS seq, body ->> '$.kind' AS kind,
        coalesce(body ->> '$.path', '') AS path, body ->> '$.at' AS at, body
    FROM logs JOIN records
        ON place BETWEEN logs.number << {SEQ_BITS} AND (logs.number << {SEQ_BITS}) | {LAST_SEQ}
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
    *_LISTED_BY,
    "CREATE INDEX runs_pending ON runs (started_at) WHERE status = 'pending'",
    "CREATE INDEX runs_by_due ON runs (next_due) WHERE next_due IS NOT NULL",
    """
    CREATE TABLE summaries (
        run_id TEXT NOT NULL PRIMARY KEY,
        seq INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE documents (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT
    """,
    """
    CREATE TABLE inbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL,
        n INTEGER NOT NULL,
        path TEXT NOT NULL,
        event TEXT NOT NULL,
        payload TEXT NOT NULL,
        at INTEGER NOT NULL,
        UNIQUE (run_id, n)
    ) STRICT
    """,
)


def is_current(db: sqlite3.Connection, file: str) -> bool:
    """Whether the tables are there. Raises StorageError if another version of flopod made them."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _UPGRADED, VERSION):
        maker = "a later" if version > VERSION else "an earlier"
        raise StorageError(
            f"it was made by {maker} flopod (its tables have version {version}, this one knows "
            f"{VERSION}); use that one, or another file",
            file=file,
        )
    return bool(version == VERSION)


def create(db: sqlite3.Connection, file: str) -> None:
    """Make what is missing of the tables, inside the transaction that the caller has begun."""
    if is_current(db, file):
        return
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for statement in _LISTED_BY if version == _UPGRADED else _TABLES:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {VERSION}")
