"""The tables of the Postgres store: made at the first use, by migrations that can be made one by one."""

import threading
from typing import Any

import psycopg
import pytest

from flopod.backends import PostgresBackend
from flopod.backends.pgconnection import Connection
from flopod.backends.pgschema import MIGRATIONS, ensure
from flopod.errors import BadInput, StorageError
from tests.contract.support import started

Admin = psycopg.Connection[Any]
CATALOGUE = (
    "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, "
    "collation_name FROM information_schema.columns WHERE table_schema = 'flopod' ORDER BY 1, 2",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'flopod' ORDER BY 1, 2",
    "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'flopod'::regnamespace ORDER BY 1, 2",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = 'flopod' ORDER BY 1",
    "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'flopod'::regnamespace ORDER BY 1",
)


def catalogue(admin: Admin) -> list[list[Any]]:
    """What is in the schema, by the catalogues of the database."""
    return [admin.execute(query.encode()).fetchall() for query in CATALOGUE]


@pytest.mark.parametrize("stop", range(len(MIGRATIONS)))
def test_a_fresh_schema_is_all_migrations(dsn: str, admin: Admin, stop: int) -> None:
    """A schema that an older version left after any migration becomes the same as a fresh one."""
    with PostgresBackend(dsn):
        fresh = catalogue(admin)
    assert {row[0] for row in fresh[0]} == {
        "records",
        "runs",
        "inbox",
        "holds",
        "documents",
        "events",
        "migrations",
    }
    admin.execute("DROP SCHEMA flopod CASCADE")
    for upto in range(1, stop + 1):
        older = Connection(dsn, "here")
        ensure(older, "flopod", "here", upto)
        older.close()
    assert catalogue(admin) != fresh if stop else not catalogue_is_there(admin)
    with PostgresBackend(dsn) as store:
        store.append("run", 0, [started()])
    assert catalogue(admin) == fresh


def catalogue_is_there(admin: Admin) -> bool:
    """Whether the schema exists."""
    return admin.execute("SELECT to_regnamespace('flopod')").fetchone() != (None,)


def test_several_make_the_tables_at_once(dsn: str) -> None:
    """Stores that are opened at the same time in an empty database all find the tables made."""
    stores = [PostgresBackend(dsn) for _ in range(6)]
    errors: list[BaseException] = []

    def use(store: PostgresBackend, number: int) -> None:
        try:
            store.append(f"run{number}", 0, [started()])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=(store, n)) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(stores[0].summaries()) == 6
    for store in stores:
        store.close()


def test_a_later_schema_is_refused(dsn: str, store: PostgresBackend, admin: Admin) -> None:
    """Tables of a later flopod are not touched."""
    store.close()
    admin.execute("INSERT INTO flopod.migrations (number) VALUES (99)")
    with pytest.raises(StorageError, match="a later flopod"):
        PostgresBackend(dsn).open()


def test_two_schemas_do_not_mix(dsn: str, store: PostgresBackend, admin: Admin) -> None:
    """Runs of two schemas in one database are apart."""
    store.append("run", 0, [started()])
    with PostgresBackend(dsn, schema="flopod_other") as other:
        assert other.summaries() == []
        other.append("run", 0, [started()])
    admin.execute("DROP SCHEMA flopod_other CASCADE")
    assert len(store.load("run")) == 1
    with pytest.raises(BadInput, match="no name of a schema"):
        PostgresBackend(dsn, schema="a; drop")


def test_a_database_of_another_encoding_is_refused(dsn: str, admin: Admin) -> None:
    """A database that cannot keep every text says so, and which encoding it has."""
    admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(StorageError, match="LATIN1"):
            PostgresBackend(dsn.replace("/postgres", "/latin")).open()
    finally:
        admin.execute("DROP DATABASE latin")
