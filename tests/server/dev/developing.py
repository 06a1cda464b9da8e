"""`flopod dev` as a process: its source is edited, its worker is killed, its bar and its log are read."""

import html
import os
import re
import signal
import sys
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.server.processes.serving import PATIENCE, Served

PROJECT = Path(__file__).parent / "project" / "src"
ROOT = Path(__file__).parents[3]


class Developed(Served):
    """`flopod dev` over a copy of the post office, as long as the block: `with Developed(folder) as dev`.

    `source` is a folder or file, or the name of one to be made in `folder`.
    """

    def __init__(self, folder: Path, source: Path = PROJECT, *arguments: str, **environment: str) -> None:
        paths = os.pathsep.join(str(ROOT / name) for name in ("runtime", "compiler", "templates"))
        own = {"PYTHONPATH": paths, "PACE": str(folder / "pace.txt")}
        super().__init__(folder / "src", folder, *arguments, **{**own, **environment})
        if source.is_file():
            self.script = source
        elif source.is_dir() and source != self.script and not self.script.exists():
            copytree(source, self.script, ignore=lambda *_: ["__pycache__"])

    def _command(self) -> list[str]:
        port = [] if "--port" in self.arguments else ["--port", "0"]
        return [sys.executable, "-m", "flopod_compiler.cli", "dev", str(self.script), *port, *self.arguments]

    # -- what is done to it ----------------------------------------------------------------------

    def pace(self, seconds: float) -> None:
        """Let each leaf take so long from now on."""
        (self.folder / "pace.txt").write_text(str(seconds))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that is once in a file of the source."""
        path = self.script / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new))

    def press(self, button: str) -> None:
        """Press a button of the bar."""
        self.form(f"/ui/dev/{button}")

    def form(self, path: str, **fields: str) -> None:
        """Send a form as a browser does."""
        request = Request(self.url + path, urlencode(fields).encode(), {"Origin": self.url}, method="POST")
        with urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status == 200

    def deliver(self, run_id: str, event: str, payload: Any) -> None:
        """Deliver an event to a run that waits for it, and for nothing else."""
        (wait,) = self.run(run_id)["run"]["waits"]
        body = {"path": wait["path"], "event": event, "payload": payload}
        answer = self.ask("POST", f"/runs/{run_id}/deliver", body)
        assert answer.status in (200, 202), answer.text

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group, as a terminal does."""
        os.killpg(self.process.pid, number)

    # -- what is seen of it ----------------------------------------------------------------------

    def bar(self) -> str:
        """What the bar says, as text."""
        return _words(self.ask("GET", "/ui/dev/bar").text)

    def until_bar(self, text: str) -> str:
        """Wait until the bar says something; return all that it says."""
        return str(self.wait_for(lambda: found if text in (found := self.bar()) else None))

    @property
    def build(self) -> str:
        """The build that runs, "" if none does."""
        found = re.search(r"build (\w+)", self.bar())
        return found[1] if found else ""

    @property
    def worker(self) -> int:
        """The process that runs the runs, 0 if there is none."""
        found = re.search(r"worker (\d+)", self.bar())
        return int(found[1]) if found else 0

    def until_ready(self) -> int:
        """Wait until runs can be started; return the process that runs them."""
        self.wait_for(lambda: self.ask("GET", "/readyz").status == 200)
        return self.worker

    def until_other(self, worker: int) -> int:
        """Wait until another process than that runs the runs."""
        return int(self.wait_for(lambda: found if (found := self.worker) not in (0, worker) else None))

    def until_rebuilt(self, before: str) -> str:
        """Wait until another build than that runs, and can be used."""
        found = self.wait_for(lambda: build if (build := self.build) not in ("", before) else None)
        self.until_ready()
        return str(found)


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
