"""Starts with an Idempotency-Key: one run, however often and by however many it is asked for."""

import asyncio
import time
from typing import Any

import msgspec
import pytest

from flopod.backends.base import now_ms
from flopod.backends.memory import MemoryBackend
from flopod.errors import StorageError
from flopod.server.idempotency import KEPT_MS, Idempotency
from flopod.server.types import StartRun
from tests.server.api.world import World, within

BODY = {"workflow": "greet", "input": {"name": "ada"}}


def _with(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_the_same_request_is_the_same_run() -> None:
    """In whatever order its fields are; another body is refused, and another key is another run."""

    async def use(world: World) -> None:
        first = await world.post(202, "/runs", BODY, **_with("k-1"))
        turned = {"input": BODY["input"], "workflow": "greet", "priority": 0}
        assert await world.post(202, "/runs", turned, **_with("k-1")) == first
        problem = await world.post(409, "/runs", {**BODY, "queue": "q"}, **_with("k-1"))
        assert problem["type"] == "/problems/idempotency-key-reused"
        assert first["run_id"] in problem["detail"]
        assert await world.post(202, "/runs", BODY, **_with("k-2")) != first
        assert len((await world.get(200, "/runs"))["runs"]) == 2

    within(use)


def test_many_at_once_start_one_run() -> None:
    """Of those with another body one at most is let in, however slow the store is."""

    class Slow(MemoryBackend):
        def kept(self, kind: str, name: str) -> bytes | None:
            found = super().kept(kind, name)
            time.sleep(0.005)
            return found

    async def use(world: World) -> None:
        bodies = [{**BODY, "run_id": f"r{n % 2}"} for n in range(20)]
        answers = await asyncio.gather(
            *(world.client.post("/runs", json=body, **_with("k")) for body in bodies)
        )
        accepted = {one.json()["run_id"] for one in answers if one.status_code == 202}
        assert len(accepted) == 1
        assert {one.status_code for one in answers} == {202, 409}
        assert len((await world.get(200, "/runs"))["runs"]) == 1

    within(use, Slow())


def test_a_crash_between_key_and_run_loses_nothing() -> None:
    """The key is there and the run is not: who asks again gets the run, under the same id."""

    class Dies(MemoryBackend):
        dead = False

        def append_many(self, batches: Any) -> Any:
            if self.dead:
                return [StorageError("killed") for _ in batches]
            return super().append_many(batches)

    store = Dies()

    async def use(world: World) -> None:
        store.dead = True
        await world.post(503, "/runs", BODY, **_with("k"))
        kept = list(store.all_kept("idempotency").values())
        store.dead = False
        started = await world.post(202, "/runs", BODY, **_with("k"))
        assert [msgspec.json.decode(one)["run_id"] for one in kept] == [started["run_id"]]
        assert (await world.until(started["run_id"], "completed"))["result"] == "hello ada"
        assert len((await world.get(200, "/runs"))["runs"]) == 1

    within(use, store)


def test_a_key_is_kept_before_its_run() -> None:
    """Otherwise a crash between the two would double the run."""
    order: list[str] = []

    class Noted(MemoryBackend):
        def keep(self, kind: str, name: str, document: bytes) -> None:
            order.append(kind)
            super().keep(kind, name, document)

        def append_many(self, batches: Any) -> Any:
            order.append("run")
            return super().append_many(batches)

    async def use(world: World) -> None:
        await world.post(202, "/runs", BODY, **_with("k"))

    within(use, Noted())
    assert order[:2] == ["idempotency", "run"]


def test_a_refused_request_does_not_use_up_its_key() -> None:
    """The mistake can be mended under the same key."""

    async def use(world: World) -> None:
        await world.post(422, "/runs", {"workflow": "greet", "input": {}}, **_with("k"))
        await world.post(404, "/runs", {"workflow": "gret"}, **_with("k"))
        await world.post(202, "/runs", BODY, **_with("k"))
        await world.post(422, "/runs", {"workflow": "greet", "input": {}}, **_with("k2"))
        assert len(world.host.backend.all_kept("idempotency")) == 1

    within(use)


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ä"])
def test_what_is_no_key_is_refused(key: str) -> None:
    """1 to 255 visible ASCII characters."""

    async def use(world: World) -> None:
        headers = [(b"Idempotency-Key", key.encode("latin-1"))]
        problem = await world.post(400, "/runs", BODY, headers=headers)
        assert problem["field"] == "Idempotency-Key"
        await world.post(202, "/runs", BODY, **_with("x" * 255))

    within(use)


def test_old_keys_are_forgotten() -> None:
    """Those of the last seven days are not."""

    async def main() -> None:
        with MemoryBackend() as store:
            keys, now = Idempotency(store), now_ms()
            claim = await keys.claim("k", StartRun(workflow="w"), None)
            assert keys.forget_old(now + KEPT_MS - 10_000) == 0
            assert (await keys.claim("k", StartRun(workflow="w"), None)).new is False
            assert keys.forget_old(now + KEPT_MS + 10_000) == 1
            assert await keys.claim("k", StartRun(workflow="w"), None) == claim

    asyncio.run(main())


def test_a_server_forgets_old_keys_when_it_starts() -> None:
    """So that they do not pile up."""
    store = MemoryBackend()
    old = {"digest": "x", "run_id": "r", "at": now_ms() - KEPT_MS - 1000}
    store.keep("idempotency", "old", msgspec.json.encode(old))

    async def use(world: World) -> None:
        assert world.context.idempotency
        for _ in range(200):
            if not store.all_kept("idempotency"):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it is kept still")

    within(use, store)
