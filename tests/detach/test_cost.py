"""What detaching costs: time of the processor, with much room, so that only another order of growth fails."""

import asyncio
import time

from flopod.detach import (
    Registry,
    create_handle,
    create_microtask_batch_driver,
    detach_and_forget,
    flush_all_detached,
    mark_done,
)

MANY = 10_000
ROOM = 1.0
"""Seconds; each of these takes a twentieth of it or less."""


def test_handles_are_cheap() -> None:
    """Ten thousand are made and ended."""
    began = time.process_time()
    for number in range(MANY):
        mark_done(create_handle(str(number)), number)
    assert time.process_time() - began < ROOM


def test_the_registry_is_cheap() -> None:
    """Ten thousand are registered and looked up, and leave it in any order."""
    known = Registry()
    handles = [create_handle(str(number)) for number in range(MANY)]
    began = time.process_time()
    for handle in handles:
        known.register(handle)
    assert all(known.look_up(handle.id) is handle for handle in handles)
    for handle in reversed(handles):
        mark_done(handle)
    assert time.process_time() - began < ROOM
    assert len(known) == 0


def test_forgets_are_cheap() -> None:
    """Ten thousand children are taken without delaying who detaches them; each runs."""
    ran: list[int] = []

    async def main() -> float:
        driver = create_microtask_batch_driver()
        began = time.process_time()
        for number in range(MANY):
            detach_and_forget(driver, ran.append, number)
        taken = time.process_time() - began
        assert not ran
        await flush_all_detached("60s")
        return taken

    assert asyncio.run(main()) < ROOM
    assert sorted(ran) == list(range(MANY))
