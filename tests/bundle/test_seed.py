"""The hash seed: a bundle starts itself with it, whatever the interpreter was told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flopod.engine.seed import command_line


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        (["py", "b.py", "-I"], ["py", "b.py", "-I"]),
        (["py", "-I", "b.py"], ["py", "-Ps", "b.py"]),
        (["py", "-IB", "-X", "dev", "b.py"], ["py", "-PsB", "-X", "dev", "b.py"]),
        (["py", "-E", "-Wignore", "b.py"], ["py", "-Wignore", "b.py"]),
        (["py", "-Im", "pkg", "-E"], ["py", "-Psm", "pkg", "-E"]),
        (["py", "-c", "code", "-I"], ["py", "-c", "code", "-I"]),
        (["py", "-"], ["py", "-"]),
        ([], []),
    ],
)
def test_switches_that_hide_the_seed_are_taken_out(original: list[str], expected: list[str]) -> None:
    """Isolation is kept as far as it does not hide the environment; arguments are not touched."""
    assert command_line(original) == expected


@pytest.mark.process
@pytest.mark.parametrize("switches", [[], ["-I"], ["-E"], ["-R"]])
@pytest.mark.parametrize("seed", ["", "7", "random", "0"])
def test_a_process_gets_the_seed_it_needs(tmp_path: Path, switches: list[str], seed: str) -> None:
    """The process comes back once, with the seed, its arguments and an equal hash of texts."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom flopod.engine import seed\n"
        "assert seed.require(7)\nprint(seed.current(), hash('flopod'), sys.argv[1:])\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed} if seed else dict(os.environ)
    done = subprocess.run(
        [sys.executable, *switches, str(script), "a b", "-I"],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    expected = subprocess.run(
        [sys.executable, "-c", "print(7, hash('flopod'), ['a b', '-I'])"],
        env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (expected.stdout, "")
