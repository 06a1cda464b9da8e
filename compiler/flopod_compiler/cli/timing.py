"""Schedules as data and as a table, and one made of what a command was given."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from flopod.backends.base import now_ms
from flopod.backends.choose import choose
from flopod.codec.readable import readable
from flopod.engine.moments import in_zone, zone_of
from flopod.engine.schedule import Schedule, made
from flopod.engine.scheduling import Schedules
from flopod_compiler.cli.called import called
from flopod_compiler.cli.filtering import attribute

HEADINGS = ("SCHEDULE", "WORKFLOW", "WHEN", "NEXT", "OVERLAP")


@contextlib.contextmanager
def opened(backend: str | None, environment: Mapping[str, str]) -> Iterator[Schedules]:
    """The schedules of a backend."""
    with choose(backend, environment) as store:
        yield Schedules(store)


def keep(
    name: str, src: Path, workflow: str | None, backend: str | None, given: Mapping[str, Any]
) -> Schedule:
    """Keep a schedule as the options give it. Raises BadInput, UsageError, ScheduleExists."""
    made = _made(name, src, workflow, given)
    with opened(backend, os.environ) as known:
        (known.put if given["replace"] else known.add)(made)
    return made


def _made(name: str, src: Path, workflow: str | None, given: Mapping[str, Any]) -> Schedule:
    found = called(src, workflow, given["input"])
    return made(
        now_ms(),
        name=name,
        workflow=found.entry.name,
        input=found.input,
        cron=given["cron"],
        every=given["every"],
        at=given["once"],
        zone=given["zone"],
        overlap=given["overlap"],
        catch_up=given["catch_up"],
        paused=given["paused"],
        queue=given["queue"],
        priority=given["priority"],
        attributes=dict(map(attribute, given["attributes"])),
        until=given["until"] or "",
    )


def described(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON data."""
    data = {field: getattr(schedule, field) for field in schedule.__struct_fields__ if field != "input"}
    times = schedule.times(max(now_ms(), schedule.last or 0))
    following = None if schedule.paused else next(times, None)
    return {
        **data,
        "input": readable(json.loads(bytes(schedule.input))),
        "next": _shown(following, schedule),
    }


def row(one: Mapping[str, Any]) -> list[str]:
    """The line of a table for what `described` gave."""
    when = one["cron"] or (f"every {one['every']}" if one["every"] else "once")
    zone = "" if one["zone"] == "UTC" or not one["cron"] else f" {one['zone']}"
    following = "paused" if one["paused"] else one["next"] or "over"
    return [one["name"], one["workflow"], when + zone, following, one["overlap"]]


def coming(known: Schedules, name: str | None, count: int) -> list[dict[str, Any]]:
    """The next times of a schedule, also of one that is paused, or of all that are not."""
    chosen = [known.get(name)] if name is not None else [each for each in known.all() if not each.paused]
    now = now_ms()
    found = sorted(
        (at, each.name, each) for each in chosen for at in islice(each.times(max(now, each.last or 0)), count)
    )
    return [
        {"due": _shown(at, each), "name": each.name, "run_id": each.run_id(at)}
        for at, _, each in found[:count]
    ]


def _shown(at: int | None, schedule: Schedule) -> str | None:
    return None if at is None else in_zone(at, zone_of(schedule.zone))
