"""A server in a process of its own: killed under load, stopped with streams open, started again."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from flopod.backends.sqlite import SqliteBackend
from tests.server.api.follow import SSE
from tests.server.api.serving import Process

pytestmark = pytest.mark.process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """A server that is started."""
    process = Process(tmp_path).start()
    yield process
    process.close()


def test_nothing_accepted_is_lost_and_nothing_is_doubled(server: Process, tmp_path: Path) -> None:
    """Killed again and again while clients start runs with keys, and ask again until they are answered."""
    notes, accepted = tmp_path / "notes", dict[str, str]()
    urls, enough = [server.url], threading.Event()

    def ask(worker: int) -> None:
        number = 0
        while not enough.is_set():
            key = f"{worker}-{number}"
            body = {"workflow": "noted", "input": [str(notes), key]}
            while key not in accepted:
                try:
                    with httpx2.Client(base_url=urls[-1], timeout=5) as client:
                        answer = client.post("/runs", json=body, headers={"Idempotency-Key": key})
                    if answer.status_code == 202:
                        accepted[key] = answer.json()["run_id"]
                except httpx2.HTTPError:
                    time.sleep(0.02)
            number += 1

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for killed in range(3):
        _until(lambda: len(accepted) >= 12 * (killed + 1))  # noqa: B023
        server.end(signal.SIGKILL)
        urls.append(server.start().url)
    _until(lambda: len(accepted) >= 48)
    enough.set()
    for worker in workers:
        worker.join()
    with server.client() as client:
        query = {"status": ["pending", "running"]}
        _until(lambda: client.get("/runs", params=query).json()["runs"] == [])
    assert server.end() in (0, -signal.SIGTERM)
    with SqliteBackend(tmp_path / "flopod.db") as store:
        found = {one.run_id: one.status for one in store.summaries()}
    assert set(found) == set(accepted.values())
    assert set(found.values()) == {"completed"}
    # A leaf in flight at a kill runs again, and every other one once.
    lines = Counter(notes.read_text().splitlines())
    assert set(lines) == set(accepted)
    assert sum(lines.values()) - len(lines) <= 3 * len(workers)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not come true in 30 seconds"
        time.sleep(0.005)


def test_a_server_with_open_streams_ends_at_once(server: Process) -> None:
    """Nobody waits for those who follow, and nothing but the log is on standard error."""
    with server.client() as client:
        client.post("/runs", json={"workflow": "approve", "input": ["a"], "run_id": "asks"})
        with client.stream("GET", "/events", headers=SSE) as stream:
            lines = stream.iter_lines()
            next(lines)
            begin = time.monotonic()
            ended: list[int] = []
            ending = threading.Thread(target=lambda: ended.append(server.end()))
            ending.start()
            assert list(lines)[-1] == ""
        ending.join()
    assert time.monotonic() - begin < 3
    assert "Traceback" not in (server.folder / "stderr").read_text()


def test_runs_go_on_when_the_server_is_started_again(server: Process) -> None:
    """What waited waits, under the address it had, and takes what is delivered."""
    with server.client() as client:
        client.post("/runs", json={"workflow": "approve", "input": ["a"], "run_id": "asks"})
    server.end(signal.SIGKILL)
    with server.start().client() as client:
        _until(lambda: client.get("/runs/asks").json()["run"]["status"] == "waiting")
        yes = {"path": "approved", "event": "approved", "payload": {"by": "ada"}}
        assert client.post("/runs/asks/deliver", json=yes).status_code == 202
        with client.stream("GET", "/runs/asks/events", headers=SSE) as stream:
            assert "run_completed" in stream.read().decode()
        assert client.get("/runs/asks").json()["result"] == "a by ada"
