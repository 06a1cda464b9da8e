"""Runs as data and as a table, from the summaries of a backend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from flopod.backends.base import Filter
from flopod.backends.choose import choose
from flopod.events import RunSummary
from flopod.terminal import painted
from flopod_compiler.cli.base import table

_HEADINGS = ("RUN", "STATUS", "WORKFLOW", "STARTED", "STEPS", "NOTE")
_NOTE_LENGTH = 60
_STYLES = {
    "running": "busy",
    "waiting": "warning",
    "paused": "warning",
    "completed": "good",
    "failed": "bad",
    "diverged": "bad",
    "storage_error": "bad",
    "cancelled": "faint",
}


def listed(
    backend: str | None, wanted: Filter, limit: int, cursor: str | None = None
) -> list[dict[str, Any]]:
    """The summaries of the runs that are wanted, the youngest first."""
    with choose(backend, os.environ) as store:
        return [as_data(summary) for summary in store.find(wanted, limit, cursor)]


def place_after(run: dict[str, Any]) -> str:
    """The cursor of what comes after a run."""
    return f"{run['started_at']}:{run['run_id']}"


def as_data(summary: RunSummary) -> dict[str, Any]:
    """A summary as JSON data: every field, without the version of its form."""
    data = {name: getattr(summary, name) for name in summary.__struct_fields__ if name != "version"}
    return dict(msgspec.to_builtins(data))


def run_table(found: Sequence[dict[str, Any]]) -> str:
    """The runs as lines of a table."""
    return table(_HEADINGS, [_row(each) for each in found])


def _row(run: dict[str, Any]) -> list[str]:
    started = clock(run["started_at"])
    return [
        run["run_id"],
        colored_status(run["status"]),
        run["workflow"],
        started,
        str(run["activities_done"]),
        _note(run),
    ]


def colored_status(status: str) -> str:
    """A status in the color of what it is."""
    return painted(status, _STYLES.get(status, ""))


def _note(run: dict[str, Any]) -> str:
    if run["error"]:
        note = str(run["error"]).strip().splitlines()[-1]
        return note if len(note) <= _NOTE_LENGTH else note[: _NOTE_LENGTH - 1] + "…"
    if run["waits"]:
        return "waits for " + ", ".join(run["waits"])
    if run["retrying"]:
        return "retries " + ", ".join(run["retrying"])
    return ""


def clock(at: int | None) -> str:
    """A time in milliseconds since the epoch, in the zone of this machine."""
    if not at:
        return ""
    return datetime.fromtimestamp(at / 1000).astimezone().isoformat(sep=" ", timespec="seconds")
