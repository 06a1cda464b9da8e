"""The worker driver in a program that is one file: `python bundle.py`, which processes import again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flopod_compiler.build import compile_project
from flopod_compiler.bundle.link import link

CPU = """
import os
from dataclasses import dataclass

@dataclass
class Total:
    value: int
    pid: int

def square(x: int) -> Total:
    return Total(x * x, os.getpid())
"""
ORDERS = """
import os
from flopod import activity, workflow
from flopod.detach import create_worker_driver, detach_and_join_later
from shop.cpu import square

@activity
async def in_worker(x: int, method: str) -> str:
    total = await detach_and_join_later(create_worker_driver(workers=1, context=method), square, x).wait()
    return f"{type(total).__name__} {total.value} {total.pid != os.getpid()}"

@workflow
async def run(x: int, method: str) -> str:
    return await in_worker(x, method)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    (source / "shop").mkdir()
    for name, text in {"__init__": "", "cpu": CPU, "orders": ORDERS}.items():
        (source / "shop" / f"{name}.py").write_text(text)
    path = tmp_path_factory.mktemp("dist") / "bundle.py"
    path.write_bytes(link(compile_project(source)).content)
    return path


@pytest.mark.process
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_a_bundle_run_in_processes(bundle: Path, tmp_path: Path, method: str) -> None:
    """Functions and types that exist in the bundle only are found there, and no second run is started."""
    done = subprocess.run(
        [sys.executable, str(bundle), "--input", f'{{"x": 7, "method": "{method}"}}'],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == '"Total 49 True"\n', done.stderr
    assert done.stderr.count("starting run") == 1
