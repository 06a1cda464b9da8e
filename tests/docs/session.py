"""A folder with the examples in which the commands of a page are run, one block after the other."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.docs.blocks import Block
from tests.examples.support import COMMANDS, ROOT, clean_environment

PATIENCE = 120.0
PORTS = ("8080", "8081")
"""Where servers listen on pages; the tests give them ports that are free."""

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
    """Runs blocks in `folder`; a `cd` of one is where the next one begins.

    What a block leaves running in the background goes on for the next ones, and is killed at the end.
    """

    def __init__(self, folder: Path, start: Path) -> None:
        self.folder = folder / start
        self.output = ""
        self._where = folder / "where"
        shutil.copytree(ROOT / "examples", folder / "examples", ignore=_BUILT)
        self.folder.mkdir(exist_ok=True)
        self._ports = {port: str(free_port()) for port in PORTS}
        self._groups: list[int] = []

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        for group in self._groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def run(self, block: Block) -> None:
        """Run shell commands up to the first that fails and keep what they print, both streams together.

        The block's argument `status N` is the status that they end with.
        """
        program = f"set -e; trap 'pwd > {self._where}' EXIT\n{self._here(block.text)}"
        self._execute(["bash", "-c", program], int(block.argument.removeprefix("status ") or 0), block)
        self.folder = Path(self._where.read_text().strip())

    def run_python(self, block: Block) -> None:
        """Run a block of Python with the path it names importable. Fails if it raises."""
        command = [sys.executable, "-W", "error", "-c", self._here(block.text)]
        self._execute(command, 0, block, PYTHONPATH=str(ROOT / block.argument))

    def _execute(self, command: list[str], status: int, block: Block, **more: str) -> None:
        path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=clean_environment(PATH=path, NO_COLOR="1", **({"FLOPOD_PORT": self._ports["8080"]} | more)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            self._groups.append(process.pid)
            output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == status, f"{block.place} ends with status {process.returncode}:\n{output}"
        self.output = output
        for port, ours in self._ports.items():
            self.output = self.output.replace(ours, port)

    def _here(self, text: str) -> str:
        """A program of a page with the ports of this session."""
        for port, ours in self._ports.items():
            text = text.replace(port, ours)
        return text


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
