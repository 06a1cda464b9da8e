"""The page of a run: what it shows of runs that wait, fail, end, loop for long, and were killed."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from flopod.backends import MemoryBackend, SqliteBackend
from flopod.engine import control
from flopod.engine.waits import deliver
from flopod.events import RunResumed
from flopod_compiler.testing.source import Source
from tests.server.pages.visiting import Visit, visit, words

CITIES = ["Rome", "Oslo", "Porto"]


def line_of(html: str, css: str) -> str:
    """The line of source that has a class."""
    found = re.search(rf'<tr class="at {css}".*?</tr>', html, re.S)
    assert found is not None, f"no line is {css}"
    return words(found.group())


def test_the_line_where_a_run_waits_is_marked(travel: Source) -> None:
    """The author's line that waits says so at its end, and the emitted line stands beside it."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        html = await here.get("/ui/runs/t")
        line = line_of(html, "s-waiting")
        assert 'decision = await wait_for( "approved" , Decision' in line
        assert "waiting for approved" in line
        assert 'wf.wait( "approved"' in line
        assert re.search(r"✓6.*find_hotel", words(html)), "both calls of three iterations are done"

    visit(travel, scenario)


def test_a_payload_is_delivered_by_a_form_of_its_type(travel: Source) -> None:
    """The form has a field for each of the type's, and what it says reaches the run."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        html = await here.get("/ui/runs/t")
        for name in (
            "payload/approved",
            "payload/by",
            "payload/limit",
            "payload/cabin",
            "payload/contact/name",
        ):
            assert f'name="{name}"' in html
        answer = await here.post(
            "/ui/runs/t/deliver",
            path="approved",
            event="approved",
            payload__approved="true",
            payload__by="zoe",
            payload__limit="",
            payload__cabin='"business"',
            payload__tags="urgent\r\nvip\r\n",
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/runs/t?told=deliver.now")
        await here.world.until("t", "completed")
        items = here.backend.inbox("t")
        assert json.loads(bytes(items[0].payload)) == {
            "approved": True,
            "by": "zoe",
            "limit": None,
            "cabin": "business",
            "tags": ["urgent", "vip"],
            "contact": None,
        }

    visit(travel, scenario)


def test_what_is_wrong_in_a_form_is_said_at_its_field(travel: Source) -> None:
    """A payload that does not fit is refused, what was typed stays, and nothing is delivered."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        answer = await here.post(
            "/ui/runs/t/deliver",
            path="approved",
            event="approved",
            payload__approved="true",
            payload__by="<b>zoe",
            payload__limit="much",
        )
        assert answer.status_code == 422
        field = re.search(r'<div class="field k-number bad">.*?</div>', answer.text, re.S)
        assert field is not None
        assert "&#39;much&#39; is not a number" in field.group()
        assert 'aria-invalid="true"' in field.group()
        assert 'value="&lt;b&gt;zoe"' in answer.text
        assert here.backend.inbox("t") == []

    visit(travel, scenario)


def test_a_failed_run_shows_its_traceback_and_the_line(travel: Source, services: ModuleType) -> None:
    """The line that failed is marked, the traceback is the author's, and markup in an error is text."""
    services.trouble["charge"] = 1

    async def scenario(here: Visit) -> None:
        await here.world.begin("paid", "p", "failed", account="carl")
        html = await here.get("/ui/runs/p")
        line = line_of(html, "s-failed")
        assert "return await charge(account, amount)" in line
        assert "failed here: ConnectionError" in line
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)" in html
        assert "Traceback (most recent call last)" in html
        panel = await here.get("/ui/runs/p/operation?op=charge")
        assert "1 try" in words(panel)
        assert "carl" in words(panel)

    visit(travel, scenario)


def test_tries_and_the_pauses_between_them_are_bars(travel: Source, services: ModuleType) -> None:
    """Two failed tries and one that went well are three bars, with two pauses between."""
    services.trouble["charge"] = 2

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        deliver(here.backend, "t", "approved", "approved", '{"approved": true, "by": "zoe"}')
        await here.world.until("t", "completed")
        html = await here.get("/ui/runs/t")
        row = re.search(r'<a class="row[^>]*data-op="charge".*?</a>', html, re.S)
        assert row is not None
        kinds = re.findall(r'class="bar b-(\w+)"', row.group())
        assert kinds == ["failed", "pause", "failed", "pause", "done"]
        assert "3 tries" in row.group()

    visit(travel, scenario)


def test_a_long_loop_is_cut_short_and_says_so(travel: Source) -> None:
    """Of a thousand iterations the last are shown; those that compaction removed are told of, not drawn."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("counted", "c", "completed", times=1000)
        html = await here.get("/ui/runs/c")
        text = words(html)
        assert "1,000 iterations" in text
        assert re.search(r"1,000 iterations, \d+ still in the log", text)
        assert re.search(r"[\d,]+ events of completed iterations have been compacted away", text)
        assert "Counts are the least there was" in text
        assert len(html) < 150_000
        more = re.search(r'data-open="([^"]+)"', html)
        assert more is not None
        opened = await here.get(f"/ui/runs/c?open={more.group(1)}")
        assert opened.count('class="row d-1"') > html.count('class="row d-1"')

    visit(travel, scenario)


def test_a_run_is_shown_as_it_was(travel: Source) -> None:
    """With `at` the page is that of an earlier time: less is done, and nothing can be delivered."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        html = await here.get("/ui/runs/t?at=4")
        assert "running find_hotel" in line_of(html, "s-running")
        assert "This is the run as it was after event 4" in words(html)
        assert "/deliver" not in html
        between = await here.get("/ui/runs/t?at=8")
        assert "bookings.append(await book(city, price))" in line_of(between, "s-here").replace("( ", "(")
        state = (await here.client.get("/ui/runs/t/live?at=4")).json()
        assert (state["seq"], state["status"], state["next"]["seq"]) == (4, "running", 5)

    visit(travel, scenario)


def test_a_live_page_gets_what_changed_and_nothing_when_nothing_did(travel: Source) -> None:
    """The parts of a page come as fragments; with the last sequence number there is no content."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        seq = here.backend.summary("t").seq  # type: ignore[union-attr]
        answer = await here.client.get(f"/ui/runs/t/live?seq={seq}")
        assert (answer.status_code, answer.content) == (204, b"")
        control.pause(here.backend, "t")
        await here.world.until("t", "paused")
        state = (await here.client.get(f"/ui/runs/t/live?seq={seq}")).json()
        assert state["status"] == "paused"
        assert state["seq"] > seq
        assert "paused" in state["parts"]["head"]
        assert "variables" not in state["parts"], "no variable has changed"

    visit(travel, scenario)


def test_buttons_do_what_they_say(travel: Source) -> None:
    """Pause, resume, cancel and fork by their forms; a button that cannot be pressed says why."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("trip", "t", "waiting", account="ann", cities=CITIES)
        assert (await here.post("/ui/runs/t/pause")).status_code == 303
        await here.world.until("t", "paused")
        html = await here.get("/ui/runs/t")
        assert re.search(r'disabled title="The run is paused already">Pause', html)
        await here.post("/ui/runs/t/resume")
        await here.world.until("t", "waiting")
        forked = await here.post("/ui/runs/t/fork", **{"from": "cities[1]/book", "new_run_id": "f"})
        assert forked.headers["location"] == "/ui/runs/f?told=fork.now"
        assert "fork of" in words(await here.get("/ui/runs/f"))
        await here.post("/ui/runs/t/cancel")
        await here.world.until("t", "cancelled")
        again = await here.post("/ui/runs/t/cancel")
        assert again.status_code in (303, 409)
        refused = await here.post("/ui/runs/f/retry")
        assert refused.status_code == 409
        assert "only a run that failed or was cancelled" in words(refused.text)

    visit(travel, scenario)


def test_children_and_parents_link_to_each_other(travel: Source) -> None:
    """A parent names the runs that it started, a child names its parent."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("family", "f", "waiting", accounts=["eve"], city="Amsterdam")
        child = next(iter(here.backend.summary("f").children.values()))  # type: ignore[union-attr]
        assert f'href="/ui/runs/{child}"' in await here.get("/ui/runs/f")
        await here.world.until(child, "waiting", "completed")
        assert "child of" in words(await here.get(f"/ui/runs/{child}"))

    visit(travel, scenario)


def test_history_goes_page_by_page_and_by_kind(travel: Source) -> None:
    """The last events come first; a kind can be chosen; an event shows all its values."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("counted", "c", "completed", times=60)
        html = await here.get("/ui/runs/c")
        assert html.count("data-event=") == 50
        assert "run_completed" in html
        earlier = re.search(r"\?after=(\d+)[^>]*>Earlier", html)
        assert earlier is not None
        before = await here.get(f"/ui/runs/c?after={earlier.group(1)}")
        assert f'data-event="{int(earlier.group(1)) + 1}"' in before
        first = await here.get("/ui/runs/c?after=0")
        assert 'data-event="1"' in first
        assert "Earlier</a>" not in first
        assert "Later" in first
        kind = await here.get("/ui/runs/c?kind=activity_started")
        assert kind.count("data-event=") == 50
        assert "line 0" in words(await here.get("/ui/runs/c/events/3"))

    visit(travel, scenario)


def test_a_run_of_an_unknown_build_says_that_its_source_is_not_here(travel: Source) -> None:
    """No other build's source is shown in its place."""
    backend = MemoryBackend()

    async def scenario(here: Visit) -> None:
        await here.world.begin("asked", "a", "waiting")
        here.world._build = here.world._build._replace(  # as after a deployment
            manifest=here.world._build.manifest.__class__(build="other", name="other", workflows={})
        )
        html = await here.get("/ui/runs/a")
        assert "is not known here any more" in words(html)
        assert 'class="src"' not in html

    visit(travel, scenario, backend)


@pytest.mark.parametrize(
    "url", ["/ui/runs/nope", "/ui/runs/.hidden", "/ui/runs/a%2Fb", "/ui/runs/%00", "/ui/runs/x/live"]
)
def test_a_run_that_is_not_there_is_a_page(travel: Source, url: str) -> None:
    """An unknown or impossible id is a 404 in the look of the other pages."""

    async def scenario(here: Visit) -> None:
        answer = await here.client.get(url)
        assert answer.status_code in (404, 405)

    visit(travel, scenario)


def test_numbers_in_urls_are_checked(travel: Source) -> None:
    """What is no number of an event is a bad request, not a failure."""

    async def scenario(here: Visit) -> None:
        await here.world.begin("asked", "a", "waiting")
        for query in ("at=x", "at=-1", "at=" + "9" * 40, "after=1e9"):
            assert "is no number" in words(await here.get(f"/ui/runs/a?{query}", 400))
        for query in ("open=x:99999999999", "open=:::", "op=nope", "kind=nope", "told=<script>"):
            assert "<script>alert" not in await here.get(f"/ui/runs/a?{query}")

    visit(travel, scenario)


def test_a_run_that_was_killed_shows_the_gap(travel: Source, tmp_path: Path) -> None:
    """A crash is counted in the head, and the time in which nobody drove the run is marked."""
    backend = SqliteBackend(tmp_path / "flopod.db")

    async def before(here: Visit) -> None:
        await here.world.begin("asked", "a", "waiting")

    async def after(here: Visit) -> None:
        html = await here.get("/ui/runs/a")
        assert re.search(r'class="mark m-down"[^>]*><title>the process was killed', html)
        assert "Crashes 1 survived" in words(html)

    visit(travel, before, backend)
    last = backend.load("a")[-1]
    backend.append("a", last.seq, [RunResumed(crashed=True, at=last.event.at + 900)])
    visit(travel, after, backend)
