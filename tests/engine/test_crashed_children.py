"""Children whose process, or that of their parent, was killed."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from flopod.backends.base import Backend
from flopod.backends.file import FileBackend
from flopod.backends.memory import MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from flopod.engine.engine import Engine
from flopod.events import (
    ActivityCompleted,
    ChildCompleted,
    ChildStarted,
    Event,
    EventReceived,
    RunStarted,
    SleepCompleted,
)
from tests.engine.parents import run, serve, status, until
from tests.engine.support import calls


class Logs:
    """The logs of some runs, cut and put into a new store."""

    def __init__(self, backend: Backend, *run_ids: str) -> None:
        self.events = {run_id: [event for _, event in backend.load(run_id)] for run_id in run_ids}

    def cut(self, **lengths: int) -> MemoryBackend:
        backend = MemoryBackend()
        for run_id, length in zip(self.events, lengths.values(), strict=True):
            if length:
                backend.append(run_id, 0, self.events[run_id][:length])
        return backend


def _begins(events: list[Event], kind: type[Event]) -> int:
    return next(place for place, event in enumerate(events) if isinstance(event, kind))


@pytest.mark.parametrize("workflow, args", [("order", [7]), ("copes", []), ("cancels", []), ("hurries", [])])
def test_it_goes_on_from_every_state_of_parent_and_child(workflow: str, args: list[Any]) -> None:
    """Each prefix of the one log with each of the other, if the child was begun before its record."""
    whole = MemoryBackend()
    expected = run(whole, workflow, *args)
    child = next(one.run_id for one in whole.summaries() if one.parent == "p")
    logs = Logs(whole, "p", child)
    for parent in range(1, len(logs.events["p"]) + 1):
        for length in range(len(logs.events[child]) + 1):
            if not _can_be(logs, parent, length, child):
                continue
            backend = logs.cut(parent=parent, child=length)
            calls.clear()
            assert run(backend, workflow, *args) == expected, (parent, length)
            assert not _called_again(logs, parent, length, child)


def _can_be(logs: Logs, parent: int, length: int, child: str) -> bool:
    """What is recorded of the one follows from what is recorded of the other."""
    whole = {type(event) for event in logs.events["p"]}
    has = {type(event) for event in logs.events["p"][:parent]}
    told = any(isinstance(event, EventReceived) for event in logs.events[child][:length])
    if ChildStarted in has and not length:
        return False
    if ChildCompleted in has and length < len(logs.events[child]):
        return False
    return not told or (ChildStarted in has and SleepCompleted in has | ({SleepCompleted} - whole))


def _called_again(logs: Logs, parent: int, child_length: int, child: str) -> list[Any]:
    """Leaves that ran although their outcome is recorded."""
    cut = [*logs.events["p"][:parent], *logs.events[child][:child_length]]
    done = [json.decode(event.result) for event in cut if isinstance(event, ActivityCompleted)]
    return [call for call in calls if call in done]


def test_the_first_events_of_children_come_before_the_record_of_them(tmp_path: Path) -> None:
    """In a store that writes one log after the other; and after all that their input is made of."""
    backend = FileBackend(tmp_path)
    written: list[tuple[str, list[str]]] = []
    append_many = backend.append_many

    def noted(batches: Any) -> Any:
        written.extend((one.run_id, [type(event).__name__ for event in one.events]) for one in batches)
        return append_many(batches)

    backend.append_many = noted  # type: ignore[method-assign]
    run(backend, "order", 7)
    place = written.index(("p.ship", ["RunStarted"]))
    assert written[place - 1] == ("p", ["ActivityCompleted"])
    assert written[place + 1] == ("p", ["ChildStarted", "ActivityStarted"])


@pytest.mark.parametrize("store", ["file", "sqlite"])
def test_a_child_is_there_whenever_its_parent_is_over(tmp_path: Path, store: str) -> None:
    """A parent that ends in the very step that starts it."""
    backend: Backend = FileBackend(tmp_path) if store == "file" else SqliteBackend(tmp_path / "runs.db")
    seen: list[bool] = []
    append_many = backend.append_many

    def noted(batches: Any) -> Any:
        result = append_many(batches)
        if any(one.run_id == "p" and type(one.events[-1]).__name__ == "RunCompleted" for one in batches):
            seen.append(isinstance(getattr(backend.first("p.slow"), "event", None), RunStarted))
        return result

    backend.append_many = noted  # type: ignore[method-assign]
    run(backend, "leaves_at_once", True)
    assert seen == [True]


def test_a_child_whose_parent_is_over_is_cancelled_when_it_is_taken_up() -> None:
    """The process was killed between the end of the parent and the cancel of its child."""
    whole = MemoryBackend()
    run(whole, "leaves", False)
    logs = Logs(whole, "p", "p.slow")
    started = _begins(logs.events["p.slow"], RunStarted) + 1
    backend = logs.cut(parent=len(logs.events["p"]), child=started)

    async def use(_: Engine) -> None:
        await until(lambda: not backend.open_runs())

    serve(backend, use)
    assert status(backend, "p.slow") == "cancelled"
