"""The tables of the PostgreSQL store, as numbered migrations; a fresh schema is made by all of them.

A migration is never changed once it is released. Each runs in one transaction, and of several processes that
find the same one missing the first makes it.
"""

import re
from zlib import crc32

from flopod.backends.pgconnection import Conflict, Connection, Missing
from flopod.errors import BadInput, StorageError

_LOG = """
    CREATE TABLE {schema}.records (
        run_id text COLLATE "C" NOT NULL,
        seq bigint NOT NULL,
        body text NOT NULL,
        writer bigint NOT NULL,
        PRIMARY KEY (run_id, seq)
    );
    COMMENT ON COLUMN {schema}.records.writer IS
        'whose append it was: by this a writer that lost its connection knows its own records again';
    CREATE INDEX first_records ON {schema}.records (run_id) WHERE seq = 1;

    CREATE TABLE {schema}.runs (
        run_id text COLLATE "C" PRIMARY KEY,
        workflow text NOT NULL,
        status text NOT NULL,
        started_at bigint NOT NULL,
        next_due bigint,
        seq bigint NOT NULL,
        summary text
    ) WITH (fillfactor = 70);
    COMMENT ON TABLE {schema}.runs IS
        'what listings filter by is always up to date; the summary is that after the record seq';
    CREATE INDEX runs_by_start ON {schema}.runs (started_at, run_id);
    CREATE INDEX runs_by_status ON {schema}.runs (status, started_at, run_id);
    CREATE INDEX runs_by_due ON {schema}.runs (next_due) WHERE next_due IS NOT NULL;

    CREATE VIEW {schema}.events AS
        SELECT run_id, seq, body::json ->> 'kind' AS kind, coalesce(body::json ->> 'path', '') AS path,
            (body::json ->> 'at')::bigint AS at, body
        FROM {schema}.records;
"""
_INBOX = """
    CREATE TABLE {schema}.inbox (
        run_id text COLLATE "C" NOT NULL,
        n bigint NOT NULL,
        path text NOT NULL,
        event text NOT NULL,
        payload text NOT NULL,
        at bigint NOT NULL,
        token bigint NOT NULL,
        PRIMARY KEY (run_id, n),
        UNIQUE (run_id, token)
    );
"""
_HOLDS = """
    CREATE TABLE {schema}.holds (
        run_id text COLLATE "C" PRIMARY KEY,
        token bigint NOT NULL,
        machine text NOT NULL,
        host text NOT NULL,
        pid bigint NOT NULL,
        born text NOT NULL,
        state text NOT NULL,
        expires_at timestamptz NOT NULL
    );
"""
_DOCUMENTS = """
    CREATE TABLE {schema}.documents (
        kind text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (kind, name)
    );
"""
_NEWS = """
    ALTER TABLE {schema}.inbox ADD COLUMN number bigserial;
    CREATE INDEX inbox_by_number ON {schema}.inbox (number);
    CREATE INDEX runs_pending ON {schema}.runs (run_id) WHERE status = 'pending';
"""
_LISTED_BY = "CREATE INDEX runs_by_workflow ON {schema}.runs (workflow, started_at, run_id);"
MIGRATIONS = (_LOG, _INBOX, _HOLDS, _DOCUMENTS, _NEWS, _LISTED_BY)

_NUMBERS = """
    CREATE TABLE IF NOT EXISTS {schema}.migrations (
        number bigint PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
    );
"""


def check_name(schema: str) -> str:
    """Return `schema` if it can stand in SQL as it is. Raises BadInput."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
        raise BadInput(f"{schema!r} is no name of a schema: use a-z, 0-9 and _", field="schema")
    return schema


def ensure(db: Connection, schema: str, place: str, upto: int = len(MIGRATIONS)) -> None:
    """Make what is missing of the tables, up to the migration `upto`. Raises StorageError."""
    while (number := _newest(db, schema)) < upto:
        try:
            db.script(_step(db, schema, number + 1))
        except Conflict:
            continue  # somebody else has just made it
    if number > len(MIGRATIONS):
        raise StorageError(
            f"its tables were made by a later flopod (they have version {number}, this one knows "
            f"{len(MIGRATIONS)}); use that one, or another database",
            file=place,
        )


def _newest(db: Connection, schema: str) -> int:
    try:
        found = db.execute(f"SELECT max(number) FROM {schema}.migrations")[0][0]
    except Missing:
        return 0
    return int(found or 0)


def _step(db: Connection, schema: str, number: int) -> str:
    key = crc32(f"flopod {schema}".encode())
    parts = [f"SELECT pg_advisory_xact_lock({key});"]
    if number == 1:
        # To ask first lets a user in who may not make schemas, but has been given one.
        there = db.execute("SELECT 1 FROM pg_namespace WHERE nspname = $1::text", schema)
        parts += [] if there else [f"CREATE SCHEMA IF NOT EXISTS {schema};"]
        parts += [_NUMBERS]
    parts += [f"INSERT INTO {schema}.migrations (number) VALUES ({number});", MIGRATIONS[number - 1]]
    return "\n".join(parts).replace("{schema}", schema)
