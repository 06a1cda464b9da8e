"""The workflows of the soak with their inputs, and the bundle they are compiled to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import flopod
from flopod.engine.seed import DEFAULT_SEED
from tests.cli.flows import clean_environment

_HERE = Path(__file__).parent
_LIBRARIES = [str(Path(flopod.__file__).parents[1]), str(_HERE.parents[2])]
_PATIENCE = 60.0


class Case(NamedTuple):
    """A workflow, its input, and what is delivered to it: (path, payload)."""

    workflow: str
    input: str
    deliveries: tuple[tuple[str, bytes], ...] = ()


CASES = (
    Case("loops", "[2]"),
    Case("gathers", "[2]"),
    Case("retries", "[1]"),
    Case("timers", "[1]"),
    Case("waits", '[["ann", "bob"]]', (("names[1]/approved", b"2"), ("names[0]/approved", b"1"))),
    Case("children", "[2]"),
    Case("compensations", "[2]"),
    Case("compacted", "[14]"),
    Case("plain", "[3]"),
)


class End(NamedTuple):
    """How a process ended: its status, its result, the last line of its talk."""

    status: int
    out: str
    said: str


class Bundle:
    """The compiled bundle of `flows.py` in a folder, started as a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = folder / "src"
        source.mkdir(parents=True)
        (source / "flows.py").write_text((_HERE / "flows.py").read_text("utf-8"), "utf-8")
        build = "from flopod_compiler.cli import main; main()"
        command = [sys.executable, "-c", build, "build", str(source), "-o", str(folder / "dist")]
        subprocess.run(command, check=True, capture_output=True)

    def start(
        self, case: Case, run_id: str, backend: str, journal: Path, kill: str = ""
    ) -> subprocess.Popen[str]:
        """Start or resume a run; `kill` is what the killer is told."""
        command = [sys.executable, str(self.folder / "dist" / "bundle.py"), case.workflow, "-q"]
        return subprocess.Popen(
            [*command, "--input", case.input, "--run-id", run_id, "--backend", backend],
            env=environment(journal, kill),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def end_of(process: subprocess.Popen[str]) -> End:
    """Wait for a process, which must come to an end."""
    try:
        out, said = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
        raise AssertionError(f"{process.args!r} does not come to an end:\n{said}") from None
    return End(process.returncode, out, (said.rstrip().splitlines() or [""])[-1])


def environment(journal: Path, kill: str) -> dict[str, str]:
    """The environment of a process that is to be killed, as `kill` says."""
    return clean_environment() | {
        "PYTHONPATH": os.pathsep.join([str(_HERE / "killer"), *_LIBRARIES]),
        "PYTHONHASHSEED": str(DEFAULT_SEED),
        "FLOPOD_MAX_CRASHES": "100000",
        "FLOPOD_COMPACT": "6",
        "SOAK_JOURNAL": str(journal),
        "SOAK_KILL": kill,
    }


def processors() -> int:
    """How many processes go side by side."""
    return min(os.cpu_count() or 1, 4)
