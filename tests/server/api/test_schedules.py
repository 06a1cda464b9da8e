"""Schedules and workflows over HTTP."""

import asyncio
from typing import Any

from tests.server.api.world import World, within

DAILY = {"name": "daily", "workflow": "greet", "input": {"name": "ada"}, "cron": "0 8 * * *"}


def test_a_schedule_is_kept_shown_changed_and_forgotten() -> None:
    """What was given is what is shown, with the time at which it is due."""

    async def use(world: World) -> None:
        response = await world.ask(201, "POST", "/schedules", {**DAILY, "zone": "Europe/Berlin"})
        assert response.headers["location"] == "/schedules/daily"
        shown = await world.get(200, "/schedules/daily")
        assert shown == response.json()
        assert (shown["cron"], shown["zone"], shown["input"]) == (
            "0 8 * * *",
            "Europe/Berlin",
            {"name": "ada"},
        )
        assert shown["next"] is not None and shown["paused"] is False
        changed = {**DAILY, "cron": "", "every": "2h", "attributes": {"a": 1}}
        del changed["name"]
        put = await world.ask(200, "PUT", "/schedules/daily", changed)
        assert (put.json()["every"], put.json()["attributes"]) == ("2h", {"a": 1})
        assert [one["name"] for one in (await world.get(200, "/schedules"))["schedules"]] == ["daily"]
        assert (await world.ask(204, "DELETE", "/schedules/daily")).content == b""
        problem = await world.get(404, "/schedules/daily")
        assert problem["type"] == "/problems/unknown-schedule"
        await world.ask(404, "DELETE", "/schedules/daily")

    within(use)


def test_a_schedule_starts_runs() -> None:
    """At once, not when the engine looks the next time."""

    async def use(world: World) -> None:
        soon = {**DAILY, "name": "soon", "cron": "", "at": "300ms"}
        await world.post(201, "/schedules", soon)
        runs: list[Any] = []
        for _ in range(150):
            runs = (await world.get(200, "/runs?attribute=schedule=soon"))["runs"]
            if runs:
                break
            await asyncio.sleep(0.01)
        assert (await world.until(runs[0]["run_id"], "completed"))["result"] == "hello ada"

    within(use)


def test_the_engine_is_told_of_every_change() -> None:
    """It would see it in two seconds; what is due before that would be late."""
    looks: list[str] = []

    async def use(world: World) -> None:
        world.host.look = lambda: looks.append("look")  # type: ignore[method-assign]
        body = {**DAILY, "cron": "0 9 * * *"}
        del body["name"]
        for number, (method, path, given) in enumerate(
            (
                ("POST", "/schedules", DAILY),
                ("PUT", "/schedules/daily", body),
                ("POST", "/schedules/daily/pause", None),
                ("POST", "/schedules/daily/resume", None),
                ("DELETE", "/schedules/daily", None),
            ),
            1,
        ):
            more: dict[str, Any] = {} if given is None else {"json": given}
            await world.client.request(method, path, **more)
            assert len(looks) == number, path

    within(use)


def test_a_paused_schedule_is_due_at_no_time() -> None:
    """Until it is resumed."""

    async def use(world: World) -> None:
        await world.post(201, "/schedules", DAILY)
        paused = await world.post(200, "/schedules/daily/pause")
        assert (paused["paused"], paused["next"]) == (True, None)
        resumed = await world.post(200, "/schedules/daily/resume")
        assert resumed["paused"] is False and resumed["next"]
        await world.post(404, "/schedules/none/pause")

    within(use)


def test_what_cannot_be_kept_is_refused_with_its_field() -> None:
    """The input is held against the workflow now, not when it is due."""

    async def use(world: World) -> None:
        changes: list[tuple[int, str, dict[str, Any]]] = [
            (422, "every", {"every": "1h"}),
            (422, "cron", {"cron": "99 * * * *"}),
            (422, "zone", {"zone": "Mars/Olympus"}),
            (422, "input.name", {"input": {"name": 5}}),
            (404, "", {"workflow": "gret"}),
            (400, "name", {"name": None}),
            (400, "overlap", {"overlap": "maybe"}),
            (400, "", {"name": "../x"}),
            (422, "name", {"name": "x" * 101}),
        ]
        for status, field, change in changes:
            problem = await world.post(status, "/schedules", {**DAILY, **change})
            assert problem.get("field", "") == field, problem
        assert (await world.get(200, "/schedules"))["schedules"] == []
        await world.post(201, "/schedules", DAILY)
        assert (await world.post(409, "/schedules", DAILY))["type"] == "/problems/schedule-exists"

    within(use)


def test_workflows_say_what_they_take() -> None:
    """Their docstring, the schema of their input, and where they wait."""

    async def use(world: World) -> None:
        listed = {one["name"]: one for one in (await world.get(200, "/workflows"))["workflows"]}
        assert list(listed) == ["approve", "confirm", "greet", "mends", "nap", "noted", "total"]
        greet = await world.get(200, "/workflows/greet")
        assert greet == listed["greet"]
        assert greet["description"] == "Say hello to somebody, some times."
        assert greet["input_schema"] == {
            "type": "object",
            "properties": {"name": {"type": "string"}, "times": {"type": "integer", "default": 1}},
            "required": ["name"],
            "additionalProperties": False,
        }
        assert listed["approve"]["waits"] == [{"path": "approved", "event": "approved"}]
        assert listed["nap"]["queue"] == "naps"
        assert "Line" in listed["total"]["input_schema"]["$defs"]
        assert (await world.get(404, "/workflows/gret"))["near"] == ["greet"]

    within(use)


def test_a_workflow_is_drawn() -> None:
    """In the form that is asked for."""

    async def use(world: World) -> None:
        svg = await world.ask(200, "GET", "/workflows/approve/graph")
        assert svg.headers["content-type"] == "image/svg+xml" and "<svg" in svg.text
        for form, text in (("mermaid", "flowchart"), ("dot", "digraph"), ("json", '"nodes"')):
            drawn = await world.ask(200, "GET", f"/workflows/approve/graph?format={form}")
            assert text in drawn.text
        await world.get(400, "/workflows/approve/graph?format=png")
        await world.get(404, "/workflows/none/graph")

    within(use)
