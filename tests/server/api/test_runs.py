"""Runs over HTTP: started, listed, looked at."""

import asyncio
import re
from typing import Any

from flopod.backends.memory import MemoryBackend
from tests.server.api.world import World, within


def test_a_run_is_accepted_and_runs() -> None:
    """The answer says where to look, and there is the result in the end."""

    async def use(world: World) -> None:
        response = await world.ask(202, "POST", "/runs", {"workflow": "greet", "input": {"name": "ada"}})
        body = response.json()
        assert response.headers["location"] == body["url"] == f"/runs/{body['run_id']}"
        assert body["status"] == "pending"
        found = await world.until(body["run_id"], "completed")
        assert found["result"] == "hello ada"
        assert found["input"] == {"name": "ada"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["run"]["started_at"])

    within(use)


def test_the_input_is_decoded_to_the_annotated_types() -> None:
    """By name or by place; data classes are made of objects."""

    async def use(world: World) -> None:
        order = {"id": "a", "lines": [{"sku": "x"}, {"sku": "y", "qty": 2}]}
        by_name = await world.start("total", order=order)
        by_place = (await world.post(202, "/runs", {"workflow": "total", "input": [order]}))["run_id"]
        for run_id in (by_name, by_place):
            assert (await world.until(run_id, "completed"))["result"] == 30

    within(use)


def test_the_same_run_id_is_the_same_run() -> None:
    """With the same input it is accepted again, with another one refused, and nothing runs twice."""

    async def use(world: World) -> None:
        for _ in range(2):
            assert await world.start("greet", "r-1", name="ada") == "r-1"
        problem = await world.post(
            409, "/runs", {"workflow": "greet", "input": {"name": "b"}, "run_id": "r-1"}
        )
        assert problem["type"] == "/problems/input-changed"
        assert "'r-1'" in problem["detail"] and "ada" in problem["detail"]
        assert "--" not in problem["detail"]
        problem = await world.post(409, "/runs", {"workflow": "nap", "input": [1], "run_id": "r-1"})
        assert problem["status"] == 409
        assert len((await world.get(200, "/runs"))["runs"]) == 1

    within(use)


def test_what_cannot_be_started_is_refused_with_the_field() -> None:
    """And nothing is in the store."""

    async def refused(world: World, status: int, slug: str, field: str, **body: Any) -> Any:
        problem = await world.post(status, "/runs", {"workflow": "greet", "input": {"name": "a"}, **body})
        assert problem["type"] == f"/problems/{slug}", problem
        assert problem.get("field", "") == field, problem
        assert problem["instance"] == "/runs"
        return problem

    async def use(world: World) -> None:
        problem = await refused(world, 404, "unknown-workflow", "", workflow="gret")
        assert problem["near"] == ["greet"]
        await refused(world, 422, "bad-input", "input.times", input={"name": "a", "times": "b"})
        await refused(world, 422, "bad-input", "input.name", input={})
        await refused(world, 422, "bad-input", "input.nam", input={"nam": "a"})
        await refused(world, 400, "bad-request", "input", input=5)
        await refused(world, 400, "bad-request", "prioriti", prioriti=5)
        await refused(world, 400, "bad-request", "priority", priority="high")
        await refused(world, 400, "invalid-id", "", run_id="../x")
        await refused(world, 400, "invalid-id", "", run_id="x" * 129)
        await refused(world, 422, "bad-input", "webhook", webhook="https://example.com")
        assert (await world.get(200, "/runs"))["runs"] == []

    within(use)


def test_where_a_run_stands_goes_with_its_start() -> None:
    """Queue, key, priority and attributes are those of the request; a workflow has a queue of its own."""

    async def use(world: World) -> None:
        body = {"workflow": "nap", "input": [0], "queue": "q", "key": "k", "priority": 3}
        run_id = (await world.post(202, "/runs", {**body, "attributes": {"vip": True, "n": 2}}))["run_id"]
        run = (await world.until(run_id, "completed"))["run"]
        assert (run["queue"], run["key"], run["priority"]) == ("q", "k", 3)
        assert run["attributes"] == {"vip": True, "n": 2}
        other = await world.start("nap", seconds=0)
        assert (await world.until(other, "completed"))["run"]["queue"] == "naps"

    within(use)


def test_a_listing_is_paged_and_filtered() -> None:
    """The youngest first; a cursor goes on where the page ended, and each run is on one page."""

    async def use(world: World) -> None:
        for number in range(7):
            body = {"workflow": "greet", "input": [f"n{number}"], "run_id": f"r{number}"}
            await world.post(202, "/runs", {**body, "attributes": {"odd": number % 2 == 1}})
            await asyncio.sleep(0.002)
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        seen, cursor = [], None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = await world.get(200, "/runs", params={"limit": 3, "workflow": "greet", **more})
            seen += [run["run_id"] for run in page["runs"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == [f"r{number}" for number in reversed(range(7))]
        for query, wanted in (
            ({"status": ["waiting", "paused"]}, ["asks"]),
            ({"attribute": "odd=true"}, ["r5", "r3", "r1"]),
            ({"q": "R3"}, ["r3"]),
            ({"queue": "none"}, []),
            ({"started_before": "2020-01-01T00:00:00Z"}, []),
        ):
            found = await world.get(200, "/runs", params=query)
            assert [run["run_id"] for run in found["runs"]] == wanted, query
        run = (await world.get(200, "/runs", params={"status": "waiting"}))["runs"][0]
        assert run["waits"][0]["event"] == "approved"
        assert run["waits"][0]["due"].endswith("Z")

    within(use)


def test_a_query_that_means_nothing_is_refused() -> None:
    """Nothing that was asked for is left out in silence."""

    async def use(world: World) -> None:
        for query, field in (
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("limt=5", "limt"),
            ("limit=5&limit=6", "limit"),
            ("status=happy", "status[0]"),
            ("cursor=x", "cursor"),
            ("cursor=99999999999999999999:x", "cursor"),
            ("cursor=5:../x", "cursor"),
            ("q=%00", "q"),
            ("started_after=yesterday", "started_after"),
        ):
            problem = await world.get(400, f"/runs?{query}")
            assert problem["field"] == field, query
        assert (await world.get(422, "/runs?attribute=x"))["field"] == "attribute"
        assert (await world.get(400, "/runs?q=%ff"))["type"] == "/problems/bad-request"

    within(use)


def test_a_run_shows_what_its_log_tells() -> None:
    """Waits with the schema of what they take, and after a failure the traceback of the author's lines."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        found = await world.until("asks", "waiting")
        wait = found["waits"][0]
        assert (wait["path"], wait["event"]) == ("approved", "approved")
        assert "by" in str(wait["schema"])
        await world.start("mends", "broken", path="/nowhere/at/all")
        found = await world.until("broken", "failed")
        assert "LookupError: no /nowhere/at/all" in found["traceback"]
        assert "flows.py" in found["traceback"]
        assert found["result"] is None

    within(use)


def test_an_unknown_run_is_a_problem_with_what_was_meant() -> None:
    """The place of the store is not told."""

    async def use(world: World) -> None:
        await world.start("greet", "order-1", name="a")
        problem = await world.get(404, "/runs/order-2")
        assert problem["near"] == ["order-1"]
        assert problem["detail"] == "no run 'order-2'; did you mean 'order-1'?"
        assert (await world.get(400, "/runs/.hidden"))["type"] == "/problems/invalid-id"
        assert (await world.get(400, "/runs/a%00b"))["type"] == "/problems/invalid-id"
        assert (await world.get(400, "/runs/..%5c..%5cx"))["type"] == "/problems/invalid-id"
        assert (await world.get(404, "/runs/..%2f..%2fx"))["type"] == "/problems/not-found"
        assert (await world.get(400, "/runs/%2e%2e"))["type"] == "/problems/invalid-id"

    within(use)


def test_an_unexpected_error_tells_nothing_of_the_inside(caplog: Any) -> None:
    """It is in the log, under the id that the client is given."""

    class Broken(MemoryBackend):
        def find(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("the password is swordfish")

    async def use(world: World) -> None:
        problem = await world.get(500, "/runs")
        assert problem["type"] == "/problems/internal-error"
        assert "swordfish" not in str(problem)
        id = re.findall(r"error (\w+)", problem["detail"])[0]
        assert id in caplog.text and "swordfish" in caplog.text

    within(use, Broken())


def test_a_store_in_trouble_is_unavailable_and_names_no_file(caplog: Any) -> None:
    """The client may come back; the file is in the log of the server."""
    from flopod.errors import StorageError

    class Broken(MemoryBackend):
        def find(self, *_: Any, **__: Any) -> Any:
            raise StorageError("cannot be read", file="/secret/place.db")

    async def use(world: World) -> None:
        response = await world.ask(503, "GET", "/runs")
        assert response.headers["retry-after"]
        assert "/secret" not in response.text
        assert "/secret/place.db" in caplog.text

    within(use, Broken())
