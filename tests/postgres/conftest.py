"""A store in an empty database, directly and over a proxy; the bundle of the tests of the command line."""

from collections.abc import Iterator

import psycopg
import pytest

from flopod.backends import PostgresBackend
from tests.cli.conftest import bundle as bundle
from tests.cli.conftest import job as job
from tests.postgres.proxy import Proxy
from tests.postgres.server import Server


@pytest.fixture
def dsn(postgres: Server) -> str:
    """The address of an empty database."""
    return postgres.database()


@pytest.fixture
def store(dsn: str) -> Iterator[PostgresBackend]:
    """A store in an empty database."""
    with PostgresBackend(dsn) as found:
        yield found


@pytest.fixture
def proxy(postgres: Server) -> Iterator[Proxy]:
    """A proxy before the server."""
    made = Proxy(postgres.port)
    yield made
    made.close()


@pytest.fixture
def far(postgres: Server, proxy: Proxy, dsn: str) -> Iterator[PostgresBackend]:
    """A store in an empty database, over the proxy."""
    assert dsn
    with PostgresBackend(postgres.dsn(proxy.port)) as found:
        yield found


@pytest.fixture
def admin(dsn: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection of somebody else."""
    with psycopg.connect(dsn, autocommit=True) as db:
        yield db
