"""Names and values that want to be markup, in a browser: nothing is run, and no page falls apart."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server.browsing import visited
from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process

SCRIPT = "<script>alert(1)</script>"
IMAGE = "\"'><img src=x onerror=alert(2)>"
RIGHT_TO_LEFT = "\u202eגנבא\u202c مرحبا"
LONG = "w" * 100_000
NAMES = (SCRIPT, IMAGE, RIGHT_TO_LEFT, "{{ 7 * 7 }}", "a\nb\tc", "javascript:alert(3)")

FLOW = f'''"""Hostile names. {SCRIPT}"""

from flopod import activity, log, wait_for, workflow


@activity(name={SCRIPT!r})
async def tagged(text: str) -> str:
    return text


@activity(name={IMAGE!r})
async def quoted(text: str) -> str:
    """Raises ValueError if it begins with an exclamation mark."""
    if text.startswith("!"):
        raise ValueError(text)
    return text


@workflow(name="shown {SCRIPT}")
async def shown(texts: list[str], fails: str = {IMAGE!r}) -> list[str]:
    """Show it: {SCRIPT}"""
    found: list[str] = []
    for text in texts:
        found.append(await tagged(text))
    log("logged " + texts[0], field={SCRIPT!r})
    answer = await wait_for({SCRIPT!r}, str)
    await quoted(answer)
    return found
'''


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developed]:
    """A source with such names, and three runs of it: one waits, one is over, one has failed."""
    folder = tmp_path_factory.mktemp("hostile")
    source = folder / "hostile"
    source.mkdir()
    (source / "flow.py").write_text(FLOW)
    with Developed(folder, source) as dev:
        dev.until_ready()
        name = dev.ask("GET", "/workflows").json["workflows"][0]["name"]
        for run_id in ("waits", "over", "failed"):
            dev.start_run(name, run_id, texts=[*NAMES, LONG])
            dev.until(run_id, "waiting")
        dev.deliver("over", SCRIPT, IMAGE)
        dev.until("over", "completed")
        dev.deliver("failed", SCRIPT, f"!{SCRIPT}{RIGHT_TO_LEFT}{LONG}")
        dev.until("failed", "failed")
        yield dev


def _is_whole(page: Page) -> None:
    """Nothing has been run or made of a text, and nothing is wider than the window."""
    assert (
        page.locator("main img, main script, #dev img, #dev script, #panel img, #panel script").count() == 0
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.get_by_text("49", exact=True).count()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("run_id", ["waits", "over", "failed"])
def test_the_page_of_a_run(browser: Browser, hostile: Developed, run_id: str, width: int) -> None:
    """With everything in it opened."""
    with visited(browser, hostile.url, viewport={"width": width, "height": 900}) as page:
        page.goto(f"/ui/runs/{run_id}")
        expect(page.locator("#part-history")).to_be_visible()
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        _is_whole(page)
        for opener in page.locator("a.row[data-op]").all()[:4]:
            opener.click()
            expect(page.locator("#panel header")).to_be_visible()
            page.evaluate("for (const each of document.querySelectorAll('#panel details')) each.open = true")
            _is_whole(page)
            page.locator("[data-close]").click()
        page.locator("[data-event='2']").first.click()
        expect(page.locator("#panel header")).to_be_visible()
        _is_whole(page)


def test_the_graph_has_names_as_text(browser: Browser, hostile: Developed) -> None:
    """Nodes of such names can be opened."""
    with visited(browser, hostile.url) as page:
        page.goto("/ui/runs/over")
        node = page.locator('.graph .node[data-path^="texts[*]/<script>"]')
        expect(node).to_have_class(re.compile("is-done"))
        node.click()
        expect(page.locator("#panel")).to_contain_text("<script>alert(1)<%2Fscript>")
        _is_whole(page)


def test_the_form_delivers_to_such_an_event(browser: Browser, hostile: Developed) -> None:
    """Its name goes there and back unchanged."""
    with visited(browser, hostile.url) as page:
        page.goto("/ui/runs/waits?told=<script>alert(4)</script>")
        button = page.get_by_role("button", name=f"Deliver {SCRIPT}")
        expect(button).to_be_visible()
        _is_whole(page)


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/?q=" + quote(SCRIPT),
        "/?workflow=" + quote(IMAGE),
        "/ui/workflows",
        "/ui/workflows/" + quote(f"shown {SCRIPT}", safe=""),
        "/ui/schedules",
    ],
)
def test_other_pages(browser: Browser, hostile: Developed, url: str) -> None:
    """What was asked for is shown as text."""
    with visited(browser, hostile.url) as page:
        page.goto(url)
        expect(page.locator("main h1")).to_be_visible()
        _is_whole(page)


@pytest.mark.parametrize(
    "url", ["/ui/" + quote(SCRIPT), "/ui/runs/" + quote(IMAGE), "/" + quote(RIGHT_TO_LEFT)]
)
def test_addresses_that_there_are_not(browser: Browser, hostile: Developed, url: str) -> None:
    """Their names are text in the page that says so."""
    context = browser.new_context(base_url=hostile.url)
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    answer = page.goto(url)
    assert answer is not None
    assert answer.status in (400, 404)
    _is_whole(page)
    assert dialogs == []
    context.close()


def test_an_error_in_such_a_source(browser: Browser, tmp_path: Path) -> None:
    """The lines of a diagnostic are text, as are the words of an exception."""
    source = tmp_path / "hostile"
    source.mkdir()
    broken = FLOW.replace("await quoted(answer)", f"eval({IMAGE!r} + {SCRIPT!r} + {LONG!r})")
    (source / "flow.py").write_text(broken)
    with Developed(tmp_path, source) as dev, visited(browser, dev.url) as page:
        page.goto("/")
        expect(page.locator(".dev-error").first).to_contain_text(SCRIPT)
        _is_whole(page)
        raising = f"raise RuntimeError({json.dumps(SCRIPT + IMAGE + LONG)})\n"
        (dev.script / "flow.py").write_text(FLOW.replace("from flopod", f"{raising}from flopod", 1))
        expect(page.locator(".dev-error")).to_contain_text("RuntimeError: <script>")
        _is_whole(page)
