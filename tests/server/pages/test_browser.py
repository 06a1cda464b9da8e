"""The dashboard in a browser, on a real server: what people see change, click, type and hear."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server.browsing import visited

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server whose services take a moment."""
    store = tmp_path_factory.mktemp("served") / "flopod.db"
    paths = [str(ROOT / name) for name in ("runtime", "compiler", "templates", "")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.server.pages.serving", str(store), "0.15"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http://"), "the server did not start"
    yield url
    process.terminate()
    assert process.wait(20) is not None
    process.stdout.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A page whose browser has nothing to complain of."""
    with visited(browser, server) as page:
        yield page


@pytest.fixture
def begin(page: Page) -> Callable[..., None]:
    """Starts a run over HTTP."""

    def start(workflow: str, run_id: str, **input: object) -> None:
        body = {"workflow": workflow, "run_id": run_id, "input": input}
        assert page.request.post("/runs", data=body).status == 202

    return start


def test_a_run_is_started_watched_answered_and_completes(page: Page) -> None:
    """By forms alone: the graph and the source follow without a reload, the run ends in the page."""
    page.goto("/ui/workflows/trip")
    page.get_by_role("textbox", name="account").fill("ann")
    page.get_by_role("textbox", name="cities").fill("Rome\nOslo\nPorto")
    page.get_by_label("run id").fill("watched")
    page.get_by_role("button", name="Start trip").click()
    page.wait_for_url("**/ui/runs/watched*")
    page.evaluate("window.mark = 'not reloaded'")
    expect(page.locator('.node[data-path="cities[*]/book"]')).to_have_class(re.compile("is-done|is-running"))
    expect(page.locator("tr.at.s-waiting")).to_contain_text("waiting for approved")
    expect(page.locator('.node[data-path="approved"]')).to_have_class(re.compile("is-waiting"))
    page.locator(".yes-no").get_by_text("yes").click()
    page.get_by_label("by").fill("zoe")
    assert page.evaluate("window.mark") == "not reloaded"
    page.get_by_role("button", name="Deliver approved").click()
    expect(page.locator(".who .pill")).to_contain_text("completed")
    expect(page.locator("#part-values")).to_contain_text("P-ann-1921")
    expect(page.locator("tr.at")).to_have_count(0)


def test_a_page_follows_a_run_without_a_reload(page: Page, begin: Callable[..., None]) -> None:
    """Events come over the stream; what is being typed is not taken away by them."""
    begin("trip", "followed", account="ann", cities=["Rome", "Oslo", "Porto", "Wien"])
    page.goto("/ui/runs/followed")
    page.evaluate("window.mark = 'not reloaded'")
    expect(page.locator("#live-text")).to_have_text("live")
    expect(page.locator(".who .pill")).to_contain_text("waiting")
    page.get_by_label("by").fill("half a na")
    page.request.post("/runs/followed/pause")
    expect(page.locator(".who .pill")).to_contain_text("paused")
    expect(page.locator("#said")).to_have_text("The run is paused")
    expect(page.get_by_label("by")).to_have_value("half a na")
    assert page.evaluate("window.mark") == "not reloaded"


def test_new_runs_appear_in_the_list(page: Page, begin: Callable[..., None]) -> None:
    """The list and its counts follow what happens; a status that changes is seen."""
    page.goto("/?q=listed")
    expect(page.locator("#live-text")).to_have_text("live")
    begin("asked", "listed-1")
    row = page.locator("tr[data-row]", has_text="listed-1")
    expect(row).to_contain_text("waits for answer")
    page.request.post("/runs/listed-1/cancel", data={})
    expect(row).to_contain_text("cancelled")


def test_an_operation_opens_by_click_and_by_keyboard(page: Page, begin: Callable[..., None]) -> None:
    """A node of the graph or a bar shows its tries and values; Escape closes, focus goes back."""
    begin("paid", "opened", account="carl", amount=7)
    page.goto("/ui/runs/opened")
    expect(page.locator(".who .pill")).to_contain_text("completed")
    node = page.locator('.node[data-path="charge"]')
    node.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    expect(panel).to_contain_text("travel.services:charge")
    expect(panel).to_contain_text("P-carl-7")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(node).to_be_focused()
    page.locator('a.row[data-op="charge"]').click()
    expect(panel).to_contain_text("1 try")
    assert page.url.endswith("/ui/runs/opened")


def test_a_finished_run_plays_again(page: Page, begin: Callable[..., None]) -> None:
    """Slow motion goes from the first event to the last, and the page shows what was then."""
    begin("trip", "played", account="bob", cities=["Rome"])
    page.goto("/ui/runs/played")
    expect(page.locator(".who .pill")).to_contain_text("completed")
    page.locator("[data-speed]").select_option("5")
    page.locator("[data-play]").click()
    expect(page.locator("tr.at.s-running").first).to_be_visible()
    expect(page.locator(".who .pill")).to_contain_text("running")
    expect(page.locator(".who .pill")).to_contain_text("completed")


def test_keys_move_through_the_list(page: Page, begin: Callable[..., None]) -> None:
    """`/` goes to the search, `j` and `k` to the runs, Enter opens one."""
    for n in (1, 2):
        begin("asked", f"keyed-{n}")
    page.goto("/?q=keyed")
    expect(page.locator("tr[data-row]")).to_have_count(2)
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/runs/keyed-2")


def test_the_emitted_code_stands_beside_the_source(page: Page, begin: Callable[..., None]) -> None:
    """The line that waits is marked in both, and the choice is remembered."""
    begin("asked", "beside")
    page.goto("/ui/runs/beside")
    current = page.locator("tr[data-current]")
    expect(current).to_contain_text('wait_for("answer")')
    expect(current.locator("td.em").last).to_be_hidden()
    page.get_by_label("emitted code").check()
    expect(current.locator("td.em").last).to_contain_text('await wf.wait("answer"')
    page.reload()
    expect(page.locator("tr[data-current] td.em").last).to_be_visible()


@pytest.mark.parametrize(
    "url", ["/", "/ui/runs/small", "/ui/workflows", "/ui/workflows/trip", "/ui/schedules"]
)
def test_pages_fit_a_phone_in_light_and_dark(
    page: Page, browser: Browser, server: str, begin: Callable[..., None], url: str
) -> None:
    """Nothing is wider than the screen."""
    begin("trip", "small", account="ann", cities=["Rome", "Oslo", "Porto"])
    for scheme in ("light", "dark"):
        context = browser.new_context(
            base_url=server, viewport={"width": 390, "height": 800}, color_scheme=scheme
        )
        phone = context.new_page()
        phone.goto(url)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 390
        context.close()
    page.goto(url)


def test_without_a_script_a_page_does_its_work(
    browser: Browser, server: str, begin: Callable[..., None]
) -> None:
    """Links and forms alone start, show and cancel a run."""
    begin("asked", "scriptless")
    context = browser.new_context(base_url=server, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?q=scriptless")
    page.get_by_role("link", name="scriptless").click()
    page.locator("a.row[data-op]").first.click()
    expect(page.locator("#panel")).to_contain_text("Waits for")
    page.locator("a[data-close]").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".told")).to_contain_text("cancelled")
    context.close()
