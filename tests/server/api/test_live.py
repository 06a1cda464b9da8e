"""Who listens hears that runs have grown; and a store that can be listened to is the store."""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Raw

from flopod.backends.base import Backend, Batch
from flopod.backends.memory import MemoryBackend
from flopod.events import Log, RunStarted
from flopod.server.live import Live, News
from flopod.server.observed import Observed, listen, observed
from flopod.server.streams import Streams


def _started(run_id: str) -> RunStarted:
    return RunStarted(run_id=run_id, workflow="w", input=Raw(b"[]"), at=1)


def live(use: Callable[[Live, Backend, Backend], Coroutine[Any, Any, None]], poll: float = 30.0) -> None:
    """Use something live on a store: that of this process, and the one below as another process has it."""
    inner = MemoryBackend()
    inner.append("r", 0, [_started("r")])
    store = observed(inner)

    async def main() -> None:
        await asyncio.wait_for(use(Live(store, poll), store, inner), 10)

    with inner:
        asyncio.run(main())


def test_what_this_process_writes_is_told_at_once() -> None:
    """From whichever thread, to who listens to that run and to who listens to all."""

    async def use(live: Live, store: Backend, _: Backend) -> None:
        async with live.watch("r") as one, live.watch(None) as all, live.watch("other") as other:
            await asyncio.sleep(0.05)
            for each in (one, other):  # who begins is told once in vain, for what may have been missed
                while await each.within(0.02) is not None:
                    pass
            threading.Thread(target=store.append, args=("r", 1, [Log(message="x")])).start()
            assert await anext(one) == News(frozenset({"r"}), False)
            assert await anext(all) == News(frozenset({"r"}), False)
            assert await other.within(0.05) is None
            for act in (
                lambda: store.append_many([Batch("r", 2, [Log(message="y")])]),
                lambda: store.deliver("r", "p", "e", b"1"),
                lambda: store.mark("r", "storage_error", "full"),
                lambda: store.delete("r"),
            ):
                act()
                assert (await anext(all)).runs == {"r"}

    live(use)


def test_a_write_that_failed_is_not_told() -> None:
    """Nothing has grown."""

    async def use(live: Live, store: Backend, _: Backend) -> None:
        async with live.watch(None) as all:
            store.append_many([Batch("r", 7, [Log(message="y")])])
            assert await all.within(0.05) is None

    live(use)


def test_what_other_processes_write_is_found() -> None:
    """By asking the store, which is asked only while somebody listens."""

    async def use(live: Live, _: Backend, inner: Backend) -> None:
        async with live.watch("r") as one, live.watch(None) as all:
            await asyncio.sleep(0.05)
            while await one.within(0.03) is not None:
                pass
            inner.append("r", 1, [Log(message="x")])
            assert (await anext(one)).runs == {"r"}
            assert (await anext(all)).more is True
            assert await one.within(0.05) is None
        assert live.count == 0 and live._polling is None

    live(use, poll=0.01)


def test_who_is_slow_hears_of_everything_in_one() -> None:
    """News is collected until somebody takes it."""

    async def use(live: Live, store: Backend, _: Backend) -> None:
        async with live.watch(None) as all:
            for number in range(100):
                store.append(f"n{number}", 0, [_started(f"n{number}")])
            await asyncio.sleep(0.05)
            assert len((await anext(all)).runs) == 100
            assert await all.within(0.02) is None

    live(use)


def test_everybody_is_let_go_when_the_server_stops() -> None:
    """Also who begins to listen after that."""

    async def use(live: Live, _: Backend, __: Backend) -> None:
        async with live.watch(None) as all:
            waiting = asyncio.create_task(anext(all, None))
            await asyncio.sleep(0.01)
            live.close()
            assert await waiting is None
            begin = time.monotonic()
            assert await all.ended_within(5) is True
            async with live.watch("r") as late:
                assert [one async for one in late] == []
            assert time.monotonic() - begin < 1

    live(use)


def test_an_observed_store_does_all_that_a_store_does() -> None:
    """Whatever a store can be asked, now or later; and it is observed once."""
    inner = MemoryBackend()
    store = observed(inner)
    assert observed(store) is store
    for name, _ in inspect.getmembers(Backend):
        if not name.startswith("_"):
            assert getattr(store, name) is not None
    with store:
        assert store.append("r", 0, [_started("r")]) == 1
        assert store.summary("r") == inner.summary("r")


def test_what_is_not_observed_can_be_listened_to_in_vain() -> None:
    """A host may have any store."""
    told: list[str] = []
    stop = listen(MemoryBackend(), told.append)
    stop()
    seen = Observed(MemoryBackend())
    stop = seen.listen(told.append)
    seen.append("r", 0, [_started("r")])
    stop()
    seen.append("r", 1, [Log(message="x")])
    assert told == ["r"]


def test_who_joins_sees_what_others_have_not_taken_yet() -> None:
    """A slow follower holds up nobody else, and what it was told of is not lost for the others."""

    async def use(live: Live, store: Backend, _: Backend) -> None:
        streams = Streams(store, live)
        slow = streams.run("r", 0)
        assert b"run_started" in await anext(slow)  # and there it stays
        store.append("r", 1, [Log(message="x")])
        await asyncio.sleep(0.05)
        fast = streams.run("r", 1)
        assert b"id: 2" in await asyncio.wait_for(anext(fast), 5)
        store.append("r", 2, [Log(message="y")])
        assert b"id: 3" in await asyncio.wait_for(anext(fast), 5)
        assert [b"id: %d" % n in await anext(slow) for n in (2, 3)] == [True, True]
        await slow.aclose()
        await fast.aclose()
        assert live.count == 0

    live(use)


def test_a_long_log_is_followed_from_wherever_one_begins() -> None:
    """What is kept for all is bounded; who is behind reads the log."""

    async def use(live: Live, store: Backend, _: Backend) -> None:
        store.append("r", 1, [Log(message=str(n)) for n in range(3000)])
        streams = Streams(store, live)
        ahead = streams.run("r", 0)
        for seq in range(1, 3002):
            assert b"id: %d\n" % seq in await anext(ahead)
        behind = streams.run("r", 5)
        for seq in range(6, 3002):
            assert b"id: %d\n" % seq in await anext(behind)
        await ahead.aclose()
        await behind.aclose()

    live(use)
