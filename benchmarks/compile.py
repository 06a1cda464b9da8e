"""What compiling costs, as ratios to floors that are measured in the same run, in turns.

For a cold build the floor is what nobody who edits with libcst can avoid: parse the same files, transform
them by nothing, write them. For the commands it is the import of the libraries that they need.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import libcst
from project import Size, generate, size

from flopod_compiler.build import compile_project
from flopod_compiler.bundle.link import link
from flopod_compiler.survey import survey

GOAL = 2.0
LIBRARIES = "import libcst, click, msgspec, jinja2"


@dataclass(frozen=True)
class Row:
    """Milliseconds of the floor and of the work, and the ratio of the two, as medians over the rounds."""

    name: str
    floor: float
    work: float
    ratio: float


def measure(name: str, floor: Callable[[], object], work: Callable[[], object], rounds: int) -> Row:
    """Take turns between the two, after one round to warm up."""
    _seconds(floor), _seconds(work)
    pairs = [(_seconds(floor), _seconds(work)) for _ in range(rounds)]
    return Row(
        name,
        floor=median(floor for floor, _ in pairs) * 1e3,
        work=median(work for _, work in pairs) * 1e3,
        ratio=median(work / floor for floor, work in pairs),
    )


def _seconds(what: Callable[[], object]) -> float:
    """Seconds of processor time, those of child processes included: others use this machine too.

    The collector of garbage rests, as it does in `flopod build`: what it costs depends on what else is there.
    """
    gc.collect()
    gc.disable()
    before = os.times()
    what()
    after = os.times()
    gc.enable()
    return sum(after[:4]) - sum(before[:4])


class _NoOp(libcst.CSTTransformer):
    pass


def retyped(texts: Sequence[str]) -> None:
    """The floor of a build."""
    for text in texts:
        _ = libcst.parse_module(text).visit(_NoOp()).code


def texts_below(folder: Path) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.rglob("*.py"))]


def cold_build(source: Path) -> None:
    """Everything from the source to the text of the bundle, nothing cached."""
    found = compile_project(source)
    if not found.ok:
        errors = [one for one in found.diagnostics if one.severity == "error"]
        raise RuntimeError(f"the generated project does not compile: {errors[0]}")
    link(found)


def drop_refused(source: Path) -> None:
    """Remove the cases that do not compile beside the others, since a method of that name is theirs too."""
    found = compile_project(source)
    for path in {one.path for one in found.diagnostics if one.severity == "error"}:
        (source / path).unlink()


def rebuild(source: Path, folder: Path) -> Callable[[], None]:
    """A change of one file, then the command."""
    changed = sorted(source.glob("*.py"))[0]
    text = changed.read_text("utf-8")
    count = 0

    def work() -> None:
        nonlocal count
        count += 1
        changed.write_text(f"{text}\nCHANGED = {count}\n", "utf-8")
        command("-m", "flopod_compiler.cli", "build", str(source), "-o", str(folder / "dist"))

    return work


def command(*arguments: str) -> None:
    """Run Python as an installed package runs: with its bytecode kept, whatever this environment says."""
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=settings)


def rows(folder: Path, lines: int, rounds: int) -> Iterator[Row]:
    """Measure the work of the table in `folder`."""
    source = folder / "src"
    source.mkdir()
    generate(source, lines)
    drop_refused(source)
    print(_described(size(source)), file=sys.stderr)
    generated = texts_below(source)
    yield measure("cold build", lambda: retyped(generated), lambda: cold_build(source), rounds)
    library = Path(asyncio.__file__).parent
    theirs = texts_below(library)
    yield measure("asyncio, all functions", lambda: retyped(theirs), lambda: survey(library), rounds)
    imports = lambda: command("-c", LIBRARIES)  # noqa: E731
    yield measure("rebuild after a change", imports, rebuild(source, folder), rounds)
    helping = lambda: command("-m", "flopod_compiler.cli", "--help")  # noqa: E731
    yield measure("flopod --help", lambda: command("-c", "import click"), helping, rounds)


def _described(project: Size) -> str:
    share = project.inside / project.lines
    return f"{project.lines} lines in {project.modules} modules, {share:.0%} of them in bodies of workflows"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=10_000, help="of the generated project (default: 10000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take the median of (default: 5)")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    print(f"{'work':<24}{'floor':>12}{'flopod':>12}{'ratio':>9}   goal")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["FLOPOD_CACHE_DIR"] = f"{folder}/cache"
        os.environ["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
        for row in rows(Path(folder), options.lines, options.rounds):
            times = f"{row.floor:>9.0f} ms{row.work:>9.0f} ms{row.ratio:>9.2f}"
            print(f"{row.name:<24}{times}   <= {GOAL:g}", flush=True)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
