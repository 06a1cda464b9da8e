"""The dashboard by keyboard, and what a screen reader needs to know of it."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server.browsing import visited
from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process

CHECKS = (Path(__file__).parent / "page.js").read_text()
PAGES = [
    "/",
    "/ui/workflows",
    "/ui/workflows/parcel",
    "/ui/schedules",
    "/ui/runs/open",
    "/ui/runs/over",
    "/ui/runs/failed",
]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Developed]:
    """The post office with a run in each state, and one that is held."""
    with Developed(tmp_path_factory.mktemp("keyed")) as dev:
        dev.until_ready()
        dev.until(dev.start_run("letters", "over", names=["a", "b"]), "completed")
        dev.until(dev.start_run("echo", "failed", text="!no"), "failed")
        dev.until(dev.start_run("asked", "open", question="when"), "waiting")
        dev.press("step")
        dev.start_run("echo", "held", text="x")
        dev.until_bar("held waits before")
        yield dev


@pytest.fixture
def page(browser: Browser, dev: Developed) -> Iterator[Page]:
    """A page whose browser has nothing to complain of."""
    with visited(browser, dev.url) as page:
        yield page


def _asked(page: Page, question: str) -> Any:
    """What a function of page.js returns."""
    return page.evaluate(f"() => {{ {CHECKS}; return {question}(); }}")


def test_tab_goes_through_a_run(page: Page) -> None:
    """Everything that can be used is reached, in order, and shows that it has the focus."""
    page.goto("/ui/runs/open")
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = _asked(page, "focused")
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
    names = [stop["name"] for stop in stops]
    assert names[0] == "Skip to the content"
    wanted = ["Runs", "Crash the worker", "Pause", "Cancel", "answer", "Deliver answer"]
    places = [next(n for n, name in enumerate(names) if each in name) for each in wanted]
    assert places == sorted(places), names
    assert [stop for stop in stops if not stop["seen"]] == []
    assert [stop for stop in stops if not stop["inside"]] == []
    assert {stop["path"] for stop in stops} >= {"stamp", "answer", "send"}


def test_nodes_of_the_graph_open_by_enter(page: Page) -> None:
    """Escape closes, and the focus is where it was."""
    page.goto("/ui/runs/over")
    node = page.locator('.node[data-path="send"]')
    node.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_contain_text("sent 2 letters")
    expect(page.locator("#panel [data-close]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(node).to_be_focused()


def test_keys_of_the_list(page: Page) -> None:
    """`/` searches, Escape leaves the search, `j` and `k` go through the runs, Enter opens one."""
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("over")
    expect(page.locator("[data-search]")).to_have_value("over")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?*q=over*")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/runs/over")


@pytest.mark.parametrize("url", PAGES)
def test_everything_has_a_name(page: Page, url: str) -> None:
    """Fields, buttons and links; there is one first heading, and none is left out below it."""
    page.goto(url)
    assert _asked(page, "unnamed") == []
    assert page.locator("img:not([alt])").count() == 0
    levels = _asked(page, "headings")
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert page.locator("html[lang]").count() == 1
    assert page.title().endswith("flopod")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("url", PAGES)
def test_text_can_be_read(browser: Browser, dev: Developed, url: str, scheme: str) -> None:
    """As the browser has computed it: each text has a contrast of 4.5 to what is behind it."""
    with visited(browser, dev.url, color_scheme=scheme) as page:
        page.goto(url)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert _asked(page, "unreadable") == []


def test_errors_of_the_source_can_be_read(browser: Browser, tmp_path: Path) -> None:
    """In both themes, and a screen reader is told of them."""
    text = "from flopod import workflow\n\n\n@workflow\ndef f(x: int) -> int:\n    return eval(x)\n"
    (tmp_path / "flow.py").write_text(text)
    with Developed(tmp_path, tmp_path / "flow.py") as dev:
        dev.until_bar("1 error")
        for scheme in ("light", "dark"):
            with visited(browser, dev.url, color_scheme=scheme) as page:
                page.goto("/")
                expect(page.get_by_role("alert").first).to_contain_text("eval")
                assert _asked(page, "unreadable") == []
