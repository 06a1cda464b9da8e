"""`flopod runs fork --input`: another input is read by the types of the workflow, as that of a start is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flopod.backends.choose import choose
from flopod.engine.waits import first_event
from flopod.workflow.inputs import recorded_call
from flopod_compiler.cli.group import flopod

SOURCE = """\
from dataclasses import dataclass

from flopod import workflow


@dataclass
class Page:
    title: str


async def send(page: Page) -> str:
    print(page.title)
    return page.title


@workflow
async def report(page: Page, copies: int = 1) -> str:
    return await send(page)


@workflow
async def other(x: int) -> int:
    return x
"""


@pytest.fixture(params=["sqlite", "file"], autouse=True)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "forked.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.delitem(sys.modules, "forked", raising=False)
    monkeypatch.setenv("FLOPOD_BACKEND", request.param)
    start = command("start", "src", "report", "--run-id", "r", "--input", '[{"title": "a"}]')
    assert start.exit_code == 0, start.output


def command(*arguments: str) -> Result:
    sys.modules.pop("forked", None)
    return CliRunner().invoke(flopod, ["runs", *arguments])


def test_the_input_of_a_fork_has_the_types_of_its_workflow() -> None:
    """The run that is forked says which workflow that is."""
    done = command("fork", "r", "f", "src", "--input", '{"page": {"title": "b"}, "copies": 2}')
    assert done.exit_code == 0, done.output
    with choose(None) as store:
        started = first_event(store, "f")
    assert started is not None
    _, named = recorded_call(started.input)
    assert (type(named["page"]).__name__, named["page"].title, named["copies"]) == ("Page", "b", 2)
    assert started.forked_from == "r"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--input", '[{"title": "b"}]'), "give its source as SRC"),
        (("src", "--input", "{}"), "needs a value for page"),
        (("src", "--input", '[{"title": 5}]'), "page.title"),
        (("src", "--input", "[1"), "is not JSON"),
    ],
)
def test_an_input_that_does_not_fit_makes_no_fork(arguments: tuple[str, ...], message: str) -> None:
    """Status 2, and nothing is recorded."""
    done = command("fork", "r", "f", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    with choose(None) as store:
        assert first_event(store, "f") is None
