"""`flopod schedules`: keeping schedules by commands, and what an engine makes of them."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flopod.backends.choose import choose
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod_compiler.cli.group import flopod

SOURCE = """\
from dataclasses import dataclass

from flopod import workflow


@dataclass
class Page:
    title: str


async def send(page: Page, copies: int) -> str:
    return page.title * copies


@workflow
async def report(page: Page, copies: int = 1) -> str:
    return await send(page, copies)
"""
PAGE = '{"page": {"title": "x"}}'


@pytest.fixture(params=["sqlite", "file", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of each kind that outlives a process, and a source named after nothing else."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "reporting.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.delitem(sys.modules, "reporting", raising=False)
    for name in ("FLOPOD_BACKEND", "FLOPOD_DATA_DIR", "DATABASE_URL", "FLOPOD_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres").database())
    return str(request.param)


def command(backend: str, *arguments: str, status: int = 0) -> Result:
    sys.modules.pop("reporting", None)
    done = CliRunner().invoke(flopod, ["schedules", *arguments, "--backend", backend])
    assert done.exit_code == status, done.output
    return done


def listed(backend: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command(backend, "list", "--json").stdout)
    return found


def add(backend: str, *arguments: str, status: int = 0) -> Result:
    return command(backend, "add", "daily", "src", "--input", PAGE, *arguments, status=status)


def test_a_schedule_is_added_listed_and_removed(backend: str) -> None:
    """It has what the options said, and the time at which it is due next in its own zone."""
    add(
        backend,
        "--cron",
        "30 8 * * *",
        "--timezone",
        "Europe/Berlin",
        "--overlap",
        "queue",
        "--catch-up",
        "2h",
    )
    (one,) = listed(backend)
    assert (one["name"], one["workflow"], one["cron"]) == ("daily", "report", "30 8 * * *")
    assert (one["zone"], one["overlap"], one["catch_up"]) == ("Europe/Berlin", "queue", "2h")
    assert one["input"] == {"page": {"title": "x"}}
    assert "T08:30:00+0" in one["next"]
    table = command(backend, "list").stdout
    assert "30 8 * * * Europe/Berlin" in table
    command(backend, "remove", "daily")
    assert listed(backend) == []


def test_one_is_not_replaced_by_accident(backend: str) -> None:
    """A second of the same name needs to be asked for."""
    add(backend, "--every", "1h")
    assert "is called 'daily' already" in add(backend, "--every", "2h", status=2).stderr
    assert listed(backend)[0]["every"] == "1h"
    add(backend, "--every", "2h", "--replace")
    assert listed(backend)[0]["every"] == "2h"


def test_a_paused_one_is_due_no_more_until_it_is_resumed(backend: str) -> None:
    """The list says so."""
    add(backend, "--every", "1h")
    command(backend, "pause", "daily")
    (one,) = listed(backend)
    assert (one["paused"], one["next"]) == (True, None)
    assert "paused" in command(backend, "list").stdout
    assert command(backend, "next").stdout == ""
    command(backend, "resume", "daily")
    assert listed(backend)[0]["next"] is not None


def test_next_shows_the_times_and_the_runs(backend: str) -> None:
    """An interval counts from when it was added; the id of each run is known before."""
    add(backend, "--every", "90m", "--attribute", "team=press")
    found = json.loads(command(backend, "next", "daily", "--count", "3", "--json").stdout)
    times = [datetime.fromisoformat(one["due"]) for one in found]
    assert [(b - a).total_seconds() for a, b in pairwise(times)] == [5400, 5400]
    assert found[0]["run_id"].startswith(f"daily-{times[0]:%Y%m%dT%H%M%S}")
    assert "DUE" in command(backend, "next").stdout


def test_once_is_a_time_in_the_zone_or_after_a_while(backend: str) -> None:
    """A time without an offset is read in the schedule's zone."""
    add(backend, "--once", "2999-07-01T12:00", "--timezone", "Europe/Berlin")
    assert listed(backend)[0]["next"] == "2999-07-01T12:00:00+02:00"
    add(backend, "--once", "2h", "--replace")
    moment = datetime.fromisoformat(listed(backend)[0]["next"])
    assert 7190 < (moment - datetime.now(moment.tzinfo)).total_seconds() < 7210


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give exactly one of cron, every and at"),
        (("--cron", "0 8 * * *", "--every", "1h"), "give exactly one of cron, every and at"),
        (("--cron", "99 8 * * *"), "'99 8 * * *' is no cron expression"),
        (("--every", "often"), "'often' is not a duration"),
        (("--every", "9999999w"), "is too seldom"),
        (("--once", "2020-01-01T12:00"), "is never due: its time is over"),
        (("--once", "someday"), "'someday' is no time like 2026-05-01T12:00"),
        (("--every", "1h", "--timezone", "Mars/Olympus"), "'Mars/Olympus' is no time zone"),
        (("--every", "1h", "--input", "{}"), "needs a value for page"),
        (("--every", "1h", "--input", '{"page": 5}'), "page: Expected `object`".replace("`", "")),
        (("--every", "1h", "--overlap", "maybe"), "'maybe' is not one of"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(
    backend: str, arguments: tuple[str, ...], message: str
) -> None:
    """By status 2 and what is wrong, and nothing is kept; the input is held against the workflow's types."""
    assert message in add(backend, *arguments, status=2).stderr
    assert listed(backend) == []


def test_names_that_are_not_there_are_refused(backend: str) -> None:
    """With those that are."""
    add(backend, "--every", "1h")
    for name in ("pause", "resume", "remove", "next"):
        done = command(backend, name, "weekly", status=4)
        assert "no schedule is called 'weekly'; there is: daily" in done.stderr


def test_an_engine_starts_what_was_added(backend: str) -> None:
    """The run has its input as the types of the workflow have it, and the attributes of the schedule."""
    add(backend, "--once", "500ms", "--attribute", "team=press")
    seen: list[Any] = []

    async def report(_wf: Any, page: Any, copies: int = 1) -> None:
        seen.append((type(page).__name__, page.title, copies))

    async def main() -> None:
        async with Engine(store, HandWritten({"report": report})):
            await asyncio.sleep(3)

    with choose(backend, {}) as store:
        asyncio.run(main())
        (run,) = store.summaries()
    assert seen == [("Page", "x", 1)]
    assert run.run_id.startswith("daily-")
    assert run.attributes == {"team": "press", "schedule": "daily"}
