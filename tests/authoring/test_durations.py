"""Durations and points in time as authors write them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from flopod.durations import due, seconds
from flopod.errors import FlopodError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("500ms", 0.5),
        ("1w", 604_800),
        ("1.5h", 5400),
        (" 1h 30m ", 5400),
        (3, 3),
        (0.25, 0.25),
        (timedelta(minutes=1), 60),
        (-1, 0),
        (timedelta(seconds=-1), 0),
    ],
)
def test_durations_are_read(text: Any, expected: float) -> None:
    """Texts, numbers and timedeltas are seconds; less than nothing is nothing."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "wrong", ["", "5", "5 minutes", "m5", "1h30", "-5s", float("nan"), float("inf"), True, None, b"1s"]
)
def test_what_is_no_duration_is_refused(wrong: Any) -> None:
    """The error shows what was written and how to write it."""
    with pytest.raises(FlopodError, match="30s") as caught:
        seconds(wrong)
    assert repr(wrong) in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "when",
    [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-01T00:00:00Z",
        1_767_225_600,
        1_767_225_600.0,
    ],
)
def test_points_in_time_are_milliseconds(when: Any) -> None:
    """Datetimes, ISO texts and seconds since the epoch are the same moment."""
    assert due(when, 0) == 1_767_225_600_000


def test_a_moment_that_has_passed_is_now() -> None:
    """A due time never lies in the past."""
    assert due(5, 9_000) == 9_000


@pytest.mark.parametrize("wrong", ["tomorrow", date(2026, 1, 1), True, None, float("nan")])
def test_what_is_no_moment_is_refused(wrong: Any) -> None:
    """The error says what a point in time is."""
    with pytest.raises(FlopodError, match="point in time"):
        due(wrong, 0)
