"""A server is started, asked, stopped and killed; its runs are there when it comes back."""

import contextlib
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPException
from pathlib import Path

import pytest

from flopod.backends.schema import SEQ_BITS
from tests.server.processes.serving import Served
from tests.server.webhooks.receiver import Receiver

pytestmark = pytest.mark.process


@pytest.mark.parametrize("backend", ["sqlite", "file"])
def test_a_server_runs_what_it_is_asked_to(server_script: Path, tmp_path: Path, backend: str) -> None:
    """A run is started, awaited, answered and listed; on both stores of one machine."""
    with Served(server_script, tmp_path, "--backend", backend) as server:
        run_id = server.start_run("steps", name="a", count=2)
        found = server.until(run_id, "completed")
        assert found["result"] == ["a:0", "a:1"]
        waiting = server.start_run("approve", name="b")
        server.until(waiting, "waiting")
        answer = server.ask(
            "POST", f"/runs/{waiting}/deliver", {"path": "word", "event": "word", "payload": "yes"}
        )
        assert answer.status in (200, 202), answer.text
        assert server.until(waiting, "completed")["result"] == "b:yes"
        listed = server.ask("GET", "/runs").json["runs"]
        assert {each["run_id"] for each in listed} == {run_id, waiting}
        assert server.calls() == ["a:0", "a:1", "a:end", "b:yes"]


def test_a_server_runs_nothing_by_itself(server_script: Path, tmp_path: Path) -> None:
    """It only serves, and says where runs are kept; the first run is the first that somebody starts."""
    with Served(server_script, tmp_path) as server:
        assert server.ask("GET", "/readyz").status == 200
        assert server.ask("GET", "/runs").json["runs"] == []
        assert server.calls() == []
        assert server.log[0] == f"runs in sqlite {tmp_path / 'data' / 'flopod.db'}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_leaves_its_runs_in_order(
    server_script: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Its exit status is that of the signal; the run that sleeps goes on at the next start."""
    server = Served(server_script, tmp_path)
    with server:
        run_id = server.start_run("nap", name="a", seconds=1.5)
        server.until(run_id, "waiting")
        assert server.stop(number) == 128 + number
    assert not any("Traceback" in line for line in server.log), "".join(server.log)
    with server:
        assert server.until(run_id, "completed")["run"]["crashes"] == 0
    assert server.calls() == ["a:before", "a:after"]


def test_a_server_that_has_stopped_leaves_its_database_in_one_file(
    server_script: Path, tmp_path: Path
) -> None:
    """A copy of that file has every run: nothing is left in the log beside it."""
    with Served(server_script, tmp_path) as server:
        server.until(server.start_run("steps", name="a"), "completed")
        server.stop()
    assert {path.name for path in (tmp_path / "data").iterdir() if path.is_file()} == {"flopod.db"}


def test_runs_are_there_after_a_kill_and_due_timers_fire(server_script: Path, tmp_path: Path) -> None:
    """One that waits, one whose timer was due meanwhile, one that is over."""
    server = Served(server_script, tmp_path)
    with server:
        over = server.start_run("steps", name="over", count=1)
        server.until(over, "completed")
        waiting = server.start_run("approve", name="waits")
        sleeping = server.start_run("nap", name="naps", seconds=0.5)
        server.until(waiting, "waiting")
        server.until(sleeping, "waiting")
    time.sleep(0.6)
    with server:
        listed = {each["run_id"]: each["status"] for each in server.ask("GET", "/runs").json["runs"]}
        assert listed.keys() == {over, waiting, sleeping}
        assert (listed[over], listed[waiting]) == ("completed", "waiting")
        server.until(sleeping, "completed")
        server.ask("POST", f"/runs/{waiting}/deliver", {"path": "word", "event": "word", "payload": "go"})
        server.until(waiting, "completed")
    assert Counter(server.calls()) == Counter(["over:0", "over:end", "naps:before", "naps:after", "waits:go"])


def test_a_kill_under_load_loses_nothing_that_was_accepted(server_script: Path, tmp_path: Path) -> None:
    """Four clients start runs while the server is killed again and again.

    Each run that was answered with 202 comes to its end, and none of its steps that were recorded before a
    kill runs again: at most the one in flight does, at each kill.
    """
    server = Served(server_script, tmp_path)
    accepted: list[str] = []
    done = threading.Event()

    def client(number: int) -> None:
        count = 0
        while not done.is_set():
            run_id = f"run-{number}-{count}"
            try:
                answer = server.ask(
                    "POST", "/runs", {"workflow": "steps", "input": [run_id], "run_id": run_id}
                )
            except (OSError, HTTPException):
                time.sleep(0.02)  # sent again: it may have been accepted or not
                continue
            if answer.status == 202:
                accepted.append(run_id)
                count += 1

    kills = 4
    server.start()
    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for each in clients:
        each.start()
    for _ in range(kills):
        time.sleep(0.5)
        server.kill()
        server.start()
    done.set()
    for each in clients:
        each.join()
    server.wait_for(lambda: not server.ask("GET", "/runs?status=running&status=pending").json["runs"])
    assert len(accepted) > 20
    calls = Counter(server.calls())
    for run_id in accepted:
        assert server.run(run_id)["run"]["status"] == "completed", run_id
        kinds = [each["kind"] for each in server.ask("GET", f"/runs/{run_id}/events").json["events"]]
        assert kinds.count("run_completed") == 1
        own = [calls[f"{run_id}:{step}"] for step in (0, 1, 2, "end")]
        assert min(own) == 1
        assert sum(own) <= len(own) + kills
    server.kill()


def test_metrics_and_headers_come_over_the_wire(server_script: Path, tmp_path: Path) -> None:
    """What Prometheus reads, and what every answer has."""
    with Served(server_script, tmp_path) as server:
        server.until(server.start_run("steps", name="a"), "completed")
        answer = server.ask("GET", "/metrics")
        assert re.search(r'flopod_runs\{status="completed"\} 1\b', answer.text), answer.text
        assert "nosniff" in answer.headers["x-content-type-options"]


def test_a_server_for_others_needs_a_token(server_script: Path, tmp_path: Path) -> None:
    """Without one it does not start, and says what to do; with one it lets in who has it."""
    with pytest.raises(AssertionError, match="FLOPOD_TOKEN"):
        Served(server_script, tmp_path, "--host", "0.0.0.0").start()
    token = "a-token-of-the-tests-1234"
    server = Served(server_script, tmp_path, "--host", "0.0.0.0", FLOPOD_TOKEN=token)
    with server:
        assert server.ask("GET", "/runs").status == 401
        assert server.ask("GET", "/runs", Authorization=f"Bearer {token}").status == 200
        assert server.ask("GET", "/runs", Authorization=f"Bearer {token}x").status == 401
        assert server.ask("GET", "/readyz").status == 200
    assert token not in "".join(server.log)


def test_the_secret_of_webhooks_can_be_asked_for(server_script: Path, tmp_path: Path) -> None:
    """It is the same each time, and the one that the server signs with; one that is given is that one."""
    receiver = Receiver()
    command = [sys.executable, str(server_script), "webhook-secret"]
    with closing(receiver), Served(server_script, tmp_path, "--webhook-private") as server:
        environment = server.environment_of_process()
        secrets = [
            subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True).stdout
            for _ in range(2)
        ]
        assert secrets[0] == secrets[1]
        body = {"workflow": "steps", "input": ["a"], "webhook": receiver.url}
        assert server.ask("POST", "/runs", body).status == 202
        assert receiver.wait()[0].is_signed_by(secrets[0].strip())


def test_a_damaged_log_stops_its_own_run_alone(server_script: Path, tmp_path: Path) -> None:
    """The list, the page of the run and the log say so; the other runs go on."""
    server = Served(server_script, tmp_path)
    with server:
        for run_id in ("bad", "good"):
            server.start_run("approve", run_id, name=run_id)
            server.until(run_id, "waiting")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "flopod.db")) as db, db:
        (number,) = db.execute("SELECT number FROM logs WHERE run_id = 'bad'").fetchone()
        db.execute("UPDATE records SET body = '{' WHERE place = ?", ((number << SEQ_BITS) + 2,))
    with server:
        for run_id in ("bad", "good"):
            body = {"path": "word", "event": "word", "payload": "yes"}
            assert server.ask("POST", f"/runs/{run_id}/deliver", body).status == 202
        assert server.until("good", "completed")["result"] == "good:yes"
        listed = server.wait_for(lambda: server.ask("GET", "/runs?status=storage_error").json["runs"])
        assert [each["run_id"] for each in listed] == ["bad"]
        page = server.ask("GET", "/ui/runs/bad")
        assert (page.status, "A log is damaged" in page.text) == (500, True)
        assert sum("run bad is left as it is" in line for line in server.log) == 1
