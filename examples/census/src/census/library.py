"""The leaves that touch the machine: find the modules of the standard library, and measure one."""

import ast
import asyncio
import os
import sysconfig
from itertools import groupby
from pathlib import Path
from zlib import crc32

from flopod import Retry, activity

from census.model import Counts, Measure, Package

TOP_LEVEL = "(top level)"
SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "__phello__"}
EXECUTIONS = "executions.txt"


def find_packages(limit: int | None) -> list[Package]:
    """The packages of the standard library in order, only the first `limit` of them if that is given."""
    root = _library()
    paths = [path.relative_to(root) for path in root.rglob("*.py")]
    modules = sorted((_package(path), path.as_posix()) for path in paths if _counts(path))
    if not modules:
        raise FileNotFoundError(f"there are no Python sources in {root}")
    packages = [
        Package(name, [module for _, module in group])
        for name, group in groupby(modules, key=lambda each: each[0])
    ]
    return packages[:limit]


@activity(retry=Retry(max_attempts=4, delay="50ms", backoff="fixed", jitter=False, retry_on=(OSError,)))
async def measure(folder: str, module: str) -> Measure:
    """Read and parse one module. `folder` is where the census keeps its files."""
    _note_execution(Path(folder), module)
    _fail_at_first(Path(folder), module)
    return await asyncio.to_thread(_measure, module)


def _measure(module: str) -> Measure:
    source = (_library() / module).read_bytes()
    lines = source.count(b"\n")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return Measure(module, Counts(len(source), lines), f"line {error.lineno}: {error.msg}")
    kinds = [type(node) for node in ast.walk(tree)]
    functions = kinds.count(ast.FunctionDef) + kinds.count(ast.AsyncFunctionDef)
    return Measure(module, Counts(len(source), lines, functions, kinds.count(ast.ClassDef)))


def _library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _package(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else TOP_LEVEL


def _counts(path: Path) -> bool:
    names = path.with_suffix("").parts
    return SKIPPED.isdisjoint(names) and all(name.isidentifier() for name in names)


def _note_execution(folder: Path, module: str) -> None:
    """Add a line to the file of executions."""
    folder.mkdir(parents=True, exist_ok=True)
    _append(folder / EXECUTIONS, f"{module}\n")


def _fail_at_first(folder: Path, module: str) -> None:
    """Fail twice for about one module in thirty, as a busy network drive would."""
    if crc32(module.encode()) % 30:
        return
    failures = folder / "failures" / module.replace("/", ".")
    failures.parent.mkdir(exist_ok=True)
    failed = failures.stat().st_size if failures.exists() else 0
    if failed < 2:
        _append(failures, "x")
        raise OSError(f"{module} cannot be read right now (failure {failed + 1} of 2)")


def _append(path: Path, text: str) -> None:
    """Append in a single write, so that a kill cannot leave half of it."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
