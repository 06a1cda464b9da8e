"""Copies of runs: forks, exports and imports."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from flopod.backends.base import Backend
from flopod.backends.sqlite import SqliteBackend
from flopod.engine import control
from flopod.engine.copies import exported, fork, imported
from flopod.errors import BadInput, Conflict, UnknownPath
from flopod.events import RunStarted
from tests.engine.controlled import broken, go, three, tidies
from tests.engine.support import calls, note


@pytest.fixture(autouse=True)
def _mended() -> None:
    broken[0] = False


def test_a_fork_has_the_past_up_to_its_place(backend: Backend) -> None:
    """What comes before is not done again; the original is as it was."""
    assert go(backend, three).value == [0, "a", "b", "c"]
    calls.clear()
    fork(backend, "r", "again", at="b")
    fork(backend, "r", "whole")
    fork(backend, "r", "other", at="a", input=Raw(b"[7]"))
    assert go(backend, three, run_id="again").value == [0, "a", "b", "c"]
    assert calls == ["b", "c"]
    assert go(backend, three, run_id="whole").value == [0, "a", "b", "c"]
    assert calls == ["b", "c"]
    assert go(backend, three, run_id="other").value == [7, "a", "b", "c"]
    first = backend.first("other")
    assert first is not None
    assert isinstance(first.event, RunStarted)
    assert first.event.forked_from == "r"
    with pytest.raises(UnknownPath):
        fork(backend, "r", "new", at="nowhere")
    with pytest.raises(Conflict, match="taken"):
        fork(backend, "r", "again")


def test_a_fork_takes_its_own_events(backend: Backend) -> None:
    """The numbers in the inbox of the original do not hide what is delivered to the fork."""
    go(backend, tidies, exit_when_waiting=True)
    backend.deliver("r", "approved", "approved", Raw(b"1"))
    assert go(backend, tidies).value == "not cancelled"
    fork(backend, "r", "f", at="approved")
    backend.deliver("f", "approved", "approved", Raw(b"2"))
    assert go(backend, tidies, run_id="f").value == "not cancelled"


def test_an_exported_run_goes_on_where_it_is_imported(backend: Backend, tmp_path: Path) -> None:
    """In a store of another kind, from where it was."""
    broken[0] = True
    go(backend, three)
    lines = list(exported(backend, "r"))
    other = SqliteBackend(tmp_path / "other.db")
    assert imported(other, lines) == "r"
    assert imported(other, lines, "copy") == "copy"
    broken[0] = False
    control.retry(other, "copy")
    assert go(other, three, run_id="copy").value == [0, "a", "b", "c"]
    assert [one.event for one in other.load("r")] == [one.event for one in backend.load("r")]
    with pytest.raises(Conflict, match="taken"):
        imported(other, lines)
    for wrong in (lines[:-1], [lines[0], *lines[2:]], [b"{}"], [], [*lines[:-1], lines[-1][:-9]]):
        with pytest.raises(BadInput):
            imported(other, wrong, "wrong")
    assert other.summary("wrong") is None


async def polls(wf: Any, rounds: int = 60) -> int:
    """A loop whose iterations are compacted, then a leaf."""
    total = wf.var("total", 0)
    for scope, number in wf.each("rounds", range(rounds)):
        total.value += await scope.activity("a", note, number)
    return int(total.value + await wf.activity("end", note, 1000))


def test_copies_of_a_compacted_run_go_on(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forks after the loop, exports and imports; a fork from inside of what is gone is refused."""
    monkeypatch.setenv("FLOPOD_COMPACT", "20")
    assert go(backend, polls).value == 60 * 59 // 2 + 1000
    assert len(backend.load("r")) < 80
    calls.clear()
    fork(backend, "r", "again", at="end")
    assert imported(backend, list(exported(backend, "r")), "copy") == "copy"
    assert go(backend, polls, run_id="again").value == 60 * 59 // 2 + 1000
    assert go(backend, polls, run_id="copy").value == 60 * 59 // 2 + 1000
    assert calls == [1000]
    with pytest.raises(UnknownPath):
        fork(backend, "r", "inside", at="rounds[3]/a")
    assert len(list(exported(backend, "again"))) > 2


def test_a_fork_from_where_a_run_has_not_been_says_so(backend: Backend) -> None:
    """It is not about waiting: the message says that nothing is recorded there, and what is near."""
    go(backend, three)
    with pytest.raises(UnknownPath, match="'r' has done nothing at 'aa'; did you mean 'a'"):
        fork(backend, "r", "new", at="aa")
    with pytest.raises(UnknownPath, match="has done nothing at ''"):
        fork(backend, "r", "new", at="")
