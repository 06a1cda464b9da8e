"""Which store a command line and an environment choose."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from flopod.backends import FileBackend, MemoryBackend, PostgresBackend, SqliteBackend
from flopod.backends.choose import choose, data_directory, without_password
from flopod.errors import UnknownBackend

HOME = {"HOME": "/home/ann"}


@pytest.mark.parametrize(
    ("spec", "env", "description"),
    [
        (None, {}, "sqlite .flopod/flopod.db"),
        ("sqlite", {}, "sqlite .flopod/flopod.db"),
        ("sqlite:data/x.db", {}, "sqlite data/x.db"),
        ("sqlite:/abs/x.db", {}, "sqlite /abs/x.db"),
        ("file", {}, "files in .flopod"),
        ("file:runs", {}, "files in runs"),
        ("memory", {}, "memory (gone when the process ends)"),
        (None, {"FLOPOD_BACKEND": "file"}, "files in .flopod"),
        (None, {"FLOPOD_BACKEND": ""}, "sqlite .flopod/flopod.db"),
        ("memory", {"FLOPOD_BACKEND": "file"}, "memory (gone when the process ends)"),
        (None, {"DATABASE_URL": "mysql://x/y"}, "sqlite .flopod/flopod.db"),
        ("file", {"DATABASE_URL": "postgres://x/y"}, "files in .flopod"),
        (None, {"FLOPOD_BACKEND": "file", "DATABASE_URL": "postgres://x/y"}, "files in .flopod"),
        (None, {"FLOPOD_DATA_DIR": "/data"}, "sqlite /data/flopod.db"),
        ("file", {"FLOPOD_DATA_DIR": "/data"}, "files in /data"),
        ("file:here", {"FLOPOD_DATA_DIR": "/data"}, "files in here"),
        (None, {"FLOPOD_DATA_DIR": "/data", "FLOPOD_DATA_SCOPE": "user"}, "sqlite /data/flopod.db"),
    ],
)
def test_the_choice(spec: str | None, env: Mapping[str, str], description: str) -> None:
    """The option comes before the environment, that before Postgres, that before SQLite."""
    assert choose(spec, env).describe() == description


def test_the_kinds_are_made() -> None:
    """Each kind gives its class, and choosing writes nothing."""
    assert isinstance(choose("memory", {}), MemoryBackend)
    assert isinstance(choose("file:/nowhere/x", {}), FileBackend)
    assert isinstance(choose("sqlite:/nowhere/x", {}), SqliteBackend)
    assert not Path("/nowhere").exists()


def test_the_users_own_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the scope `user` runs are kept where the system keeps a user's data."""
    monkeypatch.setattr("sys.platform", "linux")
    scope = {**HOME, "FLOPOD_DATA_SCOPE": "user"}
    assert data_directory(scope) == Path("/home/ann/.local/share/flopod")
    assert data_directory({**scope, "XDG_DATA_HOME": "/xdg"}) == Path("/xdg/flopod")
    monkeypatch.setattr("sys.platform", "darwin")
    assert data_directory(scope) == Path("/home/ann/Library/Application Support/flopod")
    assert data_directory(HOME) == Path(".flopod")


@pytest.mark.parametrize(
    ("spec", "env"),
    [
        ("postgresql://ann:secret@host:5433/runs?sslmode=require", {}),
        (None, {"FLOPOD_BACKEND": "postgres://ann:secret@host:5433/runs"}),
        (None, {"DATABASE_URL": "postgres://ann:secret@host:5433/runs"}),
    ],
)
def test_postgres_is_chosen_by_its_address(spec: str | None, env: Mapping[str, str]) -> None:
    """An address gives the store, from all three places, and its description keeps the password."""
    chosen = choose(spec, env)
    assert isinstance(chosen, PostgresBackend)
    assert chosen.describe() == "postgres host:5433/runs"


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("host=db port=5433 dbname=runs password='a b'", "postgres db:5433/runs"),
        ("dbname=runs", "postgres localhost/runs"),
        ("postgresql:///runs?host=/run/pg&password=x", "postgres /run/pg/runs"),
        ("postgresql://", "postgres localhost"),
    ],
)
def test_an_address_is_shown_without_secrets(dsn: str, shown: str) -> None:
    """Host, port and database of either form of an address, and nothing else of it."""
    assert PostgresBackend(dsn).describe() == shown


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("postgresql://ann:s3cret@host/runs", "postgresql://ann:PASSWORD@host/runs"),
        ("postgres://ann:a:b%2F@[::1]:5433/runs", "postgres://ann:PASSWORD@[::1]:5433/runs"),
        (
            "postgresql:///runs?user=ann&password=s3&sslmode=require",
            "postgresql:///runs?user=ann&password=PASSWORD&sslmode=require",
        ),
        ("postgresql://ann@host:5433/runs", "postgresql://ann@host:5433/runs"),
        ("postgresql://host:5433/runs", "postgresql://host:5433/runs"),
        ("sqlite:a:b@c", "sqlite:a:b@c"),
    ],
)
def test_a_password_is_not_repeated(spec: str, shown: str) -> None:
    """The commands that are offered name the store, with a word where the password is."""
    assert without_password(spec) == shown


@pytest.mark.parametrize(
    "spec",
    ["redis", "sqlite3", "SQLITE", "file:", "sqlite:", "memory:x", "sqlite:///x.db", "file:///x", "x.db"],
)
def test_an_unknown_store_is_refused(spec: str) -> None:
    """What names no store, or a place in two ways, is refused with the choices, and exits 2."""
    with pytest.raises(UnknownBackend, match="memory, file, sqlite, file:DIR or sqlite:PATH") as caught:
        choose(spec, {})
    assert repr(spec) in str(caught.value)
    assert caught.value.exit_code == 2


def test_errors_survive_pickling() -> None:
    """An error that crosses to another process keeps its message and its fields."""
    with pytest.raises(UnknownBackend) as caught:
        choose("redis", {})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.spec) == (UnknownBackend, str(caught.value), "redis")
