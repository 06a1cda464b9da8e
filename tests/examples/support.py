"""Bundles of the examples and processes that run them: built here, run elsewhere, killed half-way."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
COMMANDS = Path(sys.executable).parent
PATIENCE = 30.0

_HEADER = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what says where runs are kept or where flopod is; `more` is added."""
    dropped = {"DATABASE_URL", "PYTHONPATH", "PYTHONHASHSEED", "VIRTUAL_ENV"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FLOPOD_") and k not in dropped}
    return kept | more


def build(example: str, target: Path) -> Path:
    """Build an example as a user does and return its bundle."""
    command = [str(each) for each in (COMMANDS / "flopod", "build", EXAMPLES / example / "src", "-o", target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return target / "bundle.py"


def requirements(bundle: Path) -> list[str]:
    """The requirements in the PEP 723 header of a bundle."""
    found = _HEADER.search(bundle.read_text("utf-8"))
    assert found is not None, "the bundle has no header"
    lines = (line[2:] if line.startswith("# ") else line[1:] for line in found["content"].splitlines(True))
    return list(tomllib.loads("".join(lines))["dependencies"])


def bare_interpreter(folder: Path, wanted: list[str]) -> Path:
    """A new virtual environment that has the distributions `wanted` (`name==version`) and nothing else.

    They are copied from those installed here, so that no index is asked.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"]
    site = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    for requirement in wanted:
        name, _, version = requirement.partition("==")
        installed = distribution(name)
        assert installed.version == version, f"{requirement} is not what is installed here"
        for file in installed.files or ():
            if ".." not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), site / file)
    return python


@dataclass
class Job:
    """One process that runs a bundle; its two streams go to files."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path

    @property
    def talk(self) -> str:
        """What it has said on standard error so far."""
        return self.err.read_text("utf-8")

    def until(self, text: str) -> None:
        """Wait until it says `text`."""
        end = time.monotonic() + PATIENCE
        while text not in self.talk:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.talk}"
            assert time.monotonic() < end, f"never said {text!r}:\n{self.talk}"
            time.sleep(0.002)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        assert self.process.poll() is None, f"it had already ended:\n{self.talk}"
        self.process.kill()
        self.process.wait()

    def result(self) -> Any:
        """Wait for its end, which must be a completed run, and return the result."""
        assert self.process.wait(PATIENCE) == 0, self.talk
        return json.loads(self.out.read_text("utf-8"))


@dataclass
class Place:
    """A folder in which a bundle is started, as often as need be."""

    folder: Path
    python: Path
    bundle: Path
    jobs: list[Job] = field(default_factory=list)

    def start(self, *arguments: str) -> Job:
        """Start a process here."""
        out, err = (self.folder / f"{len(self.jobs)}.{stream}" for stream in ("out", "err"))
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = subprocess.Popen(
                [self.python, self.bundle, *arguments],
                cwd=self.folder,
                env=clean_environment(),
                stdout=to_out,
                stderr=to_err,
            )
        self.jobs.append(Job(process, out, err))
        return self.jobs[-1]

    def shell(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Type a command here, in a shell that finds flopod's commands."""
        path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
        environment = clean_environment(PATH=path)
        return subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def events(self, run_id: str = "main-run") -> list[dict[str, Any]]:
        """The log of a run, read by the command for it."""
        done = self.shell(f"flopod runs events {run_id} --json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def said(self, text: str) -> int:
        """How often all processes together have said a line with `text`."""
        return sum(text in line for job in self.jobs for line in job.talk.splitlines())

    def close(self) -> None:
        """End what is left."""
        for job in self.jobs:
            if job.process.poll() is None:
                job.process.kill()
                job.process.wait()


OpenPlace = Callable[[str], Place]


def run_plainly(arguments: list[str], folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a program under plain Python in `folder`, with its effects in a file there."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=clean_environment(EFFECTS=str(folder / "effects.txt"), **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def plain_result(example: str, expression: str, imports: str) -> Any:
    """The value of `expression` from the example's source under plain Python, as plain JSON."""
    program = f"{imports}\nimport asyncio, json\nfrom flopod.codec import plain\nresult = {expression}\n"
    program += "print('\\n' + json.dumps(plain(result)))"
    environment = clean_environment(PYTHONPATH=str(EXAMPLES / example / "src"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
