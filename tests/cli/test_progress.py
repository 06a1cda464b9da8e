"""What a job says while it runs: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import time

import pytest

from flopod.engine.console import Console, share_terminal
from flopod.engine.outcome import OpenSleep, OpenWait, PendingRetry, Progress
from flopod.engine.progress import ProgressReport


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def _report(stream: io.StringIO, level: int = 1) -> ProgressReport:
    return ProgressReport(
        Console(level, stream), lambda wait: [f"deliver {wait.path}", f"bundle {wait.path}"]
    )


def test_the_live_line_says_what_is_done_running_and_retried() -> None:
    """Counts and the first paths, in the width of the terminal."""
    report = _report(Terminal())
    progress = Progress(
        done=3,
        running=["a", "b", "c", "d"],
        retrying=[PendingRetry("lines[2]/price", 1, 0)],
        waiting=[OpenWait("approved", "approved")],
    )
    line = report.line(progress).partition("] ")[2]
    expected = "3 done | 4 running: a, b and 2 more | retrying lines[2]/price | waiting for 'approved'"
    assert line == expected


def test_a_live_line_is_replaced_not_repeated() -> None:
    """The terminal sees one line that changes, and other output on lines of its own."""
    stream = Terminal()
    console = Console(1, stream)
    console.status("one")
    console.status("one")
    console.status("two")
    console.say("something happened")
    written = stream.getvalue()
    assert written == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Ksomething happened\n\r\x1b[Ktwo"


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_plain_terminal_gets_plain_lines(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """NO_COLOR and dumb terminals see no control characters."""
    monkeypatch.setenv(variable, value)
    stream = Terminal()
    _report(stream)(Progress(done=1, running=["a"]))
    assert stream.getvalue() == ""


def test_a_wait_is_told_once_with_its_commands() -> None:
    """However often progress is reported; again when the same place waits again."""
    stream = io.StringIO()
    report = _report(stream)
    waiting = Progress(waiting=[OpenWait("lines[1]/ok", "ok")])
    report(waiting)
    report(waiting)
    told = "waiting for 'ok' at 'lines[1]/ok'; deliver it with:\n"
    told += "  deliver lines[1]/ok\n  or: bundle lines[1]/ok\n"
    assert stream.getvalue() == told
    report(Progress())
    report(waiting)
    assert stream.getvalue() == told * 2


def test_each_failed_attempt_is_told_once() -> None:
    """A retry is a line with the attempt and the time of the next one."""
    stream = io.StringIO()
    report = _report(stream)
    for attempt in (1, 1, 2):
        report(Progress(retrying=[PendingRetry("fetch", attempt, 0)]))
    lines = stream.getvalue().splitlines()
    assert [line.partition(", next at")[0] for line in lines] == [
        "fetch: attempt 1 failed",
        "fetch: attempt 2 failed",
    ]


def test_a_verbose_job_names_every_step() -> None:
    """With -v each step and timer is a line."""
    stream = io.StringIO()
    report = _report(stream, level=2)
    report(Progress(running=["a"]))
    report(Progress(running=["b"], sleeping=[OpenSleep("nap", 0)]))
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["a: started", "b: started", "a: ended"]
    assert lines[3].startswith("nap: sleeping until 1970-01-01 ")


def test_a_quiet_job_says_errors_only() -> None:
    """-q silences all but what went wrong."""
    stream = io.StringIO()
    console = Console(0, stream)
    console.say("said")
    console.detail("detailed")
    console.status("live")
    console.error("wrong")
    assert stream.getvalue() == "wrong\n"


def test_a_closed_standard_error_does_not_stop_a_run() -> None:
    """Talk is lost, the run is not."""
    stream = io.StringIO()
    console = Console(1, stream)
    stream.close()
    console.say("nobody hears this")


def test_the_programs_own_output_is_not_mixed_into_the_live_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A print of the workflow takes the live line away first."""
    stream = Terminal()
    console = Console(1, stream)
    console.status("live")
    with share_terminal(console):
        print("printed")
    assert capsys.readouterr().out == "printed\n"
    assert stream.getvalue().endswith("\r\x1b[K")


def test_the_live_line_goes_on_while_a_step_runs() -> None:
    """It is redrawn from the latest report, and gone at the end."""
    stream = Terminal()
    report = _report(stream)
    with report.ticking():
        report(Progress(done=1, running=["slow"]))
        deadline = time.monotonic() + 10
        while "1 done | 1 running: slow" not in stream.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert stream.getvalue().endswith("\r\x1b[K")
