"""What the SQLite store survives: damage, a full file, a newer file, forks and failing writes."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from flopod.backends import Batch, SqliteBackend, database, schema
from flopod.errors import DamagedLog, StorageError, StorageFull, SyncFailed, Unsupported
from tests.contract.support import started, step


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a database with a run of five records and a run of one."""
    with SqliteBackend(tmp_path / "runs.db") as store:
        store.append("run", 0, [started(), *step(0), *step(1)])
        store.append("other", 0, [started()])
    return tmp_path / "runs.db"


PLACE = "(SELECT number << 32 FROM logs WHERE run_id = 'run')"


def execute(file: Path, *statements: str) -> list[tuple[object, ...]]:
    """Change the database behind the store's back; returns the rows of all statements."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        return [row for statement in statements for row in db.execute(statement).fetchall()]


def test_the_file_is_set_up_for_safety(file: Path) -> None:
    """The journal is a WAL, every commit is synced, and the version of the tables is noted."""
    store = SqliteBackend(file)
    store.open()
    with store._database.reading as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
    store.close()


def test_records_are_ordinary_rows(file: Path) -> None:
    """Kind, path, time and body of an event can be asked for with the sqlite3 tool."""
    db = sqlite3.connect(file)
    row = db.execute(
        "SELECT kind, path, at, body ->> '$.result.price' FROM events WHERE run_id = 'run' AND seq = 3"
    ).fetchone()
    db.close()
    assert row == ("activity_completed", "lines[0]/price_line", 3, "1.50 €")


@pytest.mark.parametrize(
    ("damage", "record"),
    [
        (f"UPDATE records SET body = replace(body, '1.50', '9.50') WHERE place = {PLACE} + 3", 3),
        (f"DELETE FROM records WHERE place = {PLACE} + 2", 2),
        (f"UPDATE records SET place = place + 4 WHERE place = {PLACE} + 5", 5),
        (f"UPDATE records SET body = '' WHERE place = {PLACE} + 1", 1),
    ],
)
def test_a_damaged_record_is_refused(file: Path, damage: str, record: int) -> None:
    """A changed, missing or moved row names the file, the run and the record; other runs go on."""
    execute(file, damage)
    store = SqliteBackend(file)
    with pytest.raises(DamagedLog, match=f"record {record} ") as caught:
        store.load("run")
    with pytest.raises(DamagedLog, match=f"record {record} "):
        list(store.scan("run"))
    assert caught.value.line == record
    assert str(file) in str(caught.value)
    assert "run run" in str(caught.value)
    assert len(store.load("other")) == 1
    assert store.append("other", 1, step(0)) == 3
    store.close()


def test_a_damaged_run_is_an_error_of_its_own_batch(file: Path) -> None:
    """A run that cannot be read does not hold up the others in the same commit, nor the listing."""
    execute(
        file,
        f"UPDATE records SET body = 'x' WHERE place = {PLACE} + 5",
        "DELETE FROM summaries WHERE run_id = 'run'",
    )
    store = SqliteBackend(file)
    results = store.append_many([Batch("run", 5, step(2)), Batch("other", 1, step(0))])
    assert isinstance(results[0], DamagedLog)
    assert results[1] == 3
    assert {run.run_id: run.status for run in store.summaries()} == {
        "run": "storage_error",
        "other": "running",
    }
    store.close()


@pytest.mark.parametrize(
    "content", [b"this is a text file, not a database\n" * 200, b"\0" * 8192 + b"x" * 100]
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """A file of something else is refused and stays as it is."""
    file = tmp_path / "notes.db"
    file.write_bytes(content)
    with pytest.raises(DamagedLog, match=r"notes\.db"):
        SqliteBackend(file).open()
    assert file.read_bytes() == content


def test_a_malformed_database_is_refused(file: Path) -> None:
    """Pages overwritten with noise are damage of the storage, with the name of the file."""
    data = bytearray(file.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 2000] = b"\x55" * 2000
    file.write_bytes(bytes(data))
    store = SqliteBackend(file)
    with pytest.raises(DamagedLog) as caught:
        store.load("run")
    assert caught.value.exit_code == 6
    store.close()


def test_a_full_file_rolls_back_and_goes_on(file: Path) -> None:
    """Without room nothing of the batch is written, the connection stays, and later appends work."""
    store = SqliteBackend(file)
    store.load("run")
    with store._database.reading as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    many = [event for number in range(200) for event in step(number)]
    with pytest.raises(StorageFull) as caught:
        store.append("run", 5, many)
    assert caught.value.exit_code == 6
    assert len(store.load("run")) == 5
    with store._database.reading as same:
        assert same is db
        db.execute("PRAGMA max_page_count = 1000000")
    assert store.append("run", 5, many) == 405
    assert store.summary("run").activities_done == 202  # type: ignore[union-attr]
    store.close()


def test_an_io_error_ends_the_connection(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a write that failed below SQLite, the connection is not trusted again; the run goes on."""
    store = SqliteBackend(file)
    store.load("run")
    first = store._database._db

    def fail(*_: object) -> bool:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    monkeypatch.setattr("flopod.backends.sqlite._insert", fail)
    with pytest.raises(SyncFailed):
        store.append("run", 5, step(2))
    monkeypatch.undo()
    assert store.append("run", 5, step(2)) == 7
    assert store._database._db is not first
    store.close()


def test_a_failed_commit_does_not_spoil_the_summary(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was folded for an append that failed is forgotten."""
    store = SqliteBackend(file)

    def fail(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("flopod.backends.sqlite._insert", fail)
    with pytest.raises(KeyboardInterrupt):
        store.append("run", 5, step(2))
    monkeypatch.undo()
    store.append("run", 5, step(3))
    summary = store.summary("run")
    assert summary is not None
    assert (summary.seq, summary.activities_done) == (7, 3)
    store.close()


@pytest.mark.parametrize(("version", "maker"), [(99, "a later flopod"), (1, "an earlier flopod")])
def test_another_version_is_refused(file: Path, version: int, maker: str) -> None:
    """A file whose tables another version of flopod made is not touched."""
    execute(file, f"PRAGMA user_version = {version}")
    with pytest.raises(StorageError, match=maker):
        SqliteBackend(file).open()


def test_a_file_that_lacks_indexes_is_given_them(file: Path) -> None:
    """What an earlier flopod wrote is listed as fast as what this one writes."""
    indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    fresh = execute(file, indexes)
    for name in ("runs_by_status", "runs_by_workflow"):
        execute(file, f"DROP INDEX {name}")
    execute(file, "PRAGMA user_version = 3")
    assert [run.run_id for run in SqliteBackend(file).summaries(workflow="fulfil")] == ["run", "other"]
    assert execute(file, indexes) == fresh


def test_an_old_library_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python with too old a SQLite says so and offers another store."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(Unsupported, match="--backend file"):
        SqliteBackend(file).open()


def test_a_writer_that_does_not_let_go(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program that keeps the database locked ends in an error that says so, not in a wait."""
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    store = SqliteBackend(file)
    store.open()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another process"):
        store.append("run", 5, step(2))
    other.execute("ROLLBACK")
    other.close()
    assert store.append("run", 5, step(2)) == 7
    store.close()
