"""The image of a server, by running the steps of its Dockerfile in a clean folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from flopod.manifest import Manifest
from flopod_compiler.build import compile_project
from flopod_compiler.bundle.artifact import SERVER
from flopod_compiler.bundle.dockerfile import dockerfile
from flopod_compiler.bundle.link import link
from tests.server.processes.conftest import SOURCE

pytestmark = pytest.mark.process
TOKEN = "the-token-of-the-image-1"


class Image:
    """A Dockerfile read step by step: what is installed, copied, set and run.

    The root of the image is the folder `root`, its python that of a virtual environment.
    """

    def __init__(self, text: str, root: Path) -> None:
        joined = re.sub(r"\\\n\s*", "", text)
        self.steps = [
            tuple(line.split(" ", 1)) for line in joined.splitlines() if line and line[0] not in "# "
        ]
        self.root = root
        self.python = root / "venv" / "bin" / "python"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(root)}

    def build(self, context: Path) -> None:
        """Install and copy."""
        subprocess.run([sys.executable, "-m", "venv", self.root / "venv"], check=True)
        for word, rest in self.steps:
            if word == "RUN" and rest.startswith("pip "):
                wanted = shlex.split(rest)[1:]
                subprocess.run([self.python, "-m", "pip", "-q", *wanted], check=True)
            elif word == "COPY":
                source, target = rest.split()
                placed = self._inside(target)
                placed.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(context / source, placed)
            elif word == "ENV":
                pairs = (each.split("=", 1) for each in shlex.split(rest))
                self.environment |= {name: self._value(value) for name, value in pairs}

    def command(self, word: str) -> list[str]:
        """What ENTRYPOINT or the CMD of the health check says, with the paths of this root."""
        rest = next(rest for first, rest in self.steps if first == word)
        words = json.loads(rest[rest.index("[") :])
        return [str(self.python) if each == "python" else self._value(each) for each in words]

    def _value(self, text: str) -> str:
        return str(self._inside(text)) if text.startswith("/") else text

    def _inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")


def test_the_steps_of_the_image_make_a_server_that_is_well(tmp_path: Path) -> None:
    """It installs what it says, does not start without a token, and its health check sees it."""
    linked = link(compile_project(SOURCE), artifact=SERVER)
    (tmp_path / "server.py").write_bytes(linked.content)
    image = Image(
        dockerfile(Manifest("b", "jobs", {}), linked.requirements, artifact=SERVER), tmp_path / "root"
    )
    image.build(tmp_path)
    entry = image.command("ENTRYPOINT")
    environment = {**image.environment, "FLOPOD_HOST": "127.0.0.1", "FLOPOD_PORT": "18977"}
    open_to_all = subprocess.run(entry, env=image.environment, capture_output=True, text=True, cwd=tmp_path)
    assert open_to_all.returncode == 2
    assert "FLOPOD_TOKEN" in open_to_all.stderr
    healthy = image.command("HEALTHCHECK")
    assert subprocess.run(healthy, env=environment).returncode == 1
    calls = {"CALLS": str(tmp_path / "calls.txt"), "FLOPOD_TOKEN": TOKEN}
    with subprocess.Popen(entry, env=environment | calls, cwd=tmp_path) as server:
        try:
            end = time.monotonic() + 30
            while subprocess.run(healthy, env=environment).returncode and time.monotonic() < end:
                time.sleep(0.1)
            body = json.dumps({"workflow": "steps", "input": ["a"], "run_id": "first"}).encode()
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            with urlopen(Request("http://127.0.0.1:18977/runs", body, headers)) as answer:
                assert answer.status == 202
            while len((tmp_path / "calls.txt").read_text().splitlines()) < 4 and time.monotonic() < end:
                time.sleep(0.05)
        finally:
            server.terminate()
    assert (tmp_path / "root" / "data" / "flopod.db").exists()
