"""What a saved file does: to new runs, to those in flight, to the bar."""

from pathlib import Path

import pytest

from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process

SEND = 'return await send(f"{first}: {answer}")'


def test_a_run_in_flight_goes_on_with_the_new_code(dev: Developed) -> None:
    """What it has done stays done, and what comes after is as the source says now."""
    dev.start_run("asked", "old", question="when")
    dev.until("old", "waiting")
    build = dev.build
    dev.edit("desk/flows.py", SEND, 'await stamp(answer)\n    return await send(f"{answer}!")')
    dev.until_rebuilt(build)
    dev.deliver("old", "answer", "now")
    assert dev.until("old", "completed")["result"] == "sent now!"
    assert dev.calls() == ["stamp when", "stamp now", "send now!"]
    assert dev.run("old")["run"]["build"] != build


def test_a_run_that_does_not_fit_waits_for_code_that_does(dev: Developed) -> None:
    """The bar says which and why; once the edit is taken back it goes on."""
    dev.start_run("asked", "stuck", question="when")
    dev.until("stuck", "waiting")
    build = dev.build
    fitting = "first = await stamp(question)"
    lock = dev.folder / "flopod.lock"
    kept = lock.rename(dev.folder / "kept.lock")
    dev.edit("desk/flows.py", fitting, "first = await send(question)")
    dev.until_rebuilt(build)
    said = dev.until_bar("does not fit the source as it is now")
    assert "stuck : the flopod.lock of this build does not know that one" in said
    page = dev.ask("GET", "/ui/runs/stuck").text.partition("<main")[2]
    assert "the flopod.lock of this build does not know that one" in page
    kept.replace(lock)
    dev.edit("desk/flows.py", "first = await send(question)", fitting)
    dev.wait_for(lambda: "does not fit" not in dev.bar())
    dev.until_ready()
    dev.deliver("stuck", "answer", "now")
    assert dev.until("stuck", "completed")["result"] == "sent stamped when: now"


def test_a_leaf_that_is_edited_is_another_build(dev: Developed) -> None:
    """A module without workflows belongs to the source: the next call is of its new code."""
    build = dev.build
    dev.edit("desk/services.py", 'return f"stamped {text}"', 'return f"franked {text}"')
    dev.until_rebuilt(build)
    run = dev.start_run("echo", text="this")
    assert dev.until(run, "completed")["result"] == "franked this"


def test_an_error_shows_with_carets_and_the_last_good_build_runs(dev: Developed) -> None:
    """Until it is mended, which lets the error go."""
    build = dev.build
    dev.edit("desk/flows.py", SEND, "return await eval(answer)")
    said = dev.until_bar("error")
    assert "the last good build runs" in said
    assert "^" in said
    assert "flows.py" in said
    run = dev.start_run("echo", text="still")
    assert dev.until(run, "completed")["result"] == "stamped still"
    dev.edit("desk/flows.py", "return await eval(answer)", SEND)
    assert dev.until_bar(f"build {build}")
    assert "error" not in dev.bar()


def test_a_module_that_raises_when_imported_says_so(dev: Developed) -> None:
    """The traceback is in the bar, a start is refused with it, and the next good source runs."""
    build = dev.build
    dev.edit("desk/services.py", "import asyncio", 'import asyncio\n\nraise RuntimeError("no stamps")')
    said = dev.until_bar("the source cannot be imported")
    assert "RuntimeError: no stamps" in said
    assert "services.py" in said
    answer = dev.ask("POST", "/runs", {"workflow": "echo", "input": {"text": "x"}})
    assert answer.status == 503
    assert "no stamps" in answer.text
    dev.edit("desk/services.py", '\n\nraise RuntimeError("no stamps")', "")
    dev.until_bar(f"build {build}")
    dev.until_ready()
    run = dev.start_run("echo", text="again")
    assert dev.until(run, "completed")["result"] == "stamped again"


def test_files_come_and_go(dev: Developed) -> None:
    """A new file brings its workflow; without the file it is gone."""
    more = dev.script / "desk" / "more.py"
    build = dev.build
    more.write_text(
        "from flopod import workflow\nfrom desk.services import send\n\n\n"
        "@workflow\nasync def more(text: str) -> str:\n    return await send(text)\n"
    )
    second = dev.until_rebuilt(build)
    run = dev.start_run("more", text="it")
    assert dev.until(run, "completed")["result"] == "sent it"
    more.unlink()
    dev.until_rebuilt(second)
    assert dev.ask("POST", "/runs", {"workflow": "more", "input": {"text": "x"}}).status in (404, 422)


def test_a_source_that_vanishes_and_comes_back(dev: Developed, tmp_path: Path) -> None:
    """An empty folder is an error with words; what runs there was before runs after."""
    kept = tmp_path / "kept"
    dev.script.rename(kept)
    dev.until_bar("the last good build runs")
    kept.rename(dev.script)
    dev.wait_for(lambda: dev.build)
    dev.until_ready()
    run = dev.start_run("echo", text="back")
    assert dev.until(run, "completed")["result"] == "stamped back"
