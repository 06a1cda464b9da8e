"""What is done to runs over HTTP."""

import asyncio
from pathlib import Path
from typing import Any

from tests.server.api.world import World, within


def test_an_event_is_delivered_to_the_wait() -> None:
    """It is decoded to the type of the wait, and the run goes on."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        body = {"path": "approved", "event": "approved", "payload": {"by": "ada"}}
        done = await world.post(202, "/runs/asks/deliver", body)
        assert done == {"run_id": "asks", "path": "approved", "event": "approved", "number": 1}
        assert (await world.until("asks", "completed"))["result"] == "a by ada"
        problem = await world.post(409, "/runs/asks/deliver", body)
        assert problem["type"] == "/problems/run-ended"

    within(use)


def test_what_the_wait_does_not_take_is_refused() -> None:
    """With near misses and the field, and nothing is in the inbox."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        good = {"path": "approved", "event": "approved", "payload": {"by": "ada"}}
        for status, slug, near, field, change in (
            (404, "unknown-path", ["approved"], "", {"path": "aproved"}),
            (404, "unknown-event", ["approved"], "", {"event": "aproved"}),
            (422, "bad-input", [], "payload.by", {"payload": {"by": 5}}),
            (422, "bad-input", [], "payload", {"payload": {}}),
            (400, "bad-request", [], "pth", {"pth": "x"}),
        ):
            problem = await world.post(status, "/runs/asks/deliver", {**good, **change})
            assert problem["type"] == f"/problems/{slug}", problem
            assert problem.get("near", []) == near
            assert problem.get("field", "") == field, problem
        assert world.host.backend.inbox("asks") == []
        await world.post(404, "/runs/others/deliver", good)

    within(use)


def test_a_run_is_cancelled() -> None:
    """One that waits is told; it is cancelled soon, and cannot be cancelled twice."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        assert await world.post(202, "/runs/asks/cancel") == {"run_id": "asks", "done": "told"}
        await world.until("asks", "cancelled")
        assert await world.post(200, "/runs/asks/cancel", {"reason": "x"}) == {
            "run_id": "asks",
            "done": "already",
        }
        await world.start("greet", "done", name="a")
        await world.until("done", "completed")
        assert (await world.post(409, "/runs/done/cancel"))["type"] == "/problems/conflict"
        await world.post(404, "/runs/none/cancel")

    within(use)


def test_a_run_is_paused_and_goes_on() -> None:
    """At rest it takes what is delivered, and does nothing until it is resumed."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        done = (await world.ask(202, "POST", "/runs/asks/pause", {"reason": "lunch"})).json()["done"]
        assert done == "told"
        assert "lunch" in (await world.until("asks", "paused"))["run"]["error"]
        assert (await world.post(200, "/runs/asks/resume", {}))["done"] == "now"
        await world.until("asks", "waiting")
        assert (await world.post(200, "/runs/asks/resume"))["done"] == "already"

    within(use)


def test_a_failed_run_is_retried_from_where_it_failed(tmp_path: Path) -> None:
    """What was done is not done again."""

    async def use(world: World) -> None:
        await world.start("mends", "broken", path=str(tmp_path / "there"))
        await world.until("broken", "failed")
        (tmp_path / "there").touch()
        assert (await world.post(200, "/runs/broken/retry"))["done"] == "now"
        assert (await world.until("broken", "completed"))["result"] == "mended"
        events = (await world.get(200, "/runs/broken/events"))["events"]
        assert [one["path"] for one in events if one["kind"] == "activity_completed"].count("say") == 1
        assert (await world.post(409, "/runs/broken/retry"))["type"] == "/problems/conflict"

    within(use)


def test_a_fork_has_the_past_of_another_run_and_its_own_future() -> None:
    """From a path, with another input by the types of the workflow, under an id that is free."""

    async def use(world: World) -> None:
        await world.start("greet", "first", name="ada")
        await world.until("first", "completed")
        response = await world.ask(201, "POST", "/runs/first/fork", {"from": "say", "input": {"name": "bob"}})
        fork = response.json()
        assert response.headers["location"] == fork["url"]
        assert (await world.until(fork["run_id"], "completed"))["result"] == "hello bob"
        again = await world.post(201, "/runs/first/fork", {"run_id": "second"})
        assert again["run_id"] == "second"
        assert (await world.until("second", "completed"))["result"] == "hello ada"
        assert (await world.post(409, "/runs/first/fork", {"run_id": "second"}))["status"] == 409
        problem = await world.post(404, "/runs/first/fork", {"from": "sayy"})
        assert (problem["type"], problem["near"]) == ("/problems/unknown-path", ["say"])
        problem = await world.post(422, "/runs/first/fork", {"input": {"name": 5}})
        assert problem["field"] == "input.name"
        await world.post(404, "/runs/none/fork", {"input": {"name": "x"}})

    within(use)


def test_orders_at_once_leave_one_outcome() -> None:
    """Whoever comes first, the run ends once, and nobody is told a lie."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        answers: list[Any] = await asyncio.gather(
            *(world.client.post("/runs/asks/cancel", json={"reason": str(n)}) for n in range(5)),
            *(world.client.post("/runs/asks/pause") for _ in range(5)),
        )
        assert {one.status_code for one in answers} <= {200, 202, 409}
        status = ""
        for _ in range(200):
            status = (await world.get(200, "/runs/asks"))["run"]["status"]
            if status in ("cancelled", "paused"):
                break
            await asyncio.sleep(0.01)
        assert status in ("cancelled", "paused")

    within(use)
