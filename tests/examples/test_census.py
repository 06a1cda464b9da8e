"""The census and its demonstration, on a part of the standard library."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.examples.support import EXAMPLES, clean_environment

pytestmark = pytest.mark.process

PACKAGES = 8


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    """The demonstration as a module."""
    spec = importlib.util.spec_from_file_location("census_demo", EXAMPLES / "census" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_demonstration_holds_what_it_shows() -> None:
    """`make demo` on fewer packages ends well, and says in few lines what was skipped and repeated."""
    command = [sys.executable, str(EXAMPLES / "census" / "demo.py"), "--limit", str(PACKAGES), "--kills", "3"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=clean_environment(), timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recorded modules measured again: 0" in done.stdout
    assert "byte for byte" in done.stdout
    assert len(done.stdout.splitlines()) < 40


def test_kills_lose_and_repeat_nothing_that_is_recorded(
    demo: ModuleType, built: Callable[[str], Path], tmp_path: Path
) -> None:
    """After kills the report is that of the straight run, and only work in flight was done twice."""
    bundle = built("census")
    straight = demo.Trial(bundle, tmp_path / "straight", PACKAGES)
    straight.finish()
    total = len(straight.executions())
    assert total > len(straight.recorded()) > 200, "some leaves fail at first, and there are hundreds"

    killed = demo.Trial(bundle, tmp_path / "killed", PACKAGES)
    demo.kill_again_and_again(killed, total, 3)
    assert sum(start.killed for start in killed.starts) >= 2
    assert demo.faults(straight, killed) == []
    repeated = len(killed.executions()) - len(killed.recorded()) - killed.failures()
    assert repeated <= 8 * len(killed.starts), "no more than a batch is in flight at a kill"


def test_the_demonstration_would_notice(
    demo: ModuleType, built: Callable[[str], Path], tmp_path: Path
) -> None:
    """A report that differs and a recorded module that was measured again are reported as faults."""
    trials = [demo.Trial(built("census"), tmp_path / name, 1) for name in ("one", "two")]
    for trial in trials:
        trial.finish()
    assert demo.faults(*trials) == []
    (tmp_path / "two" / "report.json").write_text("{}")
    start = trials[1].starts[0]
    trials[1].starts.append(
        demo.Start(start.recorded_after, ["abc.py"], start.recorded_after, ["abc.py"], False)
    )
    assert demo.faults(*trials) == ["start 2 measured what was recorded: abc.py", "the reports differ"]
