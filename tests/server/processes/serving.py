"""A linked server as a process: started on any free port, asked over real HTTP, killed."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flopod_compiler.build import compile_project
from flopod_compiler.bundle.artifact import SERVER
from flopod_compiler.bundle.link import link
from flopod_compiler.cli.locking import write_lock

PATIENCE = 30.0


def make_server(source: Path, script: Path) -> Path:
    """Link a server of `source` as the file `script`, and keep the lock of the source."""
    found = compile_project(source, locking=True)
    write_lock(found)
    script.write_bytes(link(found, artifact=SERVER).content)
    return script


class Answer:
    """A status, headers, and a body that is JSON or text."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.text = body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Served:
    """A server that runs as long as the block: `with Served(script, folder) as server`."""

    def __init__(self, script: Path, folder: Path, *arguments: str, **environment: str) -> None:
        self.script = script
        self.folder = folder
        self.arguments = arguments
        self.environment = environment
        self.log: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and wait until it says where it listens."""
        self.process = subprocess.Popen(
            self._command(),
            cwd=self.folder,
            env=self.environment_of_process(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.url = self._url()
        threading.Thread(target=self._read, daemon=True).start()

    def _command(self) -> list[str]:
        return [sys.executable, str(self.script), "--port", "0", *self.arguments]

    def environment_of_process(self) -> dict[str, str]:
        """The variables that it starts with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOPOD_")}
        own = {"CALLS": str(self.folder / "calls.txt"), "FLOPOD_DATA_DIR": str(self.folder / "data")}
        return {**kept, **own, **self.environment}

    def _url(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                return found[0]
        raise AssertionError("the server did not start:\n" + "".join(self.log))

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                self.log.append(line)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request."""
        data = None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given |= {} if body is None else {"Content-Type": "application/json"}
        request = Request(self.url + path, data, given, method=method)
        try:
            with urlopen(request, timeout=PATIENCE) as found:
                return Answer(found.status, dict(found.headers), found.read())
        except HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def start_run(self, workflow: str, run_id: str | None = None, **input: Any) -> str:
        """Start a run, and return its id."""
        body = {"workflow": workflow, "input": input, **({"run_id": run_id} if run_id else {})}
        answer = self.ask("POST", "/runs", body)
        assert answer.status == 202, answer.text
        started: str = answer.json["run_id"]
        return started

    def run(self, run_id: str) -> Any:
        """What there is to know of a run."""
        return self.ask("GET", f"/runs/{run_id}").json

    def until(self, run_id: str, status: str) -> Any:
        """Wait until a run has a status; return what is known of it."""
        return self.wait_for(
            lambda: found if (found := self.run(run_id))["run"]["status"] == status else None
        )

    def wait_for(self, condition: Callable[[], Any]) -> Any:
        """Wait until something is true, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not come:\n" + "".join(self.log[-20:]))

    def calls(self) -> list[str]:
        """What the leaves have noted, in their order."""
        path = self.folder / "calls.txt"
        return path.read_text().splitlines() if path.exists() else []

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop, and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)
