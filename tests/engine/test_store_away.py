"""An engine whose store cannot be read for a while: it goes on when the store does."""

import asyncio
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Filter
from flopod.backends.memory import MemoryBackend
from flopod.engine import scheduling, turns
from flopod.engine.engine import Engine
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules
from flopod.errors import StorageError
from flopod.events import RunStarted, RunSummary
from tests.engine.served import serve, until


class Away(MemoryBackend):
    """A store that answers no question while it is `away`, and counts those that were asked then."""

    away = False
    asked = 0
    others: tuple[str, ...] = ()

    def _ask(self) -> None:
        if self.away:
            self.asked += 1
            raise StorageError("the server is away")

    def all_kept(self, kind: str) -> dict[str, bytes]:
        self._ask()
        return super().all_kept(kind)

    def summary(self, run_id: str) -> RunSummary | None:
        self._ask()
        return super().summary(run_id)

    def news(self, mark: object) -> tuple[object, list[str]]:
        named, self.others = self.others, ()
        return mark, list(named)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(turns, "_PAUSE", 0.01)
    monkeypatch.setattr(scheduling, "_LOOK_MS", 20)


def test_schedules_start_runs_after_the_store_was_away(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be read when it is looked for is looked for again; the log says it once."""
    store = Away()

    async def use(engine: Engine) -> None:
        store.away = True
        await until(lambda: store.asked > 3)
        assert engine.is_serving
        store.away = False
        Schedules(store).put(Schedule(name="s", workflow="one", input=Raw(b"[1]"), every="1s"))
        await until(lambda: bool(store.find(Filter(status=("completed",)))))

    serve(store, use)
    assert caplog.text.count("the engine waits for its store") == 1


def test_runs_that_others_started_while_the_store_was_away_begin() -> None:
    """They are told of once; what could not be looked at then is looked at later, in its order."""
    store = Away()

    async def use(engine: Engine) -> Any:
        for name in ("a", "b"):
            MemoryBackend.append(store, name, 0, [RunStarted(workflow="one", input=Raw(b"[1]"), run_id=name)])
        store.away, store.others = True, ("a", "b")
        await until(lambda: store.asked > 1)
        store.away = False
        return [(await engine.outcome(name)).value for name in ("a", "b")]

    assert serve(store, use) == [1, 1]


def test_a_delivery_is_heard_of_after_the_store_was_away() -> None:
    """It came through this process, for a run that this engine does not have yet."""
    store = Away()

    async def use(engine: Engine) -> Any:
        store.append("late", 0, [RunStarted(workflow="approval", input=Raw(b"[1]"), run_id="late")])
        await asyncio.sleep(0)
        store.away = True
        engine.deliver("late", "approved", "approved", Raw(b"true"))
        await until(lambda: store.asked > 1)
        store.away = False
        await until(lambda: (found := store.summary("late")) is not None and found.status == "completed")

    serve(store, use)
