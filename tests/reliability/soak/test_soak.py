"""SIGKILL at writes of the log and at any moment, over files, SQLite and PostgreSQL: nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.support import Place
from tests.postgres.server import Server
from tests.reliability.soak.cases import Bundle
from tests.reliability.soak.engines import kill_engines
from tests.reliability.soak.soak import Soak

pytestmark = pytest.mark.process
KILLS = 190
KILLS_OF_ENGINES = 6


@pytest.fixture
def places(postgres: Server, tmp_path: Path) -> Iterator[list[Place]]:
    """Give an empty place of each kind."""
    dsn = postgres.database()
    found = [Place(kind, tmp_path / kind, dsn) for kind in ("file", "sqlite", "postgres")]
    yield found
    for place in found:
        place.close()


def test_killed_at_every_write_and_at_any_moment(places: list[Place], tmp_path: Path) -> None:
    """Each run ends as unkilled, calls nothing again that was recorded, and leaves a log that is whole."""
    soak = Soak(Bundle(tmp_path / "bundle"), places)
    soak.at_every_write()
    soak.at_random(seed=1, kills=KILLS, most=6)
    print(f"{soak.kills.total()} kills: {dict(soak.kills)}")
    assert soak.kills.total() >= KILLS
    assert min(soak.kills.values()) >= KILLS // 5


def test_engines_that_are_killed(places: list[Place], tmp_path: Path) -> None:
    """Each of twenty runs under limits ends once, with its result, and no slot of a limit is lost."""
    kills = [kill_engines(place, tmp_path, seed, KILLS_OF_ENGINES) for seed, place in enumerate(places)]
    print(f"{sum(kills)} kills of engines")
    assert min(kills) > 0
