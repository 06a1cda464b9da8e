"""The events of runs: as a list, and followed by many, over a real wire."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2
import pytest

from flopod.backends.base import Backend
from flopod.backends.memory import MemoryBackend
from flopod.backends.sqlite import SqliteBackend
from tests.server.api.follow import SSE, Message, followed, rest
from tests.server.api.serving import Serving, serving
from tests.server.api.world import World, within

ASKS = {"workflow": "approve", "input": ["a"], "run_id": "asks"}
YES = {"path": "approved", "event": "approved", "payload": {"by": "ada"}}


def over_the_wire(
    use: Callable[[httpx2.AsyncClient, Serving], Coroutine[Any, Any, None]],
    backend: Backend | None = None,
    **more: Any,
) -> None:
    """Use a real server with an asynchronous client."""

    async def main(served: Serving) -> None:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=served.url, timeout=30, limits=limits) as client:
            await asyncio.wait_for(use(client, served), 60)

    with serving(backend, **more) as served:
        asyncio.run(main(served))


async def _waits(client: httpx2.AsyncClient, run_id: str) -> None:
    for _ in range(500):
        if (await client.get(f"/runs/{run_id}")).json()["run"]["status"] == "waiting":
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{run_id} does not wait")


def _seqs(messages: list[Message]) -> list[int]:
    return [int(one.id) for one in messages if not one.comment]


def test_events_are_listed_in_pages() -> None:
    """Each event once, in the order of the log, with its kind; a page says where the next one begins."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        whole = (await world.get(200, "/runs/asks/events"))["events"]
        assert [one["seq"] for one in whole] == list(range(1, len(whole) + 1))
        assert whole[0]["kind"] == "run_started" and "crc" not in whole[0]
        found, after = [], 0
        while after is not None:
            page = await world.get(200, "/runs/asks/events", params={"after": after, "limit": 2})
            assert len(page["events"]) <= 2
            found += page["events"]
            after = page["next"]
        assert found == whole
        assert (await world.get(200, "/runs/asks/events?after=999")) == {"events": [], "next": None}
        await world.get(404, "/runs/none/events")
        await world.get(400, "/runs/asks/events?after=-1")
        assert (await world.get(406, "/runs/asks/events", headers={"Accept": "text/html"}))["status"] == 406

    within(use)


def test_a_run_is_followed_to_its_end() -> None:
    """What is there comes at once, what happens then as it happens, and then the stream ends."""

    async def use(client: httpx2.AsyncClient, _: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        async with followed(client, "/runs/asks/events") as messages:
            seen = [await anext(messages)]
            while seen[-1].event != "wait_started":
                seen.append(await anext(messages))
            await client.post("/runs/asks/deliver", json=YES)
            seen += await rest(messages)
        listed = (await client.get("/runs/asks/events")).json()["events"]
        assert [one.data for one in seen] == listed
        assert [one.event for one in seen] == [one["kind"] for one in listed]
        assert _seqs(seen) == [one["seq"] for one in listed]
        assert seen[-1].event == "run_completed"

    over_the_wire(use)


def test_a_stream_goes_on_where_it_was_cut_off() -> None:
    """By the id of the last event that came: nothing is lost, and nothing comes twice."""

    async def use(client: httpx2.AsyncClient, _: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        async with followed(client, "/runs/asks/events") as messages:
            first = [await anext(messages), await anext(messages)]
        await client.post("/runs/asks/deliver", json=YES)
        async with followed(client, "/runs/asks/events", **{"Last-Event-ID": first[-1].id}) as messages:
            then = await rest(messages)
        seqs = _seqs([*first, *then])
        assert seqs == list(range(1, len(seqs) + 1))
        async with followed(client, f"/runs/asks/events?after={seqs[1]}") as messages:
            assert await rest(messages) == then
        done = await client.get("/runs/asks/events", headers={**SSE, "Last-Event-ID": str(seqs[-1])})
        assert done.status_code == 204
        wrong = await client.get("/runs/asks/events", headers={**SSE, "Last-Event-ID": "x"})
        assert wrong.status_code == 400
        assert (await client.get("/runs/none/events", headers=SSE)).status_code == 404

    over_the_wire(use)


def test_many_follow_a_run_and_it_is_read_a_few_times() -> None:
    """Each sees every event once; the log is not read by each."""
    reads: list[str] = []

    class Counted(MemoryBackend):
        def scan(self, run_id: str, after: int = 0) -> Any:
            reads.append(run_id)
            return super().scan(run_id, after)

    async def use(client: httpx2.AsyncClient, served: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        ready = asyncio.Semaphore(0)

        async def follow() -> list[int]:
            async with followed(client, "/runs/asks/events") as messages:
                seen = [await anext(messages)]
                ready.release()
                return _seqs([*seen, *await rest(messages)])

        following = [asyncio.create_task(follow()) for _ in range(100)]
        for _ in following:
            await ready.acquire()
        assert served.context is not None and served.context.streams.count == 100
        reads.clear()
        await client.post("/runs/asks/deliver", json=YES)
        found = await asyncio.gather(*following)
        assert all(one == list(range(1, len(one) + 1)) and len(one) > 5 for one in found)
        assert len({len(one) for one in found}) == 1
        assert len(reads) < 50

    over_the_wire(use, Counted())


def test_a_quiet_stream_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment, which no client takes for an event."""
    monkeypatch.setattr("flopod.server.context.HEARTBEAT", 0.1)

    async def use(client: httpx2.AsyncClient, _: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        for path in ("/runs/asks/events", "/events"):
            async with followed(client, path) as messages:
                while not (message := await anext(messages)).comment:
                    pass
                assert message.comment == "still here"

    over_the_wire(use)


def test_a_server_that_stops_ends_its_streams_at_once() -> None:
    """Clients see the end of a stream, not a cut; the server does not wait for them."""

    async def use(client: httpx2.AsyncClient, served: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        async with followed(client, "/runs/asks/events") as one, followed(client, "/events") as other:
            await anext(one)
            await anext(other)
            begin = time.monotonic()
            served.stop()
            await asyncio.gather(rest(one), rest(other))
        assert time.monotonic() - begin < 2

    over_the_wire(use)


def test_what_another_process_writes_is_seen(tmp_path: Any) -> None:
    """The store is asked now and then, as long as somebody listens."""
    path = tmp_path / "runs.db"

    async def use(client: httpx2.AsyncClient, served: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        assert served.host is not None
        async with followed(client, "/events") as changes, followed(client, "/runs/asks/events") as messages:
            await anext(changes)
            while (await anext(messages)).event != "wait_started":
                pass
            with SqliteBackend(path) as other:
                await asyncio.to_thread(_meddle, other)
            kinds = [(await anext(messages)).event]
            assert kinds == ["log"]
            assert (await anext(changes)).data["more"] is True

    def _meddle(other: Backend) -> None:
        from flopod.events import Log

        summary = other.summary("asks")
        assert summary is not None
        other.append("asks", summary.seq, [Log(level="info", message="from elsewhere")])

    over_the_wire(use, SqliteBackend(path))


def test_all_runs_are_followed_by_counts_and_changes() -> None:
    """At most twice a second, however much happens; what changed is named."""

    async def use(client: httpx2.AsyncClient, _: Serving) -> None:
        async with followed(client, "/events") as messages:
            first = await anext(messages)
            assert first.data["counts"].get("completed", 0) == 0
            assert first.data["more"] is True
            begin, seen, told = time.monotonic(), set[str](), 0
            wanted = {f"r{number}" for number in range(30)}
            starting = asyncio.create_task(_start_all(client, sorted(wanted)))
            async for message in messages:
                told += 1
                seen |= set(message.data["runs"])
                if message.data["counts"].get("completed") == 30 and seen >= wanted:
                    break
            await starting
            assert told <= (time.monotonic() - begin) / 0.5 + 2

    async def _start_all(client: httpx2.AsyncClient, ids: list[str]) -> None:
        for run_id in ids:
            await client.post("/runs", json={"workflow": "greet", "input": ["a"], "run_id": run_id})
            await asyncio.sleep(0.03)

    over_the_wire(use)


def test_who_goes_away_is_forgotten() -> None:
    """A client that closes leaves nobody behind who listens for it."""

    async def use(client: httpx2.AsyncClient, served: Serving) -> None:
        await client.post("/runs", json=ASKS)
        await _waits(client, "asks")
        assert served.context is not None
        for _ in range(5):
            async with followed(client, "/runs/asks/events") as messages:
                await anext(messages)
        for _ in range(300):
            if served.context.streams.count == 0:
                break
            await asyncio.sleep(0.01)
        assert served.context.streams.count == 0

    over_the_wire(use)


def test_the_head_of_a_stream_is_no_stream() -> None:
    """HEAD is answered at once, as GET would begin."""

    async def use(client: httpx2.AsyncClient, _: Serving) -> None:
        await client.post("/runs", json=ASKS)
        response = await client.head("/runs/asks/events", headers=SSE)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.content == b""

    over_the_wire(use)
