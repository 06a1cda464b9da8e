"""Which store a command line and an environment ask for, and where it is."""

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from flopod.backends.base import Backend
from flopod.errors import BadInput, UnknownBackend

DATABASE_FILE = "flopod.db"
_POSTGRES = ("postgres://", "postgresql://")
_PASSWORD = re.compile(r"(://[^:/@?]*:|[?&](?:ssl)?password=)(?:[^&?/@]*(?=@)|(?<==)[^&]*)")


def choose(spec: str | None, env: Mapping[str, str] | None = None) -> Backend:
    """Return the store that `spec` (of --backend), else `env`, else the default asks for, unopened.

    FLOPOD_BACKEND has the form of `spec`; DATABASE_URL counts only if it is a Postgres address. With
    FLOPOD_ENCRYPTION_KEYS (Fernet keys, the first one encrypts) values are encrypted; those of more than
    FLOPOD_LARGE_VALUES bytes are kept apart from the log.
    Raises UnknownBackend, BadInput.
    """
    env = os.environ if env is None else env
    return _sealed(_chosen(spec, env), env)


def _chosen(spec: str | None, env: Mapping[str, str]) -> Backend:
    if spec:
        return _make(spec, "--backend", env)
    if env.get("FLOPOD_BACKEND"):
        return _make(env["FLOPOD_BACKEND"], "FLOPOD_BACKEND", env)
    if env.get("DATABASE_URL", "").startswith(_POSTGRES):
        return _make(env["DATABASE_URL"], "DATABASE_URL", env)
    return _make("sqlite", "--backend", env)


def _sealed(store: Backend, env: Mapping[str, str]) -> Backend:
    """The store with the keys that the environment has, and with large values apart if it says how large."""
    keys = [key.strip() for key in env.get("FLOPOD_ENCRYPTION_KEYS", "").split(",") if key.strip()]
    large = env.get("FLOPOD_LARGE_VALUES", "").strip()
    if large and not large.isdecimal():
        raise BadInput(
            f"FLOPOD_LARGE_VALUES is {large!r}; use a number of bytes", field="FLOPOD_LARGE_VALUES"
        )
    if not keys and not large:
        return store
    from flopod.backends.cipher import Cipher
    from flopod.backends.values import ValuesBackend

    return ValuesBackend(store, cipher=Cipher(keys) if keys else None, large=int(large) if large else None)


def data_directory(env: Mapping[str, str] | None = None) -> Path:
    """Return FLOPOD_DATA_DIR, else the user's data folder if FLOPOD_DATA_SCOPE=user, else .flopod."""
    env = os.environ if env is None else env
    if env.get("FLOPOD_DATA_DIR"):
        return Path(env["FLOPOD_DATA_DIR"])
    scope = env.get("FLOPOD_DATA_SCOPE", "")
    if scope not in ("", "project", "user"):
        raise BadInput(f"FLOPOD_DATA_SCOPE={scope!r}: it is 'user', or 'project' for ./.flopod")
    return _user_directory(env) if scope == "user" else Path(".flopod")


def without_password(spec: str) -> str:
    """Return `spec` as it can be shown, with a word in the place of a password."""
    if not spec.startswith(_POSTGRES):
        return spec
    return _PASSWORD.sub(r"\1PASSWORD", spec)


def _make(spec: str, source: str, env: Mapping[str, str]) -> Backend:
    if spec.startswith(_POSTGRES):
        return _postgres(spec)
    kind, colon, place = spec.partition(":")
    make = _KINDS.get(kind)
    # `sqlite:///x` means another place to every reader, so that it is not guessed.
    if make is None or (colon and (not place or place.startswith("//") or kind == "memory")):
        raise UnknownBackend(spec, source)
    return make(place, env)


def _memory(_place: str, _env: Mapping[str, str]) -> Backend:
    from flopod.backends.memory import MemoryBackend

    return MemoryBackend()


def _file(place: str, env: Mapping[str, str]) -> Backend:
    from flopod.backends.file import FileBackend

    return FileBackend(Path(place) if place else data_directory(env))


def _sqlite(place: str, env: Mapping[str, str]) -> Backend:
    from flopod.backends.sqlite import SqliteBackend

    return SqliteBackend(Path(place) if place else data_directory(env) / DATABASE_FILE)


def _postgres(dsn: str) -> Backend:
    from flopod.backends.postgres import PostgresBackend

    return PostgresBackend(dsn)


_KINDS: dict[str, Callable[[str, Mapping[str, str]], Backend]] = {
    "memory": _memory,
    "file": _file,
    "sqlite": _sqlite,
}


def _user_directory(env: Mapping[str, str]) -> Path:
    home = Path(env.get("HOME") or Path.home())
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "flopod"
    if env.get("XDG_DATA_HOME"):
        return Path(env["XDG_DATA_HOME"]) / "flopod"
    return home / ".local" / "share" / "flopod"
