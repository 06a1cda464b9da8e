"""Open runs of a process that has died are found by another one, whatever they were at."""

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from flopod.backends.memory import MemoryBackend
from flopod.engine import strays
from flopod.engine.engine import Engine
from flopod.events import ChildStarted, Event
from tests.engine import parents
from tests.engine.parents import status
from tests.engine.served import serve, until
from tests.engine.support import calls


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look through the store all the time."""
    monkeypatch.setattr(strays, "_PAUSE", 0.01)
    monkeypatch.setattr(strays, "_LATE_MS", 0)


def _events(store: MemoryBackend, run_id: str) -> Sequence[Event]:
    return [event for _, event in store.load(run_id)]


def test_a_sleep_whose_process_has_died_ends() -> None:
    """The engine was open before the run was in the store, and nothing tells it of the run."""
    whole = MemoryBackend()
    serve(whole, lambda engine: _result(engine, "naps", 0.1))
    log = _events(whole, "r")

    async def use(_: Engine) -> None:
        for length in range(2, len(log)):
            store.append(f"r{length}", 0, log[:length])
        await until(lambda: all(status(store, f"r{length}") == "completed" for length in range(2, len(log))))

    store = MemoryBackend()
    serve(store, use)
    assert len(log) > 3


async def _result(engine: Engine, workflow: str, *args: Any) -> Any:
    return await (await engine.start(workflow, args, run_id="r")).result()


def test_a_parent_whose_process_has_died_hears_of_its_child() -> None:
    """From every state of the two, that in which the child has ended and its parent was not told included."""
    whole = MemoryBackend()
    expected = parents.run(whole, "order", 7)
    child = next(one.run_id for one in whole.summaries() if one.parent == "p")
    log, own = _events(whole, "p"), _events(whole, child)
    begun = next(place for place, event in enumerate(log) if isinstance(event, ChildStarted)) + 1
    for length, many in itertools.product(range(begun, len(log)), range(1, len(own) + 1)):
        calls.clear()
        store = MemoryBackend()
        parents.serve(store, partial(_let_end, store, {child: own[:many], "p": log[:length]}))
        assert parents.run(store, "order", 7) == expected


async def _let_end(store: MemoryBackend, logs: Mapping[str, Sequence[Event]], _: Engine) -> None:
    for run_id, log in logs.items():
        store.append(run_id, 0, log)
    await until(lambda: status(store, "p") == "completed")
