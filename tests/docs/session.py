"""A folder with the examples in which the commands of a page are run, one block after the other."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import Block
from tests.examples.support import COMMANDS, ROOT, clean_environment

PATIENCE = 120.0
_BUILT = shutil.ignore_patterns(
    "out",
    "dist",
    ".flopod",
    "__pycache__",
    "executions.txt",
    "failures",
    "report.json",
    "report.txt",
    "effects.txt",
)


class Session:
    """Runs blocks in `folder`; a `cd` of one is where the next one begins."""

    def __init__(self, folder: Path, start: Path) -> None:
        self.folder = folder / start
        self.output = ""
        self._where = folder / "where"
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=_BUILT)
        self.folder.mkdir(exist_ok=True)

    def run(self, block: Block) -> None:
        """Run shell commands up to the first that fails and keep what they print, both streams together.

        The block's argument `status N` is the status that they end with.
        """
        program = f"set -e; trap 'pwd > {self._where}' EXIT\n{block.text}"
        self._execute(["bash", "-c", program], int(block.argument.removeprefix("status ") or 0), block)
        self.folder = Path(self._where.read_text().strip())

    def run_python(self, block: Block) -> None:
        """Run a block of Python with the path it names importable. Fails if it raises."""
        command = [sys.executable, "-W", "error", "-c", block.text]
        self._execute(command, 0, block, PYTHONPATH=str(ROOT / block.argument))

    def _execute(self, command: list[str], status: int, block: Block, **more: str) -> None:
        path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=clean_environment(PATH=path, NO_COLOR="1", **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == status, f"{block.place} ends with status {done.returncode}:\n{done.stdout}"
        self.output = done.stdout
