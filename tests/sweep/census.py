"""`python -m tests.sweep.census`: the compiler over the standard library and ten packages that others wrote.

Each function is taken as a workflow by itself (`flopod check --all-functions`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flopod_compiler.cli.census import rules, sources
from flopod_compiler.survey import Survey, survey

PACKAGES = {
    "attrs": "attr",
    "click": "click",
    "flask": "flask",
    "httpx": "httpx",
    "jinja2": "jinja2",
    "networkx": "networkx",
    "pydantic": "pydantic",
    "requests": "requests",
    "rich": "rich",
    "werkzeug": "werkzeug",
}
"""Popular packages of pure Python, and the folder each installs."""

_TESTS = frozenset({"test", "tests", "idle_test"})
_FOREIGN = frozenset({"site-packages", "__pycache__"})


def copied(source: Path, target: Path) -> Path:
    """The Python files of a folder without its tests, elsewhere."""

    def unwanted(folder: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if name in _TESTS | _FOREIGN or not (name.endswith(".py") or Path(folder, name).is_dir())
        ]

    shutil.copytree(source, target, ignore=unwanted)
    return target


def standard_library(folder: Path) -> Path:
    """The running interpreter's own."""
    return copied(Path(sysconfig.get_path("stdlib")), folder / "stdlib")


def packages(folder: Path) -> Iterator[tuple[str, Path]]:
    """The packages from the index, without what they need; without an index none, and a line that says so."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    wanted = [*pip, "--timeout", "10", "--retries", "1", "--target", str(folder / "installed"), *PACKAGES]
    done = subprocess.run(wanted, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"packages skipped, since none can be installed here: {reason}", file=sys.stderr)
        return
    for name, imported in PACKAGES.items():
        yield name, copied(folder / "installed" / imported, folder / "packages" / name / imported)


def census(folder: Path) -> dict[str, Survey]:
    """Every source surveyed, and their total."""
    places = [("standard library", standard_library(folder)), *packages(folder)]
    found: dict[str, Survey] = {}
    total = Survey()
    for name, place in places:
        found[name] = survey(place)
        total.add(found[name])
        print(f"{name}: {found[name].functions} functions", file=sys.stderr)
    return {**found, "total": total}


def main() -> int:
    """Print the tables; the exit status is 1 if the compiler failed anywhere."""
    with tempfile.TemporaryDirectory(prefix="census-") as folder:
        found = census(Path(folder))
    total = found["total"]
    print(f"{sources(found)}\n\n{rules(total)}")
    for fault in total.faults:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
