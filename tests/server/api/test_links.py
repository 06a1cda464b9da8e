"""Links at which people deliver an event: signed, for a time, once."""

import asyncio
from typing import Any

import pytest

from flopod.server.settings import Settings
from tests.server.api.world import SECRET, World, within

CHANGES = (lambda t: t[:-1], lambda t: "A" + t[1:], lambda t: t + "A", lambda _: "x")
ASKED = {"path": "approved", "event": "approved"}
YES = {"payload": {"by": "ada"}}


async def _link(world: World, **more: Any) -> str:
    """Start a run that waits; return the path of a link to answer it."""
    await world.start("approve", "asks", order="a")
    await world.until("asks", "waiting")
    made = await world.post(201, "/runs/asks/links", {**ASKED, **more})
    url: str = made["url"]
    assert url.startswith("http://127.0.0.1:8080/deliver/")
    return url.removeprefix("http://127.0.0.1:8080")


def test_a_link_says_what_is_asked_and_delivers_it() -> None:
    """Who has it needs nothing else; the run goes on with the answer."""

    async def use(world: World) -> None:
        path = await _link(world)
        asked = await world.get(200, path)
        assert (asked["run_id"], asked["workflow"], asked["event"]) == ("asks", "approve", "approved")
        assert "by" in str(asked["schema"]) and asked["expires_at"].endswith("Z")
        done = await world.post(202, path, YES)
        assert done["number"] == 1
        assert (await world.until("asks", "completed"))["result"] == "a by ada"

    within(use)


def test_a_link_delivers_once() -> None:
    """A second use says so, whether or not the run has taken the first one by then."""

    async def use(world: World) -> None:
        path = await _link(world)
        await world.post(202, path, YES)
        assert (await world.post(409, path, YES))["type"] == "/problems/link-used"
        await world.until("asks", "completed")
        assert (await world.post(409, path, YES))["type"] == "/problems/link-used"
        assert (await world.get(409, path))["type"] == "/problems/link-used"

    within(use)


def test_of_many_uses_at_once_one_delivers() -> None:
    """The run is paused, so that it takes nothing meanwhile."""

    async def use(world: World) -> None:
        path = await _link(world)
        await world.ask(202, "POST", "/runs/asks/pause")
        await world.until("asks", "paused")
        answers = await asyncio.gather(*(world.client.post(path, json=YES) for _ in range(10)))
        assert sorted(one.status_code for one in answers) == [202] + [409] * 9
        assert len([one for one in world.host.backend.inbox("asks") if one.path]) == 1

    within(use)


def test_a_wait_that_was_answered_otherwise_is_over_for_its_links() -> None:
    """Two links for one wait: the second comes too late."""

    async def use(world: World) -> None:
        path = await _link(world)
        other = (await world.post(201, "/runs/asks/links", ASKED))["url"]
        await world.post(202, path, YES)
        await world.until("asks", "completed")
        assert (await world.post(409, other, YES))["type"] == "/problems/link-used"

    within(use)


def test_a_wait_that_the_run_has_passed_is_over_for_its_links() -> None:
    """The run goes on elsewhere, and takes nothing there any more."""

    async def use(world: World) -> None:
        await world.start("confirm", "asks", order="a")
        await world.until("asks", "waiting")
        path = (await world.post(201, "/runs/asks/links", ASKED))["url"]
        early = (await world.post(201, "/runs/asks/links", {"path": "confirmed", "event": "confirmed"}))[
            "url"
        ]
        await world.post(202, "/runs/asks/deliver", {**ASKED, **YES})
        for _ in range(300):
            waits = (await world.get(200, "/runs/asks"))["waits"]
            if waits and waits[0]["path"] == "confirmed":
                break
            await asyncio.sleep(0.01)
        assert (await world.post(409, path, YES))["type"] == "/problems/link-used"
        await world.post(202, early, {"payload": {"by": "bob"}})
        assert (await world.until("asks", "completed"))["result"] == "a by ada and bob"

    within(use)


def test_a_payload_that_does_not_fit_does_not_use_up_the_link() -> None:
    """The person can correct it."""

    async def use(world: World) -> None:
        path = await _link(world)
        problem = await world.post(422, path, {"payload": {"by": 5}})
        assert problem["field"] == "payload.by"
        await world.post(202, path, YES)

    within(use)


def test_a_link_ends() -> None:
    """After its time it is gone; how long that is has bounds."""

    async def use(world: World) -> None:
        path = await _link(world, expires_in="50ms")
        await asyncio.sleep(0.06)
        assert (await world.get(410, path))["type"] == "/problems/link-expired"
        assert (await world.post(410, path, YES))["type"] == "/problems/link-expired"
        for wrong in ("", "soon", "0s", "10000w"):
            problem = await world.post(400, "/runs/asks/links", {**ASKED, "expires_in": wrong})
            assert problem["field"] == "expires_in"
        assert world.host.backend.inbox("asks") == []

    within(use)


@pytest.mark.parametrize("change", CHANGES)
def test_a_link_cannot_be_made_up(change: Any) -> None:
    """A token with one other character is none."""

    async def use(world: World) -> None:
        path = await _link(world)
        token = path.removeprefix("/deliver/")
        assert change(token) != token
        assert (await world.get(404, f"/deliver/{change(token)}"))["type"] == "/problems/unknown-link"
        assert (await world.post(404, f"/deliver/{change(token)}", YES))["type"] == "/problems/unknown-link"

    within(use)


def test_a_link_of_another_secret_or_purpose_is_none() -> None:
    """Each server has a secret, and each purpose a key."""
    from flopod.server.signing import sign

    async def use(world: World) -> None:
        payload = b'["asks","approved","approved",99999999999999,"n"]'
        for secret, purpose in ((b"another secret of tests", "deliver"), (SECRET, "session")):
            await world.get(404, "/deliver/" + sign(secret, purpose, payload))
        await world.get(404, "/deliver/" + sign(SECRET, "deliver", b"[]"))

    within(use)


def test_no_link_is_made_for_what_cannot_be_delivered() -> None:
    """The mistake is seen by who makes the link, not by the person who uses it."""

    async def use(world: World) -> None:
        await _link(world)
        problem = await world.post(404, "/runs/asks/links", {**ASKED, "path": "aproved"})
        assert problem["near"] == ["approved"]
        await world.post(404, "/runs/asks/links", {**ASKED, "event": "no"})
        await world.post(404, "/runs/none/links", ASKED)
        await world.start("greet", "done", name="a")
        await world.until("done", "completed")
        assert (await world.post(409, "/runs/done/links", ASKED))["type"] == "/problems/run-ended"

    within(use)


def test_links_have_the_public_address_of_the_server() -> None:
    """The one that people reach it by, whatever the Host of the request was."""

    async def use(world: World) -> None:
        await world.start("approve", "asks", order="a")
        await world.until("asks", "waiting")
        made = await world.post(201, "/runs/asks/links", ASKED)
        assert made["url"].startswith("https://flopod.example.com/deliver/")

    within(use, settings=Settings(secret=SECRET, public_url="https://flopod.example.com"))


def test_people_are_given_pages_where_there_are_some() -> None:
    """By what their browser accepts; programs are not."""
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, Response

    from flopod.server.api.links import Permission, deliver_once

    class Pages:
        async def asked(self, _: Request, permission: Permission) -> Response:
            return HTMLResponse(f"<p>{permission.event}?")

        async def answered(self, request: Request, permission: Permission) -> Response:
            backend = request.app.state.context.host.backend
            deliver_once(backend, permission, '{"by": "form"}')
            return HTMLResponse("<p>done")

    async def use(world: World) -> None:
        path = await _link(world)
        html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        assert (await world.ask(200, "GET", path, headers=html)).text == "<p>approved?"
        assert (await world.get(200, path))["event"] == "approved"
        form = {"Content-Type": "application/x-www-form-urlencoded", **html}
        answer = await world.client.post(path, content=b"by=form", headers=form)
        assert (answer.status_code, answer.text) == (200, "<p>done")
        assert (await world.until("asks", "completed"))["result"] == "a by form"

    within(use, pages=Pages())
