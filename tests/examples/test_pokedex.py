"""The expeditions: nested loops and a fan-out over a data file in the bundle, killed inside of both loops."""

import pytest

from tests.examples.support import OpenPlace, plain_result

pytestmark = pytest.mark.process

SPRING = '{"season": "spring"}'


def test_a_kill_inside_nested_loops_changes_nothing(place: OpenPlace) -> None:
    """Killed in the middle of the second stop, the expedition goes on there and ends as plain Python does."""
    place_ = place("pokedex")
    first = place_.start("-v", "--input", SPRING)
    first.until("expedition[1]/analyze[2]/rivals[0]/match_up: started")
    first.kill()

    second = place_.start("-v")
    expected = plain_result(
        "pokedex", "asyncio.run(explore('spring'))", "from pokedex.expedition import explore"
    )
    assert second.result() == expected
    assert "expedition[0]/" not in second.talk
    assert "expedition[1]/analyze[1]/" not in second.talk


def test_paths_name_loops_and_arms(place: OpenPlace) -> None:
    """The log has paths made of the loops' names, their positions and the leaf's name."""
    place_ = place("pokedex")
    place_.start("--input", SPRING).result()
    completed = {event["path"] for event in place_.events() if event["kind"] == "activity_completed"}
    assert "expedition[2]/analyze[5]/classify" in completed
    assert "expedition[2]/analyze[5]/rivals[1]/match_up" in completed
    assert "read_journal" in completed


def test_a_season_without_a_journal_fails(place: OpenPlace) -> None:
    """A KeyError of a leaf is the author's error, not the runtime's."""
    job = place("pokedex").start("--input", '{"season": "winter"}')
    assert job.process.wait(30) == 1
    assert job.talk.rstrip().endswith("KeyError: 'winter'")
