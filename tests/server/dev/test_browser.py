"""`flopod dev` in a browser: the bar, the forms, and what changes on a page while a source is edited."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.server.browsing import visited
from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process


@pytest.fixture
def page(browser: Browser, dev: Developed) -> Iterator[Page]:
    """A page of the post office whose browser has nothing to complain of."""
    with visited(browser, dev.url) as page:
        yield page


def test_a_run_is_started_watched_answered_and_completes(page: Page, dev: Developed) -> None:
    """By forms with fields of every kind; the graph follows, and what was typed arrives."""
    page.goto("/ui/workflows/parcel")
    fill = lambda name, value: page.get_by_label(name, exact=True).fill(value)  # noqa: E731
    fill("title", "Bücher")
    fill("count", "3")
    fill("weight", "1.5")
    page.locator(".yes-no").get_by_text("yes").click()
    fill("city", "Rome")
    page.locator("[name='input/due'], [name$='due']").fill("2030-05-17")
    page.locator("[name$='size']").select_option(label="large")
    page.locator("[name$='tags']").fill("blue\ngreen")
    page.locator("#run-id").fill("typed")
    page.get_by_role("button", name="Start parcel").click()
    page.wait_for_url("**/ui/runs/typed*")
    page.evaluate("window.mark = 'not reloaded'")
    expect(page.locator('.node[data-path="approved"]')).to_have_class(re.compile("is-waiting"))
    expect(page.locator('.node[data-path="weigh"]')).to_have_class(re.compile("is-done"))
    page.locator(".deliver .yes-no").get_by_text("yes").click()
    page.locator(".deliver [name$='by']").fill("zoe")
    page.get_by_role("button", name="Deliver approved").click()
    expect(page.locator(".who .pill")).to_contain_text("completed")
    expect(page.locator('.node[data-path="send"]')).to_have_class(re.compile("is-done"))
    result = dev.run("typed")["result"]
    assert result["sent"] == "sent 3 Bücher to Rome"
    assert (result["total"], result["by"], result["note"]) == (5.5, "zoe", None)
    one = result["one"]
    assert (one["size"], one["tags"], one["due"]) == ("LARGE", ["blue", "green"], "2030-05-17")
    assert one["address"] == {"city": "Rome", "number": 1}


def test_an_error_comes_with_carets_and_goes(page: Page, dev: Developed) -> None:
    """Without anybody touching the page; what is being typed stays."""
    page.goto("/ui/workflows/echo")
    page.get_by_label("text", exact=True).fill("half typed")
    right = 'return await send(f"{first}: {answer}")'
    dev.edit("desk/flows.py", right, "return await eval(answer)")
    shown = page.locator(".dev-error.error")
    expect(shown).to_contain_text("eval(answer)")
    expect(shown).to_contain_text("^^^")
    expect(page.locator(".dev-source")).to_contain_text("1 error; the last good build runs")
    dev.edit("desk/flows.py", "return await eval(answer)", right)
    expect(page.locator(".dev-error")).to_have_count(0)
    expect(page.get_by_label("text", exact=True)).to_have_value("half typed")


def test_a_page_shows_the_new_build_by_itself(page: Page, dev: Developed) -> None:
    """The form of a workflow has its new parameter, the list of workflows the new workflow."""
    page.goto("/ui/workflows/echo")
    dev.edit("desk/flows.py", "async def echo(text: str)", "async def echo(text: str, times: int = 1)")
    expect(page.get_by_label("times")).to_be_visible()
    page.goto("/ui/workflows")
    dev.edit(
        "desk/flows.py",
        "@workflow\nasync def echo",
        "@workflow\nasync def other() -> str:\n    return await stamp('')\n\n\n@workflow\nasync def echo",
    )
    expect(page.get_by_role("heading", name="other")).to_be_visible()


def test_the_crash_button(page: Page, dev: Developed) -> None:
    """Another process is there, and the run goes on before one's eyes."""
    dev.pace(0.5)
    dev.start_run("letters", "crashed", names=["a", "b", "c"])
    page.goto("/ui/runs/crashed")
    expect(page.locator('.node[data-path="names[*]/stamp"]')).to_have_class(re.compile("is-running"))
    before = page.locator(".dev-worker").inner_text()
    page.get_by_role("button", name="Crash the worker").click()
    expect(page.locator(".dev-note")).to_contain_text("ended by SIGKILL")
    expect(page.locator(".who .pill")).to_contain_text("completed")
    expect(page.locator(".facts")).to_contain_text("survived")
    assert page.locator(".dev-worker").inner_text() != before


def test_stepping_through_a_run(page: Page, dev: Developed) -> None:
    """With the buttons of the bar, by keyboard too: the focus stays on the button."""
    page.goto("/")
    page.get_by_role("button", name="Step mode").click()
    expect(page.get_by_role("button", name="Leave step mode")).to_be_visible()
    dev.start_run("letters", "held", names=["a", "b", "c"])
    page.goto("/ui/runs/held")
    halted = page.locator(".dev-halted")
    expect(halted).to_contain_text("held waits before names[0]/stamp")
    step = page.get_by_role("button", name="Step held")
    step.focus()
    page.keyboard.press("Enter")
    expect(halted).to_contain_text("names[1]/stamp")
    expect(step).to_be_focused()
    page.keyboard.press("Enter")
    expect(halted).to_contain_text("names[2]/stamp")
    assert dev.calls() == ["stamp a", "stamp b"]
    page.get_by_role("button", name="Run on held").click()
    expect(page.locator(".who .pill")).to_contain_text("completed")
    page.get_by_role("button", name="Leave step mode").click()
    expect(page.get_by_role("button", name="Step mode", exact=True)).to_be_visible()


def test_a_finished_run_plays_again_in_slow_motion(page: Page, dev: Developed) -> None:
    """Steps that are done are running again, and at the end all is as it was."""
    dev.until(dev.start_run("letters", "played", names=["a", "b", "c"]), "completed")
    page.goto("/ui/runs/played")
    page.locator("[data-speed]").select_option("1")
    page.locator("[data-play]").click()
    expect(page.locator(".who .pill")).to_contain_text("running")
    expect(page.locator(".who .pill")).to_contain_text("completed")
    expect(page.locator("[data-place]")).to_have_text(str(dev.run("played")["run"]["seq"]))


def test_a_misfit_is_said_on_every_page(page: Page, dev: Developed) -> None:
    """And goes when the source fits again."""
    dev.start_run("asked", "stuck", question="when")
    dev.until("stuck", "waiting")
    page.goto("/")
    lock = dev.folder / "flopod.lock"
    kept = lock.rename(dev.folder / "kept.lock")
    dev.edit("desk/flows.py", "first = await stamp(question)", "first = await send(question)")
    said = page.locator(".dev-plan", has_text="does not fit the source")
    expect(said).to_contain_text("stuck: the flopod.lock of this build does not know that one")
    said.get_by_role("link", name="stuck").click()
    expect(page.locator("#part-now")).to_contain_text("The run goes on nowhere")
    kept.replace(lock)
    dev.edit("desk/flows.py", "first = await send(question)", "first = await stamp(question)")
    expect(said).to_have_count(0)
    expect(page.locator("#part-now")).not_to_contain_text("nowhere")


def test_the_first_page_fills_while_the_source_is_compiled(browser: Browser, tmp_path: Path) -> None:
    """A page that was opened too early needs no reload by hand."""
    source = tmp_path / "many"
    source.mkdir()
    flow = "from time import sleep\nfrom flopod import workflow\n\n@workflow\ndef nap{0}():\n    sleep(1)\n"
    for number in range(100):
        (source / f"flow{number}.py").write_text(flow.format(number))
    with Developed(tmp_path, source, FLOPOD_CACHE_DIR="") as dev, visited(browser, dev.url) as page:
        page.goto("/")
        expect(page.locator(".dev-source")).to_contain_text("compiling")
        expect(page.get_by_role("alert")).to_contain_text("the source is being compiled")
        expect(page.get_by_role("link", name="Start nap7", exact=True)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_the_bar_without_a_script(browser: Browser, dev: Developed) -> None:
    """Its buttons are forms, and lead back to where one was."""
    with visited(browser, dev.url, java_script_enabled=False) as page:
        page.goto("/ui/workflows")
        page.get_by_role("button", name="Step mode").click()
        expect(page).to_have_url(re.compile("/ui/workflows$"))
        expect(page.get_by_role("button", name="Leave step mode")).to_be_visible()
