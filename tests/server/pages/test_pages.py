"""Pages about more than one run: the list, workflows, schedules, the way in, links for people."""

import re

import pytest
from msgspec import Raw

from flopod.backends import MemoryBackend
from flopod.backends.base import Batch
from flopod.engine.schedule import Schedule
from flopod.engine.scheduling import Schedules
from flopod.events import Event, RunCompleted, RunFailed, RunStarted, WaitStarted
from flopod.server.settings import Settings
from flopod_compiler.testing.source import Source
from tests.server.pages.visiting import SETTINGS, Visit, visit, words

HOSTILE = "<img src=x onerror=alert(1)>\"'&lt;"


def started(run_id: str, at: int, workflow: str = "asked") -> RunStarted:
    return RunStarted(workflow=workflow, input=Raw(b"{}"), run_id=run_id, at=at)


def filled(amount: int) -> MemoryBackend:
    """A store with runs that wait, one in ten of them completed."""
    backend = MemoryBackend()
    for n in range(amount):
        events: list[Event] = [started(f"run-{n}", 1_760_000_000_000 + n)]
        if n % 10 == 0:
            events.append(RunCompleted(result=Raw(b"1"), at=1_760_000_001_000 + n))
        else:
            events.append(WaitStarted(path="answer", event="answer", at=1_760_000_001_000 + n))
        backend.append_many([Batch(f"run-{n}", 0, events)])
    return backend


def test_an_empty_list_says_how_to_start_a_run(travel: Source) -> None:
    """Without a run there is a button for each workflow, and the request of a shell."""

    async def scenario(here: Visit) -> None:
        html = await here.get("/")
        assert "No runs yet" in words(html)
        for name in ("trip", "paid", "asked"):
            assert f'href="/ui/workflows/{name}"' in html
        assert "curl -X POST" in words(html)

    visit(travel, scenario)


def test_the_list_is_filtered_counted_and_paged(travel: Source) -> None:
    """Chips count all runs; a status, a text and a cursor choose among them; nothing is shown twice."""

    async def scenario(here: Visit) -> None:
        html = await here.get("/")
        assert "all 120" in words(html)
        assert re.search(r"waiting 108 .*completed 12", words(html))
        first = re.findall(r'name="run" value="([^"]+)"', html)
        older = re.search(r'href="/\?([^"]*)" rel="next"', html)
        assert older is not None
        second = re.findall(r'name="run" value="([^"]+)"', await here.get("/?" + older.group(1)))
        assert first == [f"run-{n}" for n in range(119, 69, -1)]
        assert second == [f"run-{n}" for n in range(69, 19, -1)]
        done = await here.get("/?status=completed")
        assert len(re.findall("data-row", done)) == 12
        assert len(re.findall("data-row", await here.get("/?q=run-11"))) == 11
        assert (
            len(re.findall("data-row", await here.get("/?status=completed&status=failed&workflow=asked")))
            == 12
        )
        assert "No run fits" in words(await here.get("/?q=nothing-like-it"))
        assert "<html" not in await here.get("/?fragment=1")

    visit(travel, scenario, filled(120))


def test_several_runs_are_cancelled_at_once(travel: Source) -> None:
    """Those that were chosen are told; one that cannot be is named, and the filters stay."""

    async def scenario(here: Visit) -> None:
        for run_id in ("a", "b", "c"):
            await here.world.begin("asked", run_id, "waiting")
        answer = await here.client.post(
            "/ui/bulk?status=waiting", data={"run": ["a", "b", "nope"], "action": "cancel"}
        )
        assert answer.status_code == 303
        await here.world.until("a", "cancelled")
        await here.world.until("b", "cancelled")
        told = words(await here.get(answer.headers["location"]))
        assert "Told 2 runs to cancel, but not nope" in told
        assert here.backend.summary("c").status == "waiting"  # type: ignore[union-attr]

    visit(travel, scenario)


def test_what_others_have_written_is_text(travel: Source) -> None:
    """Markup in ids of workflows, errors, attributes and search words stays text everywhere."""
    backend = MemoryBackend()
    backend.append(
        "evil",
        0,
        [
            RunStarted(
                workflow=HOSTILE,
                input=Raw(b'{"<b>":"</script><script>"}'),
                run_id="evil",
                at=1,
                attributes={HOSTILE: HOSTILE},
            ),
            WaitStarted(path=f"{HOSTILE}[{HOSTILE}]", event=HOSTILE, at=2),
            RunFailed(error=Raw(b'"x"'), traceback=f"Traceback\n{HOSTILE}", at=3),
        ],
    )

    async def scenario(here: Visit) -> None:
        urls = (
            "/",
            "/?q=" + "%3Cimg%20src=x%3E",
            "/ui/runs/evil",
            "/ui/runs/evil/operation?op=%3Cimg%3E",
            "/ui/runs/evil/events/2",
            "/ui/runs/evil?told=%3Cimg%3E",
            "/?did=cancel&amount=2&refused=%3Cimg%20src=x%3E",
        )
        for url in urls:
            html = await here.get(url)
            assert "<img src=x" not in html, url
            assert "</script><script>" not in html, url

    visit(travel, scenario, backend)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/?cursor=" + "9" * 30 + ":run-1", 422),
        ("/?cursor=5:..%00", 422),
        ("/ui/runs/run-1/events/" + "9" * 5000, 404),
        ("/ui/runs/run-1/events/" + "9" * 5000 + "/input", 404),
    ],
)
def test_no_number_in_an_address_is_too_large(travel: Source, url: str, status: int) -> None:
    """What a link was changed to is refused with a page, as other mistakes are."""

    async def scenario(here: Visit) -> None:
        await here.get(url, status)

    visit(travel, scenario, filled(3))


def test_a_run_is_started_by_the_form_of_its_input(travel: Source) -> None:
    """The form has the parameters with their defaults; what it says is the input of the run."""

    async def scenario(here: Visit) -> None:
        html = await here.get("/ui/workflows/trip")
        assert "Plan a round trip" in words(html)
        assert "flopod-graph" in html
        answer = await here.post(
            "/ui/workflows/trip",
            payload__account="ann",
            payload__cities="Rome\r\n\r\nOslo\r\n",
            payload__cabin='"business"',
            run_id="mine",
        )
        assert answer.headers["location"] == "/ui/runs/mine?told=start.now"
        first = here.backend.load("mine")[0].event
        assert isinstance(first, RunStarted)
        assert bytes(first.input).startswith(b'{"account":"ann","cities":["Rome","Oslo"]')

    visit(travel, scenario)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"payload__account": "ann", "payload__amount": "many"}, "is not a whole number"),
        ({"payload__account": "ann", "payload__amount": "5", "run_id": "a b"}, "run id"),
        ({"payload__account": "ann", "payload__amount": "5", "run_id": "taken"}, "taken"),
    ],
)
def test_a_start_that_cannot_be_says_why(travel: Source, fields: dict[str, str], said: str) -> None:
    """The form comes back with what was typed and what is wrong with it."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("asked", "taken", "waiting")
        answer = await here.post("/ui/workflows/paid", **fields)
        assert answer.status_code == 422
        assert said in words(answer.text)
        assert 'value="ann"' in answer.text

    visit(travel, scenario)


def test_schedules_are_listed_and_paused(travel: Source) -> None:
    """A schedule shows its next times, and can be paused and resumed."""

    async def scenario(here: Visit) -> None:
        assert "No schedules" in words(await here.get("/ui/schedules"))
        Schedules(here.backend).add(Schedule(name="nightly", workflow="asked", cron="0 3 * * *"))
        assert re.search(r"nightly.*0 3 \* \* \*.*03:00:00", words(await here.get("/ui/schedules")))
        await here.post("/ui/schedules/nightly/pause")
        assert Schedules(here.backend).get("nightly").paused
        assert "paused" in words(await here.get("/ui/schedules"))
        await here.post("/ui/schedules/nightly/resume")
        assert not Schedules(here.backend).get("nightly").paused

    visit(travel, scenario)


def test_the_way_in_asks_for_the_token_once(travel: Source) -> None:
    """Without a session a page leads to the login, which keeps no token and goes on where one was going."""
    settings = Settings(token="a token of this test", secret=SETTINGS.secret)

    async def scenario(here: Visit) -> None:
        answer = await here.client.get("/ui/schedules", headers={"Accept": "text/html"})
        assert answer.headers["location"] == "/ui/login?next=%2Fui%2Fschedules"
        assert 'value="/ui/schedules"' in await here.get(answer.headers["location"])
        wrong = await here.post("/ui/login", token="wrong", next="/ui/schedules")
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        right = await here.post("/ui/login", token="a token of this test", next="//evil.example")
        assert (right.status_code, right.headers["location"]) == (303, "/")
        assert "a token" not in right.headers["set-cookie"]
        assert "No schedules" in words(await here.get("/ui/schedules"))
        assert "Sign out" in await here.get("/ui/schedules")
        out = await here.post("/ui/logout")
        assert out.status_code == 303
        assert (await here.client.get("/ui/schedules", headers={"Accept": "text/html"})).status_code == 303

    visit(travel, scenario, settings=settings)


def test_a_session_that_was_ended_is_over_for_who_has_its_cookie(travel: Source) -> None:
    """Not in this browser alone; another session goes on."""
    settings = Settings(token="a token of this test", secret=SETTINGS.secret)

    async def scenario(here: Visit) -> None:
        async def session() -> dict[str, str]:
            answer = await here.post("/ui/login", token=settings.token)
            here.client.cookies.clear()
            return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}

        async def reads(headers: dict[str, str]) -> bool:
            return (await here.client.get("/runs", headers=headers)).status_code == 200

        one, other = await session(), await session()
        assert await reads(one) and await reads(other)
        assert (await here.client.post("/ui/logout", headers=one)).status_code == 303
        assert not await reads(one) and await reads(other)

    visit(travel, scenario, settings=settings)


def test_a_session_that_came_by_https_goes_by_nothing_else(travel: Source) -> None:
    """Also where TLS ends before this server, which then is asked by http."""
    settings = Settings(token="a token of this test", secret=SETTINGS.secret)

    async def scenario(here: Visit) -> None:
        for scheme in ("http", "https"):
            headers = {"Origin": f"{scheme}://127.0.0.1:8080"}
            fields = {"token": settings.token}
            answer = await here.client.post("/ui/login", data=fields, headers=headers)
            assert answer.status_code == 303
            assert ("; Secure" in answer.headers["set-cookie"]) == (scheme == "https")

    visit(travel, scenario, settings=settings)


def test_a_person_answers_once_at_a_link(travel: Source) -> None:
    """The page of a link has a form of what is asked; a second answer is refused on a page."""
    page = {"Accept": "text/html"}

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=["Rome", "Oslo"])
        made = await here.client.post("/runs/t/links", json={"path": "approved", "event": "approved"})
        url = made.json()["url"]
        asked = await here.client.get(url, headers=page)
        assert 'name="payload/approved"' in asked.text
        bad = await here.client.post(url, data={"payload/by": "zoe"}, headers=page)
        assert bad.status_code == 422
        assert "a value is needed here" in words(bad.text)
        assert 'value="zoe"' in bad.text
        done = await here.client.post(
            url, data={"payload/approved": "true", "payload/by": "zoe"}, headers=page
        )
        assert (done.status_code, "Thank you" in done.text) == (200, True)
        await here.world.until("t", "completed")
        again = await here.client.post(
            url, data={"payload/approved": "false", "payload/by": "eve"}, headers=page
        )
        assert (again.status_code, again.headers["content-type"]) == (409, "text/html; charset=utf-8")
        forged = await here.client.get(url[:-2] + "xx", headers=page)
        assert (forged.status_code, "<h1>" in forged.text) == (404, True)

    visit(travel, scenario)


def test_what_is_not_there_is_a_page_for_people_alone(travel: Source) -> None:
    """A browser gets a page, a program a problem document, at the same address."""

    async def scenario(here: Visit) -> None:
        for url in ("/nothing", "/runs/nothing"):
            page = await here.client.get(url, headers={"Accept": "text/html,*/*"})
            assert (page.status_code, "<h1>" in page.text) == (404, True)
            problem = await here.client.get(url)
            assert problem.headers["content-type"] == "application/problem+json"
        assert "There is no page" in words(await here.get("/ui/nothing", 404))
        assert "There is no page" in words(await here.get("/ui/runs/x/y", 404))

    visit(travel, scenario)


def test_static_files_are_kept_by_their_digest(travel: Source) -> None:
    """A page names its files with their digests, so that browsers keep them until they change."""

    async def scenario(here: Visit) -> None:
        html = await here.get("/")
        urls = re.findall(r'(?:href|src)="(/ui/static/[^"]+)"', html)
        assert len(urls) >= 4
        for url in urls:
            answer = await here.client.get(url)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            again = await here.client.get(url, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert (await here.client.get("/ui/static/nope.js")).status_code == 404
        assert (await here.client.get("/ui/static/..%2Fbase.html")).status_code in (400, 404)

    visit(travel, scenario)


def test_a_whole_number_is_asked_for_in_steps_of_one(travel: Source) -> None:
    """The attribute has the value 1, not a text with quotes in it."""

    async def scenario(here: Visit) -> None:
        assert ' step="1"' in await here.get("/ui/workflows/counted")

    visit(travel, scenario)
