"""A server of a new build: runs that fit it move to it, the others go on with the build that began them."""

from pathlib import Path

import pytest

from flopod import SqliteBackend
from tests.server.processes.serving import Served, make_server

pytestmark = pytest.mark.process

FIRST = '''
"""Two workflows that wait."""

import os
from pathlib import Path

from flopod import wait_for, workflow


async def note(text: str) -> str:
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(text + "\\n")
    return text


@workflow
async def ask(name: str) -> str:
    first = await note(f"{name} asked")
    word = await wait_for("word", str)
    return await note(f"{name} heard {word} after {first}")


@workflow
async def parent(name: str) -> str:
    return await ask(name)
'''
HEARD = 'return await note(f"{name} heard'
ADDED = FIRST.replace(HEARD, f'await note(f"{{name}} new step")\n    {HEARD}')
OTHER = FIRST.replace('await note(f"{name} asked")', 'await wait_for("other", str)')


def _server(tmp_path: Path, text: str, name: str) -> Path:
    source = tmp_path / "src"
    source.mkdir(exist_ok=True)
    (source / "asking.py").write_text(text)
    return make_server(source, tmp_path / f"{name}.py")


def _say(server: Served, run_id: str, word: str, path: str = "word") -> None:
    body = {"path": path, "event": "word", "payload": word}
    answer = server.ask("POST", f"/runs/{run_id}/deliver", body)
    assert answer.status in (200, 202), answer.text


@pytest.fixture
def first(tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder with two runs that wait, begun with the first build by a server that is gone."""
    script = _server(tmp_path, FIRST, "first")
    with Served(script, tmp_path) as server:
        runs = [server.start_run("ask", "a", name="a"), server.start_run("parent", "b", name="b")]
        for run_id in runs:
            server.until(run_id, "waiting")
        build = server.run("a")["run"]["build"]
    return script, [build, *runs]


def test_runs_that_fit_move_to_the_new_build(tmp_path: Path, first: tuple[Path, list[str]]) -> None:
    """The step that is new comes after what they have done."""
    _, (build, *_) = first
    with Served(_server(tmp_path, ADDED, "second"), tmp_path) as server:
        _say(server, "a", "yes")
        found = server.until("a", "completed")
        assert found["result"] == "a heard yes after a asked"
        assert found["run"]["build"] != build
        assert server.calls() == ["a asked", "b asked", "a new step", "a heard yes after a asked"]


def test_runs_that_do_not_fit_go_on_with_their_own_build(
    tmp_path: Path, first: tuple[Path, list[str]]
) -> None:
    """In a process of its own, which does not need the file that began them; new runs have the new build."""
    script, (build, *_) = first
    script.unlink()
    (tmp_path / "flopod.lock").unlink()
    server = Served(_server(tmp_path, OTHER, "second"), tmp_path)
    with server:
        new = server.start_run("ask", name="c")
        server.until(new, "waiting")
        assert server.run(new)["run"]["build"] != build
        _say(server, "a", "yes")
        found = server.until("a", "completed")
        assert (found["result"], found["run"]["build"]) == ("a heard yes after a asked", build)
    with server:
        _say(server, "b", "no", found_path(server, "b"))
        assert server.until("b", "completed")["run"]["build"] == build
    assert server.calls() == [
        "a asked",
        "b asked",
        "a heard yes after a asked",
        "b heard no after b asked",
    ]


def found_path(server: Served, run_id: str) -> str:
    """Where a run waits."""
    path: str = server.run(run_id)["run"]["waits"][0]["path"]
    return path


def test_a_run_whose_build_is_nowhere_says_so(tmp_path: Path, first: tuple[Path, list[str]]) -> None:
    """It stays as it is, its page says which build it needs, and nothing of it is lost."""
    _, (build, *_) = first
    with SqliteBackend(tmp_path / "data" / "flopod.db") as store:
        assert store.drop("artifacts", build)
    (tmp_path / "flopod.lock").unlink()
    with Served(_server(tmp_path, OTHER, "second"), tmp_path) as server:
        _say(server, "a", "yes")
        page = server.wait_for(
            lambda: text if "goes on nowhere" in (text := server.ask("GET", "/ui/runs/a").text) else None
        )
        assert build in page
        assert server.run("a")["run"]["status"] == "waiting"


def test_a_run_begun_beside_the_server_of_a_later_build_goes_on_there(tmp_path: Path) -> None:
    """With its own build: that is kept also while it had no open run, since its server could begin one."""
    first = Served(_server(tmp_path, FIRST, "first"), tmp_path)
    (tmp_path / "flopod.lock").unlink()
    second = Served(_server(tmp_path, OTHER, "second"), tmp_path)
    with first, second:
        first.start_run("ask", "late", name="late")
        build = first.until("late", "waiting")["run"]["build"]
        first.kill()
        _say(second, "late", "yes")
        assert second.until("late", "completed")["run"]["build"] == build
