"""The benchmarks, as small as they can be: that they run and measure what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.support import ROOT, clean_environment

pytestmark = pytest.mark.process
STORES = ("sqlite", "file", "postgres")


def test_the_benchmark_prints_a_ratio_for_each_store(tmp_path: Path) -> None:
    """All stores and both workflows are measured against bare writes, whatever the figures are."""
    script = [
        str(ROOT / "benchmarks" / "step.py"),
        "--steps",
        "10",
        "--rounds",
        "2",
        "--folder",
        str(tmp_path),
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["store"], row["work"].split()[-1]) for row in rows] == [
        (store, workflow) for store in STORES for workflow in ("plain", "carried")
    ]
    assert all(row["found"] > 0 and row["floor"] > 0 and row["ratio"] > 0 for row in rows)
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


def test_the_benchmark_of_the_runtime_has_all_rows() -> None:
    """Steps, resumes, the engine and the import are in one table, with a goal each."""
    script = [str(ROOT / "benchmarks" / "runtime.py"), "--scale", "0.002"]
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["work", "store", "floor", "flopod", "ratio", "goal"]
    goals = {"a durable step": "x", "resume after": "x", "import of": "x", "one-step runs": "/s"}
    goals |= {"event to run, same": "ms", "event to run, other": "ms", "200 waiting": "MB"}
    goals |= {"restart with them": "s", "which then has": "MB", "process after": "x", "1,500 starts/s": "%"}
    for part, unit in goals.items():
        found = [row for row in rows if row.startswith(part)]
        assert found, f"no row begins with {part}"
        assert all(row.endswith(unit) for row in found), found


def test_the_benchmark_of_detaches_prints_a_ratio_for_each_row() -> None:
    """How long the caller is kept, and how long it takes to the end, plain and in a run."""
    script = [
        str(ROOT / "benchmarks" / "detach.py"),
        "--count",
        "50",
        "--durable",
        "20",
        "--rounds",
        "2",
        "--json",
    ]
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["work"] for row in rows] == [
        "a forget of 50, the call",
        "a forget of 50, to its end",
        "durable forget of 20, in the run",
        "durable forget of 20, to its end",
    ]
    assert all(row["found"] > 0 and row["floor"] > 0 and row["ratio"] > 0 for row in rows)


def test_the_benchmark_of_the_compiler_prints_a_ratio_for_each_row() -> None:
    """Every row of the table has a floor, a figure and the ratio of the two."""
    script = [str(ROOT / "benchmarks" / "compile.py"), "--lines", "300", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, *script], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split()[:2] == ["work", "floor"]
    names = ["cold build", "asyncio, all functions", "rebuild after a change", "flopod --help"]
    assert [row[:24].strip() for row in rows] == names
    assert all(float(row.split()[-3]) > 0 for row in rows)
    assert "% of them in bodies of workflows" in done.stderr
