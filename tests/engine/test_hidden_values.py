"""Runs whose values are encrypted or kept apart, met by a process that was not told so."""

import asyncio
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.cipher import Cipher
from flopod.backends.memory import MemoryBackend
from flopod.backends.values import ValuesBackend
from flopod.engine.engine import Engine
from flopod.engine.registry import HandWritten
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules
from flopod.engine.waits import deliver
from flopod.errors import HiddenValue
from tests.contract.support import KEY


async def _letter(size: int) -> str:
    return "x" * size


async def _answered(wf: Any, size: int) -> int:
    letter = await wf.activity("letter", _letter, size)
    answer = await wf.wait("answer")
    return len(letter) + len(answer)


def _encrypted(inner: Backend) -> Backend:
    return ValuesBackend(inner, cipher=Cipher([KEY]))


def _apart(inner: Backend) -> Backend:
    return ValuesBackend(inner, large=100)


async def _serve(store: Backend, answer: bytes | None = None, start: int | None = None) -> Any:
    async with Engine(store, HandWritten({"answered": _answered})) as engine:
        if start is not None:
            await engine.start("answered", [start], run_id="r")
        while (waits := store.summary("r")) is None or not (waits.waits or waits.ended_at):
            await asyncio.sleep(0.01)
        if answer is not None:
            engine.deliver("r", "answer", "answer", Raw(answer))
            return await engine.outcome("r")
        return None


@pytest.mark.parametrize(
    ("kept", "advice"), [(_encrypted, "FLOPOD_ENCRYPTION_KEYS"), (_apart, "FLOPOD_LARGE_VALUES")]
)
def test_a_process_that_cannot_read_a_run_leaves_it_as_it_is(kept: Any, advice: str) -> None:
    """It does not diverge, and goes on where the values can be read."""
    inner = MemoryBackend()
    asyncio.run(_serve(kept(inner), start=1000))
    refused = asyncio.run(_serve(inner, answer=b'"early"'))
    assert refused.status == "storage_error"
    assert advice in refused.reason
    assert asyncio.run(_serve(kept(inner), answer=b'"late"')).value == 1005


@pytest.mark.parametrize("kept", [_encrypted, _apart])
def test_an_event_that_cannot_be_read_is_not_taken(kept: Any) -> None:
    """It stays in the inbox for a process that can; the workflow is not given what stands in its place."""
    inner = MemoryBackend()
    asyncio.run(_serve(inner, start=7))
    kept(inner).deliver("r", "answer", "answer", Raw(b'"%s"' % (b"y" * 200)))
    assert asyncio.run(_serve(inner, answer=b'"late"')).status == "storage_error"
    assert asyncio.run(_serve(kept(inner), answer=b'"late"')).value == 207


def test_no_plain_event_is_put_into_an_encrypted_run() -> None:
    """A delivery without the key would be readable in the store: it says what to set."""
    inner = MemoryBackend()
    asyncio.run(_serve(_encrypted(inner), start=1))
    with pytest.raises(HiddenValue, match="FLOPOD_ENCRYPTION_KEYS"):
        deliver(inner, "r", "answer", "answer", '"plain"')
    assert inner.inbox("r") == []


def test_schedules_that_were_made_before_there_was_a_key_stay() -> None:
    """Each document says how it is kept, as values do."""
    inner = MemoryBackend()
    Schedules(inner).put(Schedule(name="old", workflow="answered", every="1h"))
    schedules = Schedules(_encrypted(inner))
    schedules.put(Schedule(name="new", workflow="answered", every="1h"))
    assert {schedule.name for schedule in schedules.all()} == {"old", "new"}
