"""The chat pipeline: it does what its page says, plain and compiled, and however often it is killed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.examples.kills import Case, ends_the_same
from tests.examples.support import EXAMPLES, OpenPlace, run_plainly

pytestmark = pytest.mark.process

SOURCE = EXAMPLES / "chat" / "src"
MESSAGE = {"session": "s1", "text": "tell me about workflows"}
CASE = Case(
    "answer",
    [MESSAGE],
    {"text": "TELL ME ABOUT WORKFLOWS!", "saved": 2},
    [
        "agent tell me about workflows",
        "analytics response_generated s1 28",
        "charged s1 28",
        "journal s1",
        "transcript s1 TELL ME ABOUT WORKFLOWS",
        "warmed more about workflows",
    ],
)


def test_it_runs_plainly(tmp_path: Path) -> None:
    """It is silent but for the line that all is well."""
    done = run_plainly(["-m", "chat"], tmp_path, PYTHONPATH=str(SOURCE))
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert done.stdout.startswith("OK: ")


@pytest.mark.parametrize("call", ["work(report_usage", "for_each(warm_cache", "await tap(write_journal"])
def test_its_guards_notice_a_side_chain_that_is_not_there(call: str, tmp_path: Path) -> None:
    """Without one of the calls it ends with status 1 and says what is missing."""
    source = shutil.copytree(SOURCE, tmp_path / "src")
    pipeline = source / "chat" / "pipeline.py"
    lines = pipeline.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith(call)]
    assert len(kept) == len(lines) - 1
    pipeline.write_text("".join(kept), "utf-8")
    done = run_plainly(["-m", "chat"], tmp_path, PYTHONPATH=str(source))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("REGRESSION: what ")


def test_analytics_that_are_down_hold_nothing_up(place: OpenPlace) -> None:
    """The failure is in the log, with the name of the work and the error."""
    chat = place("chat")
    reply = chat.start("--input", '{"message": {"session": "quiet", "text": "hello"}}').result()
    assert reply == {"text": "HELLO!", "saved": 2}
    (failed,) = [event for event in chat.events() if event["kind"] == "step_error"]
    assert (failed["path"], "analytics 503" in str(failed)) == ("report_usage", True)


def test_an_answer_without_a_record_is_not_sent(place: OpenPlace) -> None:
    """What has to be done is waited for, and fails the run."""
    chat = place("chat")
    job = chat.start("--input", '{"message": {"session": "locked", "text": "hello"}}')
    assert job.process.wait(30) == 1
    assert "the transcript of the session 'locked' cannot be written" in job.talk
    assert "report_usage" not in {event.get("path") for event in chat.events()}


def test_it_ends_the_same_however_it_is_killed(
    built: Callable[[str], Path], tmp_path: Path, record_property: Any
) -> None:
    """By SIGKILL at writes, several times; all that was queued is done."""
    record_property("kills of the chat", str(ends_the_same(tmp_path, built("chat"), CASE)))
