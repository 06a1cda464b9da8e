"""Webhooks as they are asked for: with the start of a run."""

import asyncio

import pytest

from flopod.backends import MemoryBackend
from flopod.server.observed import observed
from flopod.server.settings import Settings
from flopod.server.webhooks import Webhooks
from tests.server.api.world import SECRET, World, within
from tests.server.webhooks.receiver import Receiver

pytestmark = pytest.mark.process


@pytest.mark.parametrize("is_over", [False, True])
def test_a_refused_start_changes_nothing_of_who_is_told(receiver: Receiver, is_over: bool) -> None:
    """The run of that id, which goes on or is over, tells whom it was to tell, and nobody else."""
    store, settings = observed(MemoryBackend()), Settings(secret=SECRET, webhook_private=True)
    webhooks, other = Webhooks(store, settings), Receiver()

    async def use(world: World) -> None:
        body = {"workflow": "nap", "input": [0 if is_over else 0.5], "run_id": "r"}
        await world.post(202, "/runs", {**body, "webhook": receiver.url})
        if is_over:
            await asyncio.to_thread(receiver.wait, 1)
        await world.post(409, "/runs", {**body, "input": [7], "webhook": other.url})
        await world.post(422, "/runs", {**body, "run_id": "s", "input": ["x"], "webhook": other.url})
        assert webhooks.book.of("s") is None
        await world.until("r", "completed")
        await asyncio.to_thread(receiver.wait, 1)
        await asyncio.sleep(0.3)

    within(use, store, settings=settings, webhooks=webhooks)
    assert (len(receiver.got), len(other.got)) == (1, 0)
    other.close()
