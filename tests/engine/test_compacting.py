"""A loop without end on a real disk, killed before and after every write, compaction included."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flopod.backends import Backend, FileBackend, SqliteBackend
from flopod.backends.base import Batch
from flopod.engine.clock import VirtualClock
from flopod.engine.compacting import compact_from
from flopod.engine.identity import Identity
from flopod.engine.run import run_workflow
from flopod.errors import BadInput, FlopodError
from flopod.events import Compacted, Span

RUN = "r"
ROUNDS = 12
calls: list[int] = []


class Killed(BaseException):
    """The process is gone."""


async def answer(number: int) -> int:
    calls.append(number)
    return number % 5


async def polling(wf: Any) -> int:
    total = wf.var("total", 0)
    loop = wf.repeat("loop")
    while scope := loop.next():
        found = await scope.activity("answer", answer, total.value)
        total.value += 1
        if scope.branch("if-found", found == 3):
            await scope.wait("approved", timeout="10m")
        await scope.sleep("sleep", "1m")
        if total.value == ROUNDS:
            return int(total.value)
    raise AssertionError


def killed_at(kind: type[Backend], fatal: int, after: bool) -> type[Backend]:
    """A store whose process dies before or after its write number `fatal`."""

    class Dying(kind):  # type: ignore[misc,valid-type]
        writes = 0

        def append_many(self, batches: Sequence[Batch]) -> list[int | FlopodError]:
            return self._die(lambda: super(Dying, self).append_many(batches))  # type: ignore[no-any-return]

        def compact(self, run_id: str, dropped: Sequence[Span], inbox: int = 0) -> None:
            self._die(lambda: super(Dying, self).compact(run_id, dropped, inbox))

        def _die(self, write: Any) -> Any:
            self.writes += 1
            if self.writes == fatal and not after:
                raise Killed
            result = write()
            if self.writes == fatal:
                raise Killed
            return result

    return Dying


@pytest.mark.parametrize("kind", [FileBackend, SqliteBackend])
def test_killed_at_any_write_it_goes_on(
    kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaf with a recorded outcome ran once, the others again, and the log stays small."""
    monkeypatch.setenv("FLOPOD_COMPACT", "4")
    fatal, died = 0, True
    while died:
        fatal += 1
        place = tmp_path / f"{fatal}"
        died = _life(killed_at(kind, fatal, fatal % 2 == 0), place)
        assert not _life(kind, place)
        assert len(calls) - len(set(calls)) <= 1
        records = kind(place).load(RUN)
        assert len(records) < 40
        assert sum(isinstance(record.event, Compacted) for record in records) == 1
        summary = kind(place).summary(RUN)
        assert (summary.activities_done, summary.status) == (ROUNDS, "completed")
    assert fatal > 30


def _life(kind: type[Backend], place: Path) -> bool:
    """One process; whether it was killed."""
    if kind is not FileBackend and kind is not SqliteBackend:
        calls.clear()
    store: Backend = kind(place)  # type: ignore[call-arg]
    try:
        outcome = asyncio.run(
            run_workflow(polling, [], identity=Identity(run_id=RUN), backend=store, clock=VirtualClock())
        )
    except Killed:
        return True
    finally:
        store.close()
    assert outcome.value == ROUNDS
    return False


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOPOD_COMPACT is on, off or a number, and anything else is refused by name."""
    found = []
    for text in ("", "on", "off", "7"):
        monkeypatch.setenv("FLOPOD_COMPACT", text)
        found.append(compact_from())
    assert found == [128, 128, None, 7]
    monkeypatch.setenv("FLOPOD_COMPACT", "0")
    with pytest.raises(BadInput, match="on, off or a number"):
        compact_from()
