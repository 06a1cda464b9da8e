"""The first moments of `flopod dev`: with sources of all shapes, good and bad."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.dev.developing import Developed

pytestmark = pytest.mark.process

FLOW = '''"""One workflow."""

from flopod import workflow


async def twice(text: str) -> str:
    return text * 2


@workflow
async def double(text: str) -> str:
    """Say it twice."""
    return await twice(text)
'''


def test_the_first_page_does_not_wait_for_the_compiler(tmp_path: Path) -> None:
    """It says that the source is being compiled, and is whole; workflows come by themselves."""
    source = tmp_path / "many"
    source.mkdir()
    for number in range(150):
        (source / f"flow{number}.py").write_text(FLOW.replace("double", f"double{number}"))
    with Developed(tmp_path, source, FLOPOD_CACHE_DIR="") as dev:
        assert "compiling" in dev.bar()
        page = dev.ask("GET", "/").text
        assert page.rstrip().endswith("</html>")
        assert "the source is being compiled" in page
        dev.until_ready()
        assert "double149" in dev.ask("GET", "/ui/workflows").text


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    """It is followed like a folder."""
    file = tmp_path / "flow.py"
    file.write_text(FLOW)
    with Developed(tmp_path, file) as dev:
        dev.until_ready()
        run = dev.start_run("double", text="ab")
        assert dev.until(run, "completed")["result"] == "abab"
        build = dev.build
        file.write_text(FLOW.replace("* 2", "* 3"))
        dev.until_rebuilt(build)
        run = dev.start_run("double", text="ab")
        assert dev.until(run, "completed")["result"] == "ababab"


def test_a_source_that_is_broken_from_the_start(tmp_path: Path) -> None:
    """The page shows the error with its place; the mended source runs."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "flow.py").write_text(FLOW.replace("def double(", "def double(("))
    with Developed(tmp_path, source) as dev:
        said = dev.until_bar("nothing runs")
        assert "flow.py:11" in said
        assert "^" in said
        assert "the source has errors" in dev.ask("GET", "/").text
        assert dev.ask("POST", "/runs", {"workflow": "double", "input": {"text": "x"}}).status in (404, 503)
        dev.edit("flow.py", "double((", "double(")
        dev.until_ready()
        run = dev.start_run("double", text="ab")
        assert dev.until(run, "completed")["result"] == "abab"


def test_a_source_without_a_workflow_says_how_to_make_one(tmp_path: Path) -> None:
    """An empty project is where everybody begins."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "flow.py").write_text("x = 1\n")
    with Developed(tmp_path, source) as dev:
        assert "@workflow" in dev.until_bar("nothing runs")
        (source / "flow.py").write_text(FLOW)
        dev.until_ready()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """At once, with its name."""
    done = subprocess.run(
        [sys.executable, "-m", "flopod_compiler.cli", "dev", str(tmp_path / "nowhere"), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["module", "leaf", "workflow"])
def test_a_source_that_prints_much_prints_to_the_terminal(tmp_path: Path, kind: str) -> None:
    """Never into what the processes tell each other, even what looks like a message of theirs."""
    noise = (
        'import os\nfor _ in range(3000):\n    print("{\\"type\\": \\"Idle\\"}")\nos.write(1, b"raw\\n")\n'
    )
    indented = noise.replace("\n", "\n    ").rstrip() + "\n"
    text = {
        "module": f"{noise}{FLOW}",
        "leaf": FLOW.replace("    return text", f"    {indented}    return text"),
        "workflow": FLOW.replace(
            "    return await", '    print("{\\"type\\": \\"Idle\\"}" * 3000)\n    return await'
        ),
    }[kind]
    source = tmp_path / "src"
    source.mkdir()
    (source / "flow.py").write_text(text)
    with Developed(tmp_path, source) as dev:
        dev.until_ready()
        run = dev.start_run("double", text="ab")
        assert dev.until(run, "completed")["result"] == "abab"
        dev.wait_for(lambda: sum(line.count('"Idle"') for line in dev.log) >= 3000)
        assert not [line for line in dev.log if "printed" in line]
        assert "ended by" not in dev.bar()


def test_the_terminal_says_what_happens(dev: Developed) -> None:
    """One line each for builds, workers, runs and errors; none for a request; what leaves print is there."""
    build = dev.build
    run = dev.start_run("echo", "good-1", text="fine")
    dev.until(run, "completed")
    run = dev.start_run("echo", "bad-1", text="!no\nnewline \x1b[31m")
    dev.until(run, "failed")
    for _ in range(5):
        dev.ask("GET", "/")
    dev.edit(
        "desk/services.py",
        'await noted(f"stamp {text}")',
        "await noted(f\"stamp {text}\")\n    print('printed by a leaf')",
    )
    dev.until_rebuilt(build)
    dev.until(dev.start_run("echo", text="x"), "completed")
    dev.wait_for(lambda: "printed by a leaf" in "".join(dev.log))
    log = "".join(dev.log)
    assert "4 workflows in" in log
    assert "good-1 echo started" in log
    assert "good-1 completed after" in log
    assert "bad-1 failed after" in log
    assert r"ValueError: !no\nnewline \x1b[31m" in log
    assert "GET" not in log
    assert len([line for line in dev.log if "worker" in line]) == 2


def test_the_first_page_comes_soon(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """In less than three times what importing starlette, uvicorn and libcst takes."""
    source = tmp_path / "src"
    source.mkdir()
    (source / "flow.py").write_text(FLOW)
    command = [sys.executable, "-c", "import starlette, uvicorn, libcst"]

    def importing() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, cwd=tmp_path)
        return time.perf_counter() - began

    def first_page() -> float:
        began = time.perf_counter()
        with Developed(tmp_path, source) as dev:
            assert dev.ask("GET", "/").status == 200
            return time.perf_counter() - began

    importing(), first_page()
    ratios = [first_page() / importing() for _ in range(5)]
    record_property("flopod dev", f"first page: {statistics.median(ratios):.2f} times the imports")
    assert statistics.median(ratios) < 3
